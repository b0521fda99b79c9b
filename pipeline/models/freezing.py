# SPDX-License-Identifier: Apache-2.0
"""Freezing: no gradient, eval mode that lasts, not in the optimiser.

Gradients alone are not enough: in train mode a batch normalisation without gradients still moves its running
statistics. What is frozen is read from `requires_grad` alone, so there is no second list that could disagree with it.

    policy (`model.freeze`) ─► `frozen_parameter_names` ─► names of parameters ─► `apply_freezing` ─► requires_grad, `set_frozen_to_eval`
    steps (`model.unfreeze_parameters`) ─► `schedule` ─► `steps_due` at each iteration ─► `unfreeze_parameters` ─► into the optimiser
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import accumulate

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork

from pipeline.common.errors import CaristeError
from pipeline.config.freezing import AllButLast, FreezePolicy, UnfreezeStep, describe_freeze
from pipeline.config.training import ModelSection
from pipeline.models.backbones.backbones import backbone_stages

BACKBONE_MODULE = "backbone.body"
NORM_LAYERS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)
# Their own mode decides between losses and detections: it is the model's, even where all their layers are frozen.
MODE_DEPENDENT_MODULES = (GeneralizedRCNN, RegionProposalNetwork, RoIHeads)


class FreezingError(CaristeError):
    """A policy or a schedule that does not fit the model; the message names the key and what there is."""


@dataclass(frozen=True)
class UnfreezeEvent:
    """From iteration `iteration` on (the first is 1) the parameters `names` are trained.

    `learning_rate_factor` multiplies whatever rate the optimiser would give them.
    """

    iteration: int
    names: tuple[str, ...]
    learning_rate_factor: float


def parameters_by_layer(model: nn.Module) -> dict[str, list[str]]:
    """Return the names of each layer's parameters, from the input to the masks.

    A layer is a module with parameters of its own, such as a convolution. A normalisation belongs to the layer before
    it: so a ResNet has as many layers with torchvision's FrozenBatchNorm2d, whose numbers are no parameters.
    """
    found: dict[str, list[str]] = {}
    last: list[str] = []
    for name, module in model.named_modules():
        own = [f"{name}.{parameter}" for parameter, _ in module.named_parameters(recurse=False)]
        if isinstance(module, NORM_LAYERS) and last:
            last += own
        elif own:
            found[name] = last = own
    return found


def frozen_parameter_names(model: nn.Module, policy: FreezePolicy, key: str = "model.freeze") -> set[str]:
    """Return the names of the parameters that `policy` freezes; `key` is where messages say it stands.

    Raises:
        FreezingError: a pattern that matches nothing, more stages or layers than there are.
    """
    match policy:
        case "none":
            return set()
        case "backbone":
            return _below(model, [BACKBONE_MODULE])
        case "heads_only":
            return _below(model, ["backbone"])
        case int():
            return _below(model, _first_stages(model, policy, key))
        case AllButLast(all_but_last=count):
            each = list(parameters_by_layer(model).values())
            if count > len(each):
                raise FreezingError(f"{key}.all_but_last = {count}: the model has only {len(each)} layers")
            return {name for layer in each[:-count] for name in layer}
        case patterns:
            return match_parameter_names(model, patterns, key)


def _first_stages(model: nn.Module, count: int, key: str) -> Iterator[str]:
    found = backbone_stages(model.get_submodule(BACKBONE_MODULE))
    if count > len(found):
        names = ", ".join(stage.name for stage in found)
        raise FreezingError(f"{key} = {count}: the backbone's body has only {len(found)} stages: {names}")
    return (f"{BACKBONE_MODULE}.{module}" for stage in found[:count] for module in stage.modules)


def _below(model: nn.Module, modules: Iterable[str]) -> set[str]:
    return {f"{module}.{name}" for module in modules for name, _ in model.get_submodule(module).named_parameters()}


def match_parameter_names(model: nn.Module, patterns: Sequence[str], key: str) -> set[str]:
    """Return the names of the parameters that a pattern matches, or that are below a module that it matches.

    Patterns are those of `fnmatch`, where `*` also takes dots.

    Raises:
        FreezingError: a pattern matches nothing; the message has the nearest names.
    """
    names = [name for name, _ in model.named_parameters()]
    found = set()
    for pattern in patterns:
        matched = {name for name in names if any(fnmatchcase(part, pattern) for part in _path(name))}
        if not matched:
            nearest = ", ".join(_nearest(pattern, names))
            raise FreezingError(f"{key}: {pattern!r} matches nothing that has parameters; nearest names: {nearest}")
        found |= matched
    return found


def _path(name: str) -> Iterator[str]:
    """Yield a parameter's name and those of all modules around it: a, a.b, a.b.weight."""
    return accumulate(name.split("."), lambda outer, inner: f"{outer}.{inner}")


def _nearest(pattern: str, names: Iterable[str]) -> list[str]:
    known = sorted({part for name in names for part in _path(name)}, key=len)
    deeper = [name for name in known if fnmatchcase(name, f"*.{pattern}")]
    return deeper[:3] or get_close_matches(pattern.strip(".*"), known, n=3, cutoff=0)


def pretrained_norm_names(model: nn.Module, settings: ModelSection) -> set[str]:
    """Return the batch normalisations that are pretrained: they stay frozen even where their stage is trained.

    Those of the body, and with weights of a whole detector all others, too. Batches of a few images make poor
    statistics, and with statistics that stay, scale and shift add nothing that the convolution before them could not
    learn.
    """
    if settings.weights == "none":
        return set()
    trained = model if settings.weights == "coco" else model.get_submodule(BACKBONE_MODULE)
    norms = {id(part) for part in trained.modules() if isinstance(part, _BatchNorm)}
    return _below(model, (name for name, part in model.named_modules() if id(part) in norms))


def apply_freezing(model: nn.Module, settings: ModelSection) -> None:
    """Freeze what `settings.freeze` says, and the norms of a pretrained body; everything else is trained.

    The model's `train()` must call `set_frozen_to_eval`.

    Raises:
        FreezingError: the policy does not fit the model, or leaves nothing to train.
    """
    frozen = frozen_parameter_names(model, settings.freeze) | pretrained_norm_names(model, settings)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in frozen)
    if not trainable_parameters(model):
        raise FreezingError(f"model.freeze: {describe_freeze(settings.freeze)}: nothing is left to train")
    set_frozen_to_eval(model)


def set_frozen_to_eval(module: nn.Module) -> None:
    """Put every frozen part below `module` (all its parameters without gradient) into eval mode; for `train()`.

    So statistics of batch normalisations stay, and dropout and stochastic depth inside of frozen parts are off.
    """
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            for below in part.modules():
                if not isinstance(below, MODE_DEPENDENT_MODULES):
                    below.training = False  # not eval(), which would call the owner's train() again


def schedule(
    model: nn.Module, settings: ModelSection, iterations: int, iterations_per_epoch: float
) -> list[UnfreezeEvent]:
    """Return what `settings.unfreeze_parameters` unfreezes, in the order of time; each parameter once.

    Raises:
        FreezingError: a step that fits not the model, comes after the end of the run, or finds nothing to unfreeze.
    """
    frozen = frozen_parameter_names(model, settings.freeze) - pretrained_norm_names(model, settings)
    steps = [
        (_first_iteration(step, iterations, iterations_per_epoch), f"model.unfreeze.{place}", step)
        for place, step in enumerate(settings.unfreeze)
    ]
    found = []
    for iteration, key, step in sorted(steps, key=lambda timed: timed[0]):
        if iteration > iterations:
            raise FreezingError(f"{key}: iteration {iteration} never comes: the run has {iterations}")
        chosen = _chosen(model, step, key) & frozen
        if not chosen:
            raise FreezingError(f"{key}: nothing of it is frozen by then, or only norms, which stay frozen")
        frozen -= chosen
        names = tuple(name for name, _ in model.named_parameters() if name in chosen)
        found.append(UnfreezeEvent(iteration, names, step.learning_rate_factor))
    return found


def _first_iteration(step: UnfreezeStep, iterations: int, iterations_per_epoch: float) -> int:
    if step.iteration is not None:
        return step.iteration
    done = step.epoch * iterations_per_epoch if step.epoch is not None else step.run_fraction * iterations
    return int(done) + 1


def _chosen(model: nn.Module, step: UnfreezeStep, key: str) -> set[str]:
    if step.parameters is not None:
        return match_parameter_names(model, step.parameters, f"{key}.parameters")
    return {name for name, _ in model.named_parameters()} - frozen_parameter_names(
        model, step.keep_frozen, f"{key}.keep_frozen"
    )


def steps_due(schedule: Sequence[UnfreezeEvent], iteration: int) -> list[UnfreezeEvent]:
    """Return what is to be unfrozen before iteration `iteration`; the first is 1."""
    return [unfreezing for unfreezing in schedule if unfreezing.iteration == iteration]


def unfreeze_parameters(model: nn.Module, unfreezing: UnfreezeEvent) -> list[tuple[str, nn.Parameter]]:
    """Train these parameters from now on; return the names and parameters that were frozen until now.

    The caller hands them to the optimiser. `model` is the detector itself, not wrapped into another module.
    """
    parameters = dict(model.named_parameters())
    new = [(name, parameters[name]) for name in unfreezing.names if not parameters[name].requires_grad]
    for _, parameter in new:
        parameter.requires_grad_(True)
    model.train(model.training)  # what has thawed leaves eval mode
    return new


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that an optimiser may have."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def count(parameters: Iterable[nn.Parameter]) -> int:
    """Return how many numbers the parameters hold."""
    return sum(parameter.numel() for parameter in parameters)
