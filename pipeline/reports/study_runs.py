# SPDX-License-Identifier: Apache-2.0
"""The trainings of a freezing study as they lie in its folder, and their seeds gathered."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.common.errors import CaristeError
from pipeline.common.spread import Spread, spread_of
from pipeline.config.stages import StudyConfig
from pipeline.reports import run_records

RENDERED_TEST_SET = "test"
IOU_TYPES, METRICS = ("box", "mask"), ("AP50", "AP")


class StudyError(CaristeError):
    """A study that cannot be summed up; the message names the file and what to do."""


@dataclass(frozen=True)
class TrainingRun:
    """One training and what became of it.

    `scores`: set -> what `pipeline.inference.evaluate` writes. `step_s`: median. `memory_mb`: the most that was
    resident on a CPU or allocated on a GPU. `weights`: what it began with, the name alone of a file.
    """

    backbone: str
    weights: str
    policy: str
    seed: int
    scores: dict[str, dict[str, Any]]
    step_s: float
    memory_mb: float
    trainable: int
    parameters: int

    def figure(self, set_name: str, kind: str, figure: str, name: str | None = None) -> float | None:
        """Return a figure of a set, over all classes or of the class `name`; None where there is none."""
        table = self.scores[set_name][kind]
        if table is not None and name is not None:
            table = table.get(name)
        return None if table is None else table[figure]


@dataclass(frozen=True)
class RunGroup:
    """All seeds of one backbone and policy."""

    backbone: str
    policy: str
    runs: tuple[TrainingRun, ...]

    @property
    def weights(self) -> str:
        """What its trainings began with."""
        return "random" if self.runs[0].weights == "none" else self.runs[0].weights

    def spread(self, set_name: str, kind: str, figure: str, name: str | None = None) -> Spread | None:
        """Return mean, least and most over the seeds."""
        return spread_of(run.figure(set_name, kind, figure, name) for run in self.runs)

    def costs(self) -> tuple[float, float]:
        """Return seconds a step and megabytes, each the mean over the seeds."""
        steps, memory = zip(*((run.step_s, run.memory_mb) for run in self.runs), strict=True)
        return statistics.fmean(steps), statistics.fmean(memory)


def read_runs(config: StudyConfig, folder: Path) -> list[TrainingRun]:
    """Read every variant's log, scores and benchmark.

    Raises:
        StudyError, provenance.RecordError: a file that is missing or is not what its writer writes.
    """
    return [_read_run(config, variant, folder / variant) for variant in config.study.variants()]


def _read_run(config: StudyConfig, variant: str, folder: Path) -> TrainingRun:
    wanted = [folder / f"{name}.json" for name in (RENDERED_TEST_SET, *config.compare)]
    for path in (*wanted, folder / "training.jsonl"):
        if not path.is_file():
            raise StudyError(f"{path}: no such file; `snakemake -j1 freeze_study` makes it")
    training = run_records.read_training(folder / "training.jsonl")
    last = json.loads((folder / "training.jsonl").read_text().splitlines()[-1])
    backbone, policy, seed = config.study.parts(variant)
    try:
        return TrainingRun(
            backbone,
            Path(training.facts["weights"]).name,
            policy,
            seed,
            {path.stem: run_records.read_json(path) for path in wanted},
            statistics.median(training.columns["seconds"]),
            last["memory_mb"],
            training.facts["trainable_parameters"],
            training.facts["parameters"],
        )
    except KeyError as error:
        raise StudyError(f"{folder / 'training.jsonl'}: it lacks {error}; train again") from None


def group_runs(runs: Sequence[TrainingRun]) -> list[RunGroup]:
    """Gather the seeds of each backbone and policy; within a backbone, those come first that train the least."""
    groups: dict[tuple[str, str], list[TrainingRun]] = {}
    for run in runs:
        groups.setdefault((run.backbone, run.policy), []).append(run)
    rows = [RunGroup(*key, tuple(group)) for key, group in groups.items()]
    order = list(dict.fromkeys(run.backbone for run in runs))
    return sorted(rows, key=lambda row: (order.index(row.backbone), row.runs[0].trainable))
