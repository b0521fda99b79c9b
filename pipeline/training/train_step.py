# SPDX-License-Identifier: Apache-2.0
"""One training step: the losses of a batch, their gradients, and the update of the weights."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.amp import GradScaler

from pipeline.common import distributed
from pipeline.common.devices import device_of
from pipeline.config.training import TrainSection
from pipeline.data.dataset import TrainingItem
from pipeline.models import mixed_precision
from pipeline.training import optimization
from pipeline.training.finite_check import check_finite
from pipeline.training.state import TrainingState


def train_step(
    model: nn.Module, state: TrainingState, batch: Sequence[TrainingItem], iteration: int, settings: TrainSection
) -> dict[str, Any]:
    """Take one step and return its entry for the log: losses, learning rate and norm of the gradient.

    `model` is what to call in training: the detector of `state`, perhaps wrapped for several processes.

    Raises:
        NonFiniteError: a loss or gradient is infinite or NaN; the weights have not been changed.
    """
    optimizer, scaler = state.optimizer, state.scaler
    learning_rate = optimization.set_learning_rates(optimizer, iteration - 1, settings, state.rate_factor)
    optimizer.zero_grad()
    loss_parts = _accumulate_gradients(model, scaler, batch, settings)
    losses = {"loss": sum(loss_parts.values())} | loss_parts
    scaler.unscale_(optimizer)
    parameters = optimization.optimized_parameters(optimizer)
    gradient_norm = nn.utils.clip_grad_norm_(parameters, settings.gradient_clip).item()
    # In fp16, gradients overflow now and then: the scaler skips the step and halves its scale.
    may_overflow = scaler.is_enabled() and scaler.get_scale() > 1
    checked = losses if may_overflow else losses | {"gradient": gradient_norm}
    check_finite(iteration, checked, [item.file_name for item in batch])
    scaler.step(optimizer)
    scaler.update()
    if state.average:
        state.average.update()
    finite_norm = gradient_norm if math.isfinite(gradient_norm) else None
    return losses | {"learning_rate": learning_rate, "gradient_norm": finite_norm}


def _accumulate_gradients(
    model: nn.Module, scaler: GradScaler, batch: Sequence[TrainingItem], settings: TrainSection
) -> dict[str, float]:
    """Add the gradients of all parts of the batch. Return the losses: means over parts and processes."""
    device = device_of(model)
    micro_batches = [batch[first :: settings.accumulate] for first in range(min(settings.accumulate, len(batch)))]
    weighted_losses = []
    for number, micro_batch in enumerate(micro_batches, 1):
        images = [item.image.to(device) for item in micro_batch]
        targets = [{key: value.to(device) for key, value in item.target.items()} for item in micro_batch]
        # Processes exchange gradients once per step, after the last part.
        is_last = number == len(micro_batches)
        with nullcontext() if is_last or distributed.world_size() == 1 else model.no_sync():
            with mixed_precision.autocast(settings.precision, device):
                losses = model(images, targets)
            weighted = torch.stack(list(losses.values())) * (len(micro_batch) / len(batch))
            scaler.scale(weighted.sum()).backward()
        weighted_losses.append(weighted.detach())
    means = distributed.mean_over_processes(torch.stack(weighted_losses).sum(dim=0)).tolist()
    return dict(zip(losses, means, strict=True))
