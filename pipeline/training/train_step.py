# SPDX-License-Identifier: Apache-2.0
"""One step of training: a batch becomes losses, gradients and other weights."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.amp import GradScaler

from pipeline.common import distributed
from pipeline.config.training import TrainSection
from pipeline.data.dataset import TrainingItem
from pipeline.models import mixed_precision
from pipeline.training import optimization
from pipeline.training.finite_check import check_finite
from pipeline.training.state import TrainingState


def train_step(
    network: nn.Module, state: TrainingState, batch: Sequence[TrainingItem], iteration: int, settings: TrainSection
) -> dict[str, Any]:
    """Take one step, and return what the log says of it.

    Raises:
        NotFinite: a loss or gradient is no number; the step has not been taken.
    """
    optimizer, scaler = state.optimizer, state.scaler
    learning_rate = optimization.set_learning_rates(optimizer, iteration - 1, settings, state.rate_factor)
    optimizer.zero_grad()
    losses = _backward(network, scaler, batch, settings)
    scaler.unscale_(optimizer)
    gradient = nn.utils.clip_grad_norm_(optimization.optimized_parameters(optimizer), settings.gradient_clip).item()
    values = {"loss": sum(losses.values())} | losses
    # In fp16 gradients overflow now and then: the scaler leaves the step out and scales by half from then on.
    may_overflow = scaler.is_enabled() and scaler.get_scale() > 1
    checked = values if may_overflow else values | {"gradient": gradient}
    check_finite(iteration, checked, [sample.file_name for sample in batch])
    scaler.step(optimizer)
    scaler.update()
    if state.average:
        state.average.update()
    norm = gradient if math.isfinite(gradient) else None
    return values | {"learning_rate": learning_rate, "gradient_norm": norm}


def _backward(
    network: nn.Module, scaler: GradScaler, batch: Sequence[TrainingItem], settings: TrainSection
) -> dict[str, float]:
    """Add up the gradients of a batch, part by part, and return its losses: means over parts and processes."""
    device = next(network.parameters()).device
    parts = [batch[first :: settings.accumulate] for first in range(min(settings.accumulate, len(batch)))]
    sums = []
    for place, part in enumerate(parts, 1):
        images = [sample.image.to(device) for sample in part]
        targets = [{key: value.to(device) for key, value in sample.target.items()} for sample in part]
        # Processes exchange gradients once a step, after the last part.
        with network.no_sync() if distributed.world_size() > 1 and place < len(parts) else nullcontext():
            with mixed_precision.autocast(settings.precision, device):
                losses = network(images, targets)
            weighted = torch.stack(list(losses.values())) * (len(part) / len(batch))
            scaler.scale(weighted.sum()).backward()
        sums.append(weighted.detach())
    means = distributed.mean_over_processes(torch.stack(sums).sum(dim=0)).tolist()
    return dict(zip(losses, means, strict=True))
