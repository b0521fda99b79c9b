# SPDX-License-Identifier: Apache-2.0
"""The freezing study: trainings of every backbone with every policy become a table, a CSV file and a page.

    python -m pipeline.reports.study --config C --runs results/studies/S/runs --out results/studies/S

Snakemake's rule `freeze_study` trains and scores them first.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.common import csv_tables, json_files
from pipeline.config.stages import StudyConfig
from pipeline.reports import study_page
from pipeline.reports.study_runs import (
    IOU_TYPES,
    METRICS,
    RENDERED_TEST_SET,
    RunGroup,
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


def write_study(config: StudyConfig, runs_folder: Path, out: Path) -> None:
    """Write study.csv, study.json and study.html into `out`, and print a table for each set.

    Raises:
        StudyError, RunRecordError: a training run of the study is missing or damaged.
    """
    runs = read_runs(config, runs_folder)
    rows, table_rows = group_runs(runs), list(csv_rows(runs))
    out.mkdir(parents=True, exist_ok=True)
    csv_tables.write(out / "study.csv", table_rows)
    json_files.write_json(out / "study.json", table_rows)
    study_page.write(out / "study.html", config, rows)
    for name in (RENDERED_TEST_SET, *config.compare):
        Console(width=140).print(study_table(rows, name))
