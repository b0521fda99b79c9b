# SPDX-License-Identifier: Apache-2.0
"""The optimizer, its parameter groups, and the learning rate of every step.

Heads, FPN and backbone can have different learning rates (`train.rate_factors`). Biases and norms, which have one
dimension, get no weight decay, as in detectron2 (norms), timm and YOLOv5 (both).

The learning rate depends only on the step. There is no scheduler whose state could be lost, or could disagree with the
position of the run.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from pipeline.config.training import TrainSection

RATE_DROP_FACTOR = 0.1

NamedParameters = Iterable[tuple[str, nn.Parameter]]


def build_optimizer(detector: nn.Module, settings: TrainSection) -> Optimizer:
    """Return the optimizer of all parameters that are not frozen.

    Every group has the additional keys `rate_factor`, `names` (of its parameters) and `joined` (the step at which it
    was added).
    """
    trainable = ((name, parameter) for name, parameter in detector.named_parameters() if parameter.requires_grad)
    groups = list(_parameter_groups(trainable, 1, settings, step=0))
    match settings.optimizer:
        case "adamw":
            # Fused takes a third of the time; on a CPU that saves a twentieth of a training step.
            return AdamW(groups, settings.learning_rate, fused=True)
        case "adam":
            return Adam(groups, settings.learning_rate, fused=True)
        case "sgd":
            return SGD(groups, settings.learning_rate, settings.momentum)


def rate_group_of(name: str) -> str:
    """Return the key of `train.rate_factors` for the parameter of this name: heads, fpn or backbone."""
    if not name.startswith("backbone."):
        return "heads"
    return "fpn" if name.startswith("backbone.fpn.") else "backbone"


def _parameter_groups(
    named_parameters: NamedParameters, factor: float, settings: TrainSection, step: int
) -> Iterator[dict[str, Any]]:
    """Yield two groups for each of heads, FPN and backbone: with weight decay and without. Empty groups are left out.

    The learning rate of a group is multiplied by `factor` and by its value in `train.rate_factors`.
    """
    by_part: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in named_parameters:
        by_part.setdefault(rate_group_of(name), []).append((name, parameter))
    for part, members in by_part.items():
        decayed = [(name, parameter) for name, parameter in members if parameter.ndim > 1]
        undecayed = [(name, parameter) for name, parameter in members if parameter.ndim <= 1]
        for group, weight_decay in ((decayed, settings.weight_decay), (undecayed, 0.0)):
            if group:
                yield {
                    "params": [parameter for _, parameter in group],
                    "names": [name for name, _ in group],
                    "rate_factor": factor * getattr(settings.rate_factors, part),
                    "joined": step,
                    "weight_decay": weight_decay,
                }


def add_parameters(
    optimizer: Optimizer, named_parameters: NamedParameters, rate_factor: float, settings: TrainSection, step: int
) -> None:
    """Add parameters that were frozen before this step, with `rate_factor` times the learning rate of their part."""
    for group in _parameter_groups(named_parameters, rate_factor, settings, step):
        optimizer.add_param_group(group)


def restore_optimizer(optimizer: Optimizer, detector: nn.Module, state: dict[str, Any]) -> None:
    """Give the optimizer this state and the groups that it had then. Parameters in none of them are frozen.

    torch assigns the state by the position in the groups. So the groups are built again from the names in the state:
    parameters that joined later leave, and parameters that had joined come in.
    """
    named_parameters = dict(detector.named_parameters())
    trained_names = {name for group in state["param_groups"] for name in group["names"]}
    for name, parameter in named_parameters.items():
        parameter.requires_grad_(name in trained_names)
    optimizer.param_groups.clear()
    optimizer.state.clear()
    for group in state["param_groups"]:
        optimizer.add_param_group({"params": [named_parameters[name] for name in group["names"]]})
    optimizer.load_state_dict(state)


def optimized_parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    """Return all parameters of the optimizer."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def set_learning_rates(optimizer: Optimizer, step: int, settings: TrainSection, rate_factor: float) -> float:
    """Set the learning rate of every group for this step, and return the rate of the groups with factor 1.

    A group that joined later gets a warm-up of its own, because the moments of Adam are new for it.
    """
    rate = base_learning_rate(step, settings) * rate_factor
    for group in optimizer.param_groups:
        joined_later = group["joined"] > 0 and settings.warmup_iterations > 0
        warmup = min(1.0, (step - group["joined"] + 1) / settings.warmup_iterations) if joined_later else 1.0
        group["lr"] = rate * group["rate_factor"] * warmup
    return rate


def base_learning_rate(step: int, settings: TrainSection) -> float:
    """Return the rate of step 0, 1, … for groups with factor 1.

    It rises linearly during the warm-up. Then it follows half a cosine down to 0 (Loshchilov & Hutter 2017, without
    restarts), or is divided by 10 after each of `settings.rate_drops`.
    """
    warmup, iterations = settings.warmup_iterations, settings.iterations
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "cosine":
        progress = (step - warmup) / max(1, iterations - warmup)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
    drops = sum(step >= share * iterations for share in settings.rate_drops)
    return settings.learning_rate * RATE_DROP_FACTOR**drops
