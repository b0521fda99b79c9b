# SPDX-License-Identifier: Apache-2.0
"""Stage `study`: summarize the training runs of a freezing study as a table, a CSV file and a page (`cariste study`).

A study trains every backbone with every freezing policy and several seeds. Snakemake's target `freeze_study` trains and
evaluates them first.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.common import csv_tables, json_files
from pipeline.common.vocabulary import IOU_TYPES
from pipeline.config.stages import StudyConfig
from pipeline.reports import study_page
from pipeline.reports.study_runs import (
    RENDERED_TEST_SET,
    STUDY_METRICS,
    RunGroup,
    TrainingRun,
    group_runs,
    read_runs,
)
from pipeline.viz.formatting import DASH

CONSOLE_WIDTH = 140


def write_study(config: StudyConfig, runs_folder: Path, out: Path) -> None:
    """Write study.csv, study.json and study.html into the folder `out`, and print a table for each test set.

    Raises:
        StudyError, RunRecordError: a training run of the study is missing or damaged.
    """
    runs = read_runs(config, runs_folder)
    rows, table_rows = group_runs(runs), list(csv_rows(runs))
    csv_tables.write(out / "study.csv", table_rows)
    json_files.write_json(out / "study.json", table_rows)
    study_page.write(out / "study.html", config, rows)
    for name in (RENDERED_TEST_SET, *config.compare):
        Console(width=CONSOLE_WIDTH).print(study_table(rows, name))


def csv_rows(runs: Sequence[TrainingRun]) -> Iterator[dict[str, Any]]:
    """Yield one row of the CSV file per training run and test set."""
    for run in runs:
        for name, scores in run.scores.items():
            metrics = {
                "_".join(filter(None, (iou_type, metric, class_name))): run.metric(name, iou_type, metric, class_name)
                for iou_type in IOU_TYPES
                for metric in STUDY_METRICS
                for class_name in (None, *scores["annotations"])
            }
            yield {
                "backbone": run.backbone,
                "weights": run.weights,
                "policy": run.policy,
                "seed": run.seed,
                "set": name,
                **metrics,
                "step_s": round(run.seconds_per_step, 4),
                "peak_memory_mb": run.peak_memory_mb,
                "trainable_parameters": run.trainable_parameters,
                "parameters": run.parameters,
            }


def study_table(rows: Sequence[RunGroup], set_name: str) -> Table:
    """Return the metrics of one test set: the mean over the seeds ± half of their range."""
    table = Table(title=set_name, box=SIMPLE)
    for heading in ("backbone", "initial\nweights", "frozen"):
        table.add_column(heading, no_wrap=True)
    metric_headings = [f"{iou_type}\n{metric}" for iou_type in IOU_TYPES for metric in STUDY_METRICS]
    for heading in (*metric_headings, "seconds\nper step", "MB", "trained\nmillions"):
        table.add_column(heading, justify="right")
    for row in rows:
        spreads = [row.metric_spread(set_name, iou_type, metric) for iou_type in IOU_TYPES for metric in STUDY_METRICS]
        cells = [DASH if each is None else str(each) for each in spreads]
        seconds, memory_mb = row.mean_costs()
        costs = [f"{seconds:.2f}", f"{memory_mb:.0f}", f"{row.runs[0].trainable_parameters / 1e6:.2f}"]
        table.add_row(row.backbone, row.weights, row.policy, *cells, *costs)
    return table
