# SPDX-License-Identifier: Apache-2.0
"""The freezing study: trainings of every backbone with every policy become a table, a CSV file and a page.

    python -m pipeline.study --config C --runs results/studies/S/runs --out results/studies/S

Snakemake's rule `freeze_study` trains and scores them first.
"""

import argparse
import csv
import json
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline import coco, provenance, study_page
from pipeline.config import Config, ConfigError, read
from pipeline.figures import Spread, spread

SYNTHETIC = "test"
KINDS, FIGURES = ("box", "mask"), ("AP50", "AP")


class StudyError(Exception):
    """A study that cannot be summed up; the message names the file and what to do."""


@dataclass(frozen=True)
class Run:
    """One training and what became of it.

    `scores`: set -> what `pipeline.evaluate` writes. `step_s`: median. `memory_mb`: the most that was resident on a
    CPU or allocated on a GPU, None where the job was too short for Snakemake to see.
    """

    backbone: str
    policy: str
    seed: int
    scores: dict[str, dict[str, Any]]
    step_s: float
    memory_mb: float | None
    trainable: int
    parameters: int

    def figure(self, set_name: str, kind: str, figure: str, name: str | None = None) -> float | None:
        """Return a figure of a set, over all classes or of the class `name`; None where there is none."""
        table = self.scores[set_name][kind]
        if table is not None and name is not None:
            table = table.get(name)
        return None if table is None else table[figure]


@dataclass(frozen=True)
class Row:
    """All seeds of one backbone and policy."""

    backbone: str
    policy: str
    runs: tuple[Run, ...]

    def spread(self, set_name: str, kind: str, figure: str, name: str | None = None) -> Spread | None:
        """Return mean, least and most over the seeds."""
        return spread(run.figure(set_name, kind, figure, name) for run in self.runs)


def read_runs(config: Config, folder: Path) -> list[Run]:
    """Read every variant's log, scores and benchmark.

    Raises:
        StudyError, provenance.RecordError: a file that is missing or is not what its writer writes.
    """
    return [_read_run(config, variant, folder / variant) for variant in config.study.variants()]


def _read_run(config: Config, variant: str, folder: Path) -> Run:
    wanted = [folder / f"{name}.json" for name in (SYNTHETIC, *config.compare)]
    for path in (*wanted, folder / "training.jsonl", folder / "train.tsv"):
        if not path.is_file():
            raise StudyError(f"{path}: no such file; `snakemake -j1 freeze_study` makes it")
    training = provenance.read_training(folder / "training.jsonl")
    (stage,) = provenance.read_stages(folder, shards=())
    backbone, policy, seed = config.study.parts(variant)
    try:
        return Run(
            backbone,
            policy,
            seed,
            {path.stem: provenance.read_json(path) for path in wanted},
            statistics.median(training.columns["seconds"]),
            training.facts.get("gpu_memory_mb", stage.memory_mb),
            training.facts["trainable_parameters"],
            training.facts["parameters"],
        )
    except KeyError as error:
        raise StudyError(f"{folder / 'training.jsonl'}: its first line lacks {error}; train again") from None


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Gather the seeds of each backbone and policy, in the order of `runs`."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.backbone, run.policy), []).append(run)
    return [Row(*key, tuple(group)) for key, group in groups.items()]


def lines(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """Yield one line of the CSV file per training and set."""
    for run in runs:
        for name, scores in run.scores.items():
            classes = scores["annotations"]
            figures = {
                "_".join(filter(None, (kind, figure, label))): run.figure(name, kind, figure, label)
                for kind in KINDS
                for figure in FIGURES
                for label in (None, *classes)
            }
            facts = {"backbone": run.backbone, "policy": run.policy, "seed": run.seed, "set": name}
            costs = {"step_s": round(run.step_s, 4), "peak_memory_mb": run.memory_mb}
            yield facts | figures | costs | {"trainable_parameters": run.trainable, "parameters": run.parameters}


def write_csv(path: Path, runs: Sequence[Run]) -> None:
    """Write the file aside, then put it in its place."""
    written = list(lines(runs))
    columns = list(dict.fromkeys(column for line in written for column in line))
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(written)
    aside.replace(path)


def table(rows: Sequence[Row], set_name: str) -> Table:
    """Return the figures of one set: mean over the seeds, and how far they lie apart."""
    drawn = Table(title=set_name, box=SIMPLE)
    for heading in ("backbone", "frozen"):
        drawn.add_column(heading, no_wrap=True)
    for heading in (*(f"{kind}\n{figure}" for kind in KINDS for figure in FIGURES), "s a\nstep", "MB", "trained"):
        drawn.add_column(heading, justify="right")
    for row in rows:
        spreads = [row.spread(set_name, kind, figure) for kind in KINDS for figure in FIGURES]
        cells = ["–" if each is None else str(each) for each in spreads]
        memory = spread(run.memory_mb for run in row.runs)
        step = statistics.fmean(run.step_s for run in row.runs)
        costs = [f"{step:.2f}", "–" if memory is None else f"{memory.mean:.0f}", f"{row.runs[0].trainable:,}"]
        drawn.add_row(row.backbone, row.policy, *cells, *costs)
    return drawn


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="YAML file, or its sections as JSON")
    parser.add_argument("--runs", required=True, type=Path, help="folder with a folder for each training")
    parser.add_argument("--out", required=True, type=Path, help="folder for study.csv, study.json and study.html")
    arguments = parser.parse_args()
    try:
        config = read(arguments.config)
        runs = read_runs(config, arguments.runs)
        rows = rows_of(runs)
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_csv(arguments.out / "study.csv", runs)
        coco.write(arguments.out / "study.json", list(lines(runs)))
        study_page.write(arguments.out / "study.html", config, rows)
    except (ConfigError, StudyError, provenance.RecordError) as error:
        print(error, file=sys.stderr)
        return 1
    for name in (SYNTHETIC, *config.compare):
        Console(width=120).print(table(rows, name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
