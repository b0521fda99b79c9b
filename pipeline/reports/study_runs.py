# SPDX-License-Identifier: Apache-2.0
"""Read the training runs of a freezing study, and group the seeds of each backbone and policy."""

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
STUDY_METRICS = ("AP50", "AP")


class StudyError(CaristeError):
    """A study that cannot be summarized; the message names the file and what to do."""


@dataclass(frozen=True)
class TrainingRun:
    """One training run and its results.

    - `weights`: the initial weights; of a file only its name.
    - `scores`: test set -> the metrics that the stage `evaluate` writes.
    - `seconds_per_step`: median. `peak_memory_mb`: resident on a CPU, allocated on a GPU.
    - `trainable_parameters`: those that are trained from the first step on.
    """

    backbone: str
    weights: str
    policy: str
    seed: int
    scores: dict[str, dict[str, Any]]
    seconds_per_step: float
    peak_memory_mb: float
    trainable_parameters: int
    parameters: int

    def metric(self, set_name: str, iou_type: str, metric: str, class_name: str | None = None) -> float | None:
        """Return a metric of a test set, over all classes or of one class; None if it was not computed."""
        metrics = self.scores[set_name][iou_type]
        if metrics is not None and class_name is not None:
            metrics = metrics.get(class_name)
        return None if metrics is None else metrics[metric]


@dataclass(frozen=True)
class RunGroup:
    """The runs of one backbone and policy, one per seed."""

    backbone: str
    policy: str
    runs: tuple[TrainingRun, ...]

    @property
    def weights(self) -> str:
        """The initial weights of all runs, as a word for tables."""
        return "random" if self.runs[0].weights == "none" else self.runs[0].weights

    def metric_spread(self, set_name: str, iou_type: str, metric: str, class_name: str | None = None) -> Spread | None:
        """Return a metric over the seeds."""
        return spread_of(run.metric(set_name, iou_type, metric, class_name) for run in self.runs)

    def mean_costs(self) -> tuple[float, float]:
        """Return seconds per step and megabytes, each as the mean over the seeds."""
        seconds = statistics.fmean(run.seconds_per_step for run in self.runs)
        return seconds, statistics.fmean(run.peak_memory_mb for run in self.runs)


def read_runs(config: StudyConfig, folder: Path) -> list[TrainingRun]:
    """Read the log and the scores of every variant of the study.

    Raises:
        StudyError, RunRecordError: a file that is missing or does not hold what its stage writes.
    """
    return [_read_run(config, variant, folder / variant) for variant in config.study.variants()]


def _read_run(config: StudyConfig, variant: str, folder: Path) -> TrainingRun:
    score_files = [folder / f"{name}.json" for name in (RENDERED_TEST_SET, *config.compare)]
    log = folder / "training.jsonl"
    for path in (*score_files, log):
        if not path.is_file():
            raise StudyError(f"{path}: no such file; `snakemake -j1 freeze_study` makes it")
    training = run_records.read_training(log)
    backbone, policy, seed = config.study.parts(variant)
    try:
        return TrainingRun(
            backbone,
            Path(training.facts["weights"]).name,
            policy,
            seed,
            {path.stem: run_records.read_json(path) for path in score_files},
            statistics.median(training.columns["seconds"]),
            training.last_line["memory_mb"],
            training.facts["trainable_parameters"],
            training.facts["parameters"],
        )
    except KeyError as error:
        raise StudyError(f"{log}: it has no key {error}; train again") from None


def group_runs(runs: Sequence[TrainingRun]) -> list[RunGroup]:
    """Group the seeds of each backbone and policy. Within a backbone, the fewest trainable parameters come first."""
    groups: dict[tuple[str, str], list[TrainingRun]] = {}
    for run in runs:
        groups.setdefault((run.backbone, run.policy), []).append(run)
    rows = [RunGroup(*key, tuple(group)) for key, group in groups.items()]
    backbone_order = list(dict.fromkeys(run.backbone for run in runs))
    return sorted(rows, key=lambda row: (backbone_order.index(row.backbone), row.runs[0].trainable_parameters))
