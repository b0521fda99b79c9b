# SPDX-License-Identifier: Apache-2.0
"""The stage `train` put together: the training, and the score of its validation rounds. Neither knows the other."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.cli.checked_command import refuse
from pipeline.cli.given_paths import GivenPath, Role, overwriting
from pipeline.config.stages import TrainConfig
from pipeline.inference.coco_score import score_from_config
from pipeline.training.train import train


def run_train_stage(
    settings: TrainConfig,
    annotations: Path,
    images_dir: Path,
    out: Path,
    log: Path,
    checkpoint: Path | None = None,
    val: Path | None = None,
    threads: int | None = None,
) -> None:
    """Train as `pipeline.training.train.train` does; `val` is the COCO file of the rendered validation split.

    Raises:
        ArgumentsError: an output would overwrite a file that the config names.
        CaristeError: see `train` and `score_from_config`.
    """
    given = [GivenPath("--out", str(out), Role.OUTPUT_FILE), GivenPath("--log", str(log), Role.OUTPUT_FILE)]
    refuse(overwriting([*given, *_files_in_config(settings)]))
    score_for = partial(score_from_config, settings.train.validation, settings.model, images_dir, val)
    train(settings, annotations, images_dir, out, log, checkpoint, threads, score_for)


def _files_in_config(settings: TrainConfig) -> Iterator[GivenPath]:
    """Yield the files that the config names to read from."""
    named = {"model.weights": settings.model.weights, "model.weights_file": settings.model.weights_file}
    named |= {f"train.sources.{name}": source.annotations for name, source in settings.train.sources.items()}
    validation = settings.train.validation
    named["train.validation.dataset"] = validation.dataset.annotations if validation and validation.dataset else None
    for key, file in named.items():
        if file and Path(file).is_file():
            yield GivenPath(key, str(file), Role.INPUT_FILE)
