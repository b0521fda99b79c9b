# SPDX-License-Identifier: Apache-2.0
"""Commands about a config: check it, and say what it would train and start from."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import options
from pipeline.cli.given_paths import Role, recorder


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(
        "config",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste config configs/quickstart.yaml",
    )(config)
    app.command(
        "layers",
        rich_help_panel=options.PLANNING,
        epilog="Example: cariste layers --config configs/quickstart.yaml",
    )(layers)
    app.command(
        "weights",
        rich_help_panel=options.PLANNING,
        epilog="Example: cariste weights --config configs/quickstart.yaml",
    )(weights)


def config(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="YAML file to check.", callback=recorder(Role.CONFIG))
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema, for editors.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the page that lists all keys (docs/reference/config.md).")
    ] = False,
) -> None:
    """Check a config and print it with all defaults filled in."""
    from pipeline.common.yaml_files import dump_yaml
    from pipeline.config import config as config_file
    from pipeline.config import reference_page

    if (file is not None) + schema + markdown != 1:
        raise typer.BadParameter("give a YAML file, or --schema, or --markdown")
    if schema:
        text = config_file.schema()
    elif markdown:
        text = reference_page.reference_page()
    else:
        text = dump_yaml(config_file.read_config(file).model_dump(mode="json"))
    typer.echo(text, nl=False)


def layers(
    config: options.Config = "configs/quickstart.yaml",
    model: Annotated[Path | None, options.input_file("--model", help="A model file instead of a config.")] = None,
    each_layer: Annotated[bool, typer.Option("--each", help="List every layer, not only the parts.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON with every layer.")] = False,
) -> None:
    """Show the layers of the model: which are trained, and from when on.

    The counts are those that `model.freeze` takes. No weights are downloaded.
    """
    from pipeline.training import freeze_report

    run = freeze_report.run_from_model_file(str(model)) if model else freeze_report.run_from_config(config)
    freeze_report.print_run(run, each_layer, json)


def weights(
    config: options.Config,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="A class of the data. Repeat for more. Default: both of ours.",
            callback=options.distinct,
        ),
    ] = None,
) -> None:
    """Show what becomes of every tensor of the weights that a config starts from."""
    from pipeline.coco.reader import Category
    from pipeline.config.config import read_config
    from pipeline.models import detectors

    names = classes or ["pedestrian", "pallet_truck"]
    categories = [Category(id=number, name=name) for number, name in enumerate(names, 1)]
    _, report = detectors.build_with_report(read_config(config).model, categories)
    typer.echo("\n".join([*report.lines(), "", str(report)]))
