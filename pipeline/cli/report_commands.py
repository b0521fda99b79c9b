# SPDX-License-Identifier: Apache-2.0
"""Commands that write pages about a run or a study."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(
        "report",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste report --config configs/quickstart.yaml --data results/data/quickstart "
        "--run results/runs/quickstart --out report.html",
    )(report)
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


def study(
    config: options.Config,
    runs: Annotated[Path, options.input_folder("--runs", help="Folder with a folder for each training run.")],
    out: Annotated[Path, options.output_folder("--out", help="Folder for study.csv, study.json and study.html.")],
) -> None:
    """Compare the training runs of a study: backbones and freezing policies, each with the same number of steps."""
    from pipeline.config.stages import StudyConfig, read_stage_config
    from pipeline.reports.study import write_study

    write_study(read_stage_config(StudyConfig, config), runs, out)
