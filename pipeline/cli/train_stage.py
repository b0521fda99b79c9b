# SPDX-License-Identifier: Apache-2.0
"""The stage `train` put together: the training, and the score of its validation rounds. Neither knows the other."""

from functools import partial
from pathlib import Path

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
        CaristeError: see `train` and `score_from_config`.
    """
    score_for = partial(score_from_config, settings.train.validation, settings.model, images_dir, val)
    train(settings, annotations, images_dir, out, log, checkpoint, threads, score_for)
