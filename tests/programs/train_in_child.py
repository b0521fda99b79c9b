# SPDX-License-Identifier: Apache-2.0
"""A training run for a child process that a test kills."""

from pathlib import Path

from pipeline.cli.train_stage import run_train_stage
from pipeline.config.stages import TrainConfig, read_stage_config


def train_in_child(settings: str, annotations: Path, images: Path, out: Path) -> None:
    """Train into the folder `out`. `settings`: the text of a TrainConfig."""
    config = read_stage_config(TrainConfig, settings)
    run_train_stage(config, annotations, images, out / "model.pt", out / "training.jsonl")
