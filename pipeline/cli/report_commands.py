# SPDX-License-Identifier: Apache-2.0
"""Commands that write pages about a run or a study."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import options
from pipeline.cli.given_paths import Role, recorder


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(
        "report",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste report --config configs/quickstart.yaml --data results/data/quickstart "
        "--run results/runs/quickstart --out report.html",
    )(report)
    app.command(
        "compare",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste compare before.json after.json --out compared.html",
    )(compare)
    app.command(
        "study",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste study --config configs/quickstart.yaml --runs results/studies/freezing/runs "
        "--out results/studies/freezing",
    )(study)


def report(
    config: options.Config,
    data: options.DataFolder,
    run: Annotated[Path, options.input_folder("--run", help="Folder of the training run.")],
    out: Annotated[Path, options.output_file("--out", help="HTML page to write.")],
) -> None:
    """Write the page of a run: example images, labels, audit, training curves, metrics, predictions."""
    from pipeline.config.stages import ReportConfig, read_stage_config
    from pipeline.reports.run_report import write_report

    write_report(read_stage_config(ReportConfig, config), data, run, out, config)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


def compare(
    metrics: Annotated[
        list[Path],
        typer.Argument(metavar="METRICS", help="JSON files that `evaluate` wrote.", callback=recorder(Role.INPUT_FILE)),
    ],
    out: Annotated[Path, options.output_file("--out", help="HTML page to write.")],
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Name of a file on the page. Repeat for each. Default: its name.")
    ] = None,
) -> None:
    """Show any number of evaluations side by side: precision with intervals, curves, recall by size, false alarms."""
    if name and len(name) != len(metrics):
        raise typer.BadParameter("give one --name for each file")
    from pipeline.reports import evaluation_page

    names = name or evaluation_page.names_of(metrics)
    evaluations = [
        each for title, path in zip(names, metrics, strict=True) for each in evaluation_page.read(path, title)
    ]
    evaluation_page.write(out, evaluations)


def study(
    config: options.Config,
    runs: Annotated[Path, options.input_folder("--runs", help="Folder with a folder for each training run.")],
    out: Annotated[Path, options.output_folder("--out", help="Folder for study.csv, study.json and study.html.")],
) -> None:
    """Compare the training runs of a study: backbones and freezing policies, each with the same number of steps."""
    from pipeline.config.stages import StudyConfig, read_stage_config
    from pipeline.reports.study import write_study

    write_study(read_stage_config(StudyConfig, config), runs, out)
