# SPDX-License-Identifier: Apache-2.0
"""Exponential moving average of the weights: steadier than the last ones when the learning rate is still high."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """The mean of what every trainable parameter was, recent steps counting more; buffers are the model's own.

    The decay grows with the steps, (1 + n) / (10 + n) until `decay` is reached (TensorFlow's rule), so that short runs
    do not remember their random start. torch's `AveragedModel` would copy the frozen part as well, and has no such
    growth.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.decay = decay
        self.steps = 0
        self.shadow: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step. What was frozen until now begins with its present value."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for name, parameter in self._trained():
            if name in self.shadow:
                self.shadow[name].lerp_(parameter, 1 - decay)
            else:
                self.shadow[name] = parameter.detach().clone()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average, to be scored or saved; afterwards it has its own weights again."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for name, parameter in self._trained():
            if name in self.shadow:
                own = parameter.detach().clone()
                parameter.copy_(self.shadow[name])
                self.shadow[name].copy_(own)

    def _trained(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]

    def state_dict(self) -> dict:
        return {"steps": self.steps, "shadow": self.shadow}

    def load_state_dict(self, state: dict) -> None:
        self.steps = state["steps"]
        device = next(self.model.parameters()).device
        self.shadow = {name: tensor.clone().to(device) for name, tensor in state["shadow"].items()}
