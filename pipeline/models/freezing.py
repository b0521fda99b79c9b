# SPDX-License-Identifier: Apache-2.0
"""Freezing: frozen parameters have no gradient, stay in eval mode, and are not in the optimizer.

Eval mode is needed because in train mode a batch normalization without gradients still changes its running statistics.
Only `requires_grad` says what is frozen, so no second list can disagree with it.

    model.freeze   ─► frozen_parameter_names ─► apply_freezing ─► requires_grad, set_frozen_to_eval
    model.unfreeze ─► schedule ─► steps_due, at each iteration ─► unfreeze_parameters ─► into the optimizer
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
from pipeline.models.backbones.backbones import BACKBONE_MODULE, backbone_stages

NORM_LAYERS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)
# Their mode decides between losses and detections. It is that of the model, even if all their layers are frozen.
MODE_DEPENDENT_MODULES = (GeneralizedRCNN, RegionProposalNetwork, RoIHeads)


class FreezingError(CaristeError):
    """A policy or a schedule that does not fit the model; the message names the key and what the model has."""


@dataclass(frozen=True)
class UnfreezeEvent:
    """The parameters `names` are trained from iteration `iteration` on (the first is 1).

    Their learning rate is multiplied by `learning_rate_factor`.
    """

    iteration: int
    names: tuple[str, ...]
    learning_rate_factor: float


def parameters_by_layer(model: nn.Module) -> dict[str, list[str]]:
    """Return layer name → names of its parameters, from the input to the masks.

    A layer is a module that has parameters itself, such as a convolution. A normalization belongs to the layer before
    it. So a ResNet has as many layers with torchvision's FrozenBatchNorm2d, which has no parameters.
    """
    layers: dict[str, list[str]] = {}
    last: list[str] = []
    for name, module in model.named_modules():
        own_parameters = [f"{name}.{parameter}" for parameter, _ in module.named_parameters(recurse=False)]
        if isinstance(module, NORM_LAYERS) and last:
            last += own_parameters
        elif own_parameters:
            layers[name] = last = own_parameters
    return layers


def frozen_parameter_names(model: nn.Module, policy: FreezePolicy, key: str = "model.freeze") -> set[str]:
    """Return the names of the parameters that `policy` freezes. `key` is the config key of the policy, for messages.

    Raises:
        FreezingError: a pattern matches nothing, or the model has fewer stages or layers.
    """
    match policy:
        case "none":
            return set()
        case "backbone":
            return _names_below(model, [BACKBONE_MODULE])
        case "heads_only":
            return _names_below(model, ["backbone"])
        case int():
            return _names_below(model, _first_stages(model, policy, key))
        case AllButLast(all_but_last=count):
            layers = list(parameters_by_layer(model).values())
            if count > len(layers):
                raise FreezingError(f"{key}.all_but_last = {count}: the model has only {len(layers)} layers")
            return {name for layer in layers[:-count] for name in layer}
        case patterns:
            return match_parameter_names(model, patterns, key)


def _first_stages(model: nn.Module, count: int, key: str) -> Iterator[str]:
    stages = backbone_stages(model.get_submodule(BACKBONE_MODULE))
    if count > len(stages):
        names = ", ".join(stage.name for stage in stages)
        raise FreezingError(f"{key} = {count}: the backbone's body has only {len(stages)} stages: {names}")
    return (f"{BACKBONE_MODULE}.{module}" for stage in stages[:count] for module in stage.modules)


def _names_below(model: nn.Module, modules: Iterable[str]) -> set[str]:
    return {f"{module}.{name}" for module in modules for name, _ in model.get_submodule(module).named_parameters()}


def match_parameter_names(model: nn.Module, patterns: Sequence[str], key: str) -> set[str]:
    """Return the names of the parameters that a pattern matches, or that belong to a module that a pattern matches.

    Patterns are those of `fnmatch`, in which `*` also matches dots.

    Raises:
        FreezingError: a pattern matches nothing; the message has similar names.
    """
    names = [name for name, _ in model.named_parameters()]
    matched = set()
    for pattern in patterns:
        matches = {name for name in names if any(fnmatchcase(prefix, pattern) for prefix in _name_prefixes(name))}
        if not matches:
            similar = ", ".join(_similar_names(pattern, names))
            raise FreezingError(f"{key}: {pattern!r} matches nothing that has parameters; nearest names: {similar}")
        matched |= matches
    return matched


def _name_prefixes(name: str) -> Iterator[str]:
    """Yield the names of all modules around a parameter, then its own: a, a.b, a.b.weight."""
    return accumulate(name.split("."), lambda outer, inner: f"{outer}.{inner}")


def _similar_names(pattern: str, names: Iterable[str]) -> list[str]:
    known = sorted({prefix for name in names for prefix in _name_prefixes(name)}, key=len)
    deeper = [name for name in known if fnmatchcase(name, f"*.{pattern}")]
    return deeper[:3] or get_close_matches(pattern.strip(".*"), known, n=3, cutoff=0)


def pretrained_norm_names(model: nn.Module, settings: ModelSection) -> set[str]:
    """Return the parameters of pretrained batch normalizations. They stay frozen even if their stage is trained.

    These are the ones of the body and, for COCO weights, all others too. The statistics of small batches are poor; and
    with fixed statistics, scale and shift add nothing that the convolution before them could not learn.
    """
    if settings.weights == "none":
        return set()
    pretrained = model if settings.weights == "coco" else model.get_submodule(BACKBONE_MODULE)
    norms = {id(module) for module in pretrained.modules() if isinstance(module, _BatchNorm)}
    return _names_below(model, (name for name, module in model.named_modules() if id(module) in norms))


def apply_freezing(model: nn.Module, settings: ModelSection) -> None:
    """Freeze what `settings.freeze` says, and pretrained batch normalizations. Everything else is trained.

    `train()` of the model must call `set_frozen_to_eval`.

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
    """Put every module below `module` whose parameters are all frozen into eval mode.

    So the statistics of its batch normalizations do not change, and its dropout and stochastic depth are off.
    """
    for submodule in module.modules():
        parameters = list(submodule.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            for child in submodule.modules():
                if not isinstance(child, MODE_DEPENDENT_MODULES):
                    child.training = False  # eval() would call train() of the model again


def schedule(
    model: nn.Module, settings: ModelSection, iterations: int, iterations_per_epoch: float
) -> list[UnfreezeEvent]:
    """Return what `settings.unfreeze` unfreezes, in the order of time, each parameter only once.

    Raises:
        FreezingError: a step does not fit the model, comes after the end of the run, or unfreezes nothing.
    """
    frozen = frozen_parameter_names(model, settings.freeze) - pretrained_norm_names(model, settings)
    steps = [
        (_first_iteration(step, iterations, iterations_per_epoch), f"model.unfreeze.{index}", step)
        for index, step in enumerate(settings.unfreeze)
    ]
    events = []
    for iteration, key, step in sorted(steps, key=lambda entry: entry[0]):
        if iteration > iterations:
            raise FreezingError(f"{key}: iteration {iteration} never comes: the run has {iterations}")
        names = _names_to_unfreeze(model, step, key) & frozen
        if not names:
            raise FreezingError(f"{key}: nothing of it is frozen by then, or only norms, which stay frozen")
        frozen -= names
        ordered_names = tuple(name for name, _ in model.named_parameters() if name in names)
        events.append(UnfreezeEvent(iteration, ordered_names, step.learning_rate_factor))
    return events


def _first_iteration(step: UnfreezeStep, iterations: int, iterations_per_epoch: float) -> int:
    if step.iteration is not None:
        return step.iteration
    if step.epoch is not None:
        return int(step.epoch * iterations_per_epoch) + 1
    return int(step.run_fraction * iterations) + 1


def _names_to_unfreeze(model: nn.Module, step: UnfreezeStep, key: str) -> set[str]:
    if step.parameters is not None:
        return match_parameter_names(model, step.parameters, f"{key}.parameters")
    return {name for name, _ in model.named_parameters()} - frozen_parameter_names(
        model, step.keep_frozen, f"{key}.keep_frozen"
    )


def steps_due(events: Sequence[UnfreezeEvent], iteration: int) -> list[UnfreezeEvent]:
    """Return the events that take place before iteration `iteration`; the first is 1."""
    return [event for event in events if event.iteration == iteration]


def unfreeze_parameters(model: nn.Module, event: UnfreezeEvent) -> list[tuple[str, nn.Parameter]]:
    """Train the parameters of an event from now on; return (name, parameter) of those that were frozen.

    The caller adds them to the optimizer. `model` is the detector itself, not wrapped into another module.
    """
    parameters = dict(model.named_parameters())
    unfrozen = [(name, parameters[name]) for name in event.names if not parameters[name].requires_grad]
    for _, parameter in unfrozen:
        parameter.requires_grad_(True)
    model.train(model.training)  # takes them out of eval mode
    return unfrozen


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def count(parameters: Iterable[nn.Parameter]) -> int:
    """Return the number of values in all parameters."""
    return sum(parameter.numel() for parameter in parameters)
