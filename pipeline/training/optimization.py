# SPDX-License-Identifier: Apache-2.0
"""The optimiser, its groups of parameters, and the learning rate of every step.

Groups: heads (proposals, box and mask head), FPN and backbone may learn at rates of their own, and biases and norms
(parameters of one dimension) do not decay, as in detectron2 (norms), timm and YOLOv5 (both).

The learning rate is a function of the step alone: there is no scheduler whose state could be lost or come apart from
the position of the run.
"""

import math
from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from pipeline.config.training import TrainSection

RATE_DROP_FACTOR = 0.1

NamedParameters = Iterable[tuple[str, nn.Parameter]]


def build_optimizer(detector: nn.Module, settings: TrainSection) -> Optimizer:
    """Return the optimiser of all parameters that are not frozen.

    Every group keeps its `rate_factor`, the `names` of its parameters, and the step at which it has `joined`.
    """
    factors = settings.rate_factors
    by_factor: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in detector.named_parameters():
        if parameter.requires_grad:
            by_factor.setdefault(rate_group_of(name), []).append((name, parameter))
    groups = [
        group for part, named in by_factor.items() for group in _groups(named, getattr(factors, part), settings, 0)
    ]
    match settings.optimizer:
        case "adamw":
            # Fused: a third of the time, which is a twentieth of a step on a processor.
            return AdamW(groups, settings.learning_rate, fused=True)
        case "adam":
            return Adam(groups, settings.learning_rate, fused=True)
        case "sgd":
            return SGD(groups, settings.learning_rate, settings.momentum)


def rate_group_of(name: str) -> str:
    """Return which of `train.rate_factors` is for the parameter of this name: heads, fpn or backbone."""
    if not name.startswith("backbone."):
        return "heads"
    return "fpn" if name.startswith("backbone.fpn.") else "backbone"


def _groups(named: NamedParameters, rate_factor: float, settings: TrainSection, joined: int) -> list[dict]:
    """Return one group that decays and one that does not, those of them that are not empty."""
    named = list(named)
    decays = [(name, parameter) for name, parameter in named if parameter.ndim > 1]
    stays = [(name, parameter) for name, parameter in named if parameter.ndim <= 1]
    return [
        {
            "params": [parameter for _, parameter in chosen],
            "names": [name for name, _ in chosen],
            "rate_factor": rate_factor,
            "joined": joined,
            "weight_decay": weight_decay,
        }
        for chosen, weight_decay in ((decays, settings.weight_decay), (stays, 0.0))
        if chosen
    ]


def add_parameters(
    optimizer: Optimizer, named: NamedParameters, factor: float, settings: TrainSection, step: int
) -> None:
    """Let parameters that are frozen before this step join, at `factor` times the rate that their part has."""
    by_part: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in named:
        by_part.setdefault(rate_group_of(name), []).append((name, parameter))
    for part, members in by_part.items():
        for group in _groups(members, factor * getattr(settings.rate_factors, part), settings, step):
            optimizer.add_param_group(group)


def restore_optimizer(optimizer: Optimizer, detector: nn.Module, state: dict[str, Any]) -> None:
    """Give the optimiser this state, and the groups that it had then; what is in none of them is frozen again.

    torch assigns the state by the place in the groups, so they are built anew by their names: what has joined by now
    and had not then leaves, what had joined then and has not yet comes in.
    """
    named = dict(detector.named_parameters())
    trained = {name for group in state["param_groups"] for name in group["names"]}
    for name, parameter in named.items():
        parameter.requires_grad_(name in trained)
    optimizer.param_groups.clear()
    optimizer.state.clear()
    for group in state["param_groups"]:
        optimizer.add_param_group({"params": [named[name] for name in group["names"]]})
    optimizer.load_state_dict(state)


def optimized_parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    """Return all parameters that the optimiser moves."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def set_learning_rates(optimizer: Optimizer, step: int, settings: TrainSection, factor: float) -> float:
    """Give every group its own rate for this step; return the rate of a group of factor 1 that was there at first.

    What joins later warms up as all else did: fresh averages of the optimiser would make its first steps wild.
    """
    rate = base_learning_rate(step, settings) * factor
    for group in optimizer.param_groups:
        late = group["joined"] > 0 and settings.warmup_iterations > 0
        warm = min(1.0, (step - group["joined"] + 1) / settings.warmup_iterations) if late else 1.0
        group["lr"] = rate * group["rate_factor"] * warm
    return rate


def base_learning_rate(step: int, settings: TrainSection) -> float:
    """Return the rate of step 0, 1, … for groups of factor 1.

    Linear up during the warm-up, then half a cosine down to 0 (Loshchilov & Hutter 2017, without restarts), or a
    tenth after each of `settings.steps`.
    """
    warmup, iterations = settings.warmup_iterations, settings.iterations
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "cosine":
        done = (step - warmup) / max(1, iterations - warmup)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
    passed = sum(step >= share * iterations for share in settings.steps)
    return settings.learning_rate * RATE_DROP_FACTOR**passed
