# SPDX-License-Identifier: Apache-2.0
"""Exponential moving average of the weights. It is steadier than the last weights if the learning rate is high."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.common.devices import device_of


class WeightAverage:
    """The exponential moving average (EMA) of every trainable parameter over the steps; `train.ema_decay` turns it on.

    Recent steps count more. Buffers are not averaged.

    The decay is min(`decay`, (1 + n) / (10 + n)) at step n, as in TensorFlow. So the average of a short run forgets the
    random start. torch's `AveragedModel` has no such rule, and would also copy the frozen part.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.decay = decay
        self.steps = 0
        self.averaged: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights after a step. A parameter that was frozen until now starts with its current value."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for name, parameter in self._trainable_parameters():
            if name in self.averaged:
                self.averaged[name].lerp_(parameter, 1 - decay)
            else:
                self.averaged[name] = parameter.detach().clone()

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Give the model the averaged weights, for scoring or saving. At the end it gets its own weights back."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self._trainable_parameters():
            if name in self.averaged:
                current = parameter.detach().clone()
                parameter.copy_(self.averaged[name])
                self.averaged[name].copy_(current)

    def _trainable_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]

    def state_dict(self) -> dict:
        """Return what a checkpoint saves."""
        return {"steps": self.steps, "averaged": self.averaged}

    def load_state_dict(self, state: dict) -> None:
        """Restore what a checkpoint saved."""
        self.steps = state["steps"]
        device = device_of(self.model)
        self.averaged = {name: tensor.clone().to(device) for name, tensor in state["averaged"].items()}
