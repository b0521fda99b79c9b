# SPDX-License-Identifier: Apache-2.0
"""The state of a training run: all that a checkpoint saves and restores."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from pipeline.common import distributed
from pipeline.common.devices import device_of
from pipeline.training import optimization
from pipeline.training.training_log import TrainingLog
from pipeline.training.validation import Validation
from pipeline.training.weight_average import WeightAverage

ROLLBACK_RATE_FACTOR = 0.5


@dataclass
class TrainingState:
    """Everything that changes during a training run.

    Attributes:
        iteration: the last iteration that is done; 0 before the first.
        rollbacks: the message of every failure after which training went back to a checkpoint.
        skipped: the iterations whose batches are left out because of these failures.
    """

    detector: nn.Module
    optimizer: Optimizer
    scaler: GradScaler
    log: TrainingLog
    average: WeightAverage | None = None
    validation: Validation | None = None
    iteration: int = 0
    rollbacks: list[str] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Return plain values and tensors. All processes must call it, because each has its own random state."""
        optional = {"average": self.average, "validation": self.validation}
        return {
            "detector": self.detector.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "log": self.log.lines,
            "random": distributed.gather_from_all(_random_state(self.device)),
            "iteration": self.iteration,
            "rollbacks": self.rollbacks,
            "skipped": self.skipped,
            **{name: part.state_dict() for name, part in optional.items() if part},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state. The parameters that were trained then are trained again, and no others."""
        self.detector.load_state_dict(state["detector"])
        optimization.restore_optimizer(self.optimizer, self.detector, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.log.go_back(state["log"])
        self.iteration = state["iteration"]
        self.rollbacks = list(state["rollbacks"])
        self.skipped = list(state["skipped"])
        if self.average:
            self.average.load_state_dict(state["average"])
        if self.validation:
            self.validation.load_state_dict(state["validation"])
        _set_random_state(state["random"][distributed.rank()], self.device)

    @property
    def rate_factor(self) -> float:
        """The factor on the learning rate after the rollbacks until now."""
        return ROLLBACK_RATE_FACTOR ** len(self.rollbacks)

    @property
    def device(self) -> torch.device:
        """The device of the detector."""
        return device_of(self.detector)


def _random_state(device: torch.device) -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    return state | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def _set_random_state(state: dict[str, torch.Tensor], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
