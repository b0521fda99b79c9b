# SPDX-License-Identifier: Apache-2.0
"""The freezing study: trainings of every backbone with every policy become a table, a CSV file and a page.

    python -m pipeline.reports.study --config C --runs results/studies/S/runs --out results/studies/S

Snakemake's rule `freeze_study` trains and scores them first.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.common import csv_tables, json_files
from pipeline.config.config import ConfigError, read_config
from pipeline.reports import run_records, study_page
from pipeline.reports.study_runs import (
    IOU_TYPES,
    METRICS,
    RENDERED_TEST_SET,
    RunGroup,
    StudyError,
    TrainingRun,
    group_runs,
    read_runs,
)


def csv_rows(runs: Sequence[TrainingRun]) -> Iterator[dict[str, Any]]:
    """Yield one line of the CSV file per training and set."""
    for run in runs:
        for name, scores in run.scores.items():
            classes = scores["annotations"]
            figures = {
                "_".join(filter(None, (kind, figure, label))): run.figure(name, kind, figure, label)
                for kind in IOU_TYPES
                for figure in METRICS
                for label in (None, *classes)
            }
            start = {"backbone": run.backbone, "weights": run.weights, "policy": run.policy, "seed": run.seed}
            costs = {"step_s": round(run.step_s, 4), "peak_memory_mb": run.memory_mb}
            yield (
                start
                | {"set": name}
                | figures
                | costs
                | {"trainable_parameters": run.trainable, "parameters": run.parameters}
            )


def study_table(rows: Sequence[RunGroup], set_name: str) -> Table:
    """Return the figures of one set: mean over the seeds, and how far they lie apart."""
    drawn = Table(title=set_name, box=SIMPLE)
    for heading in ("backbone", "starts from", "frozen"):
        drawn.add_column(heading, no_wrap=True)
    for heading in (
        *(f"{kind}\n{figure}" for kind in IOU_TYPES for figure in METRICS),
        "s a\nstep",
        "MB",
        "trained\nmillions",
    ):
        drawn.add_column(heading, justify="right")
    for row in rows:
        spreads = [row.spread(set_name, kind, figure) for kind in IOU_TYPES for figure in METRICS]
        cells = ["–" if each is None else str(each) for each in spreads]
        step, memory = row.costs()
        costs = [f"{step:.2f}", f"{memory:.0f}", f"{row.runs[0].trainable / 1e6:.2f}"]
        drawn.add_row(row.backbone, row.weights, row.policy, *cells, *costs)
    return drawn


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.reports.study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", required=True, help="YAML file, or its sections as JSON")
    parser.add_argument("--runs", required=True, type=Path, help="folder with a folder for each training")
    parser.add_argument("--out", required=True, type=Path, help="folder for study.csv, study.json and study.html")
    arguments = parser.parse_args()
    try:
        config = read_config(arguments.config)
        runs = read_runs(config, arguments.runs)
        rows = group_runs(runs)
        arguments.out.mkdir(parents=True, exist_ok=True)
        written = list(csv_rows(runs))
        csv_tables.write(arguments.out / "study.csv", written)
        json_files.write_json(arguments.out / "study.json", written)
        study_page.write(arguments.out / "study.html", config, rows)
    except (ConfigError, StudyError, run_records.RunRecordError) as error:
        print(error, file=sys.stderr)
        return 1
    for name in (RENDERED_TEST_SET, *config.compare):
        Console(width=140).print(study_table(rows, name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
