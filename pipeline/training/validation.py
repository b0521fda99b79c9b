# SPDX-License-Identifier: Apache-2.0
"""Validation rounds during training: keep the best weights, and stop when the score no longer improves."""

import logging
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from pipeline.common import distributed
from pipeline.config.training import ValidationSection

LOG = logging.getLogger(__name__)


class Score(Protocol):
    """Scores a model on a COCO file. `data` is the path of that file; it belongs to the identity of the run."""

    data: Path

    def __call__(self, model: nn.Module) -> float:
        """Return the value of `train.validation.metric`, 0 to 1. The model is in evaluation mode."""


class Validation:
    """Scores the model every few iterations, and keeps the weights with the best score on the CPU."""

    def __init__(self, settings: ValidationSection, score: Score) -> None:
        self.settings = settings
        self.score = score
        self.best: float | None = None
        self.best_iteration = 0
        self.best_weights: dict[str, Tensor] = {}
        self.rounds_without_gain = 0

    def is_due(self, iteration: int, last: int) -> bool:
        """Return whether a validation round follows this iteration. One always follows the last iteration."""
        return iteration % self.settings.every == 0 or iteration == last

    @property
    def exhausted(self) -> bool:
        """Whether the score has not improved for `patience` rounds."""
        return 0 < self.settings.patience <= self.rounds_without_gain

    def run(self, model: nn.Module, iteration: int) -> float:
        """Score the model and keep its weights if they are the best. The model is in train mode before and after."""
        model.eval()
        score = distributed.broadcast_from_first(self.score(model) if distributed.rank() == 0 else None)
        model.train()
        if self.best is None or score > self.best:
            self.best, self.best_iteration, self.rounds_without_gain = score, iteration, 0
            self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
        else:
            self.rounds_without_gain += 1
        LOG.info("iteration %d: %s %.3f; best %.3f", iteration, self.settings.metric, score, self.best)
        return score

    def facts(self) -> dict[str, Any]:
        """Return what the model file records about the validation."""
        return {"metric": self.settings.metric, "best": self.best, "iteration": self.best_iteration}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint saves."""
        names = ("best", "best_iteration", "best_weights", "rounds_without_gain")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what a checkpoint saved."""
        for name, value in state.items():
            setattr(self, name, value)
