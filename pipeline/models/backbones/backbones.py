# SPDX-License-Identifier: Apache-2.0
"""Backbones by name: bodies of torchvision and timm that give features of strides 4, 8, 16, 32, and a pyramid on top.

A body is an `nn.Module` with `channels`, one number per stride; `backbone_stages` lists its parts from the input inwards.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import timm
import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from pipeline.common.errors import CaristeError
from pipeline.models.backbones.torchvision_backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    TORCHVISION_BACKBONES,
    Normalization,
    TorchvisionBackbone,
)

STRIDES = (4, 8, 16, 32)
# What timm's models raise when they cannot give features, or not of an image of any size.
TIMM_ERRORS = (RuntimeError, AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError)


class BackboneError(CaristeError):
    """A backbone that is not known or cannot be used; the message names it and what can."""


@dataclass(frozen=True)
class BackboneStage:
    """A part of a body that is frozen as one; `modules`: names relative to the body, only those with parameters."""

    name: str
    modules: tuple[str, ...]


class BackboneWithFpn(nn.Module):
    """Features of strides 4, 8, 16, 32 from `body`, and from them a pyramid of five levels with equal channels."""

    def __init__(
        self, name: str, body: nn.Module, out_channels: int, norm_layer: Callable[..., nn.Module] | None = None
    ) -> None:
        super().__init__()
        self.name = name
        self.body = body
        self.fpn = FeaturePyramidNetwork(list(body.channels), out_channels, LastLevelMaxPool(), norm_layer)
        self.out_channels = out_channels

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        features = self.body(images)
        levels = features.values() if isinstance(features, dict) else features
        return self.fpn(OrderedDict((str(level), feature) for level, feature in enumerate(levels)))


def to_timm_name(name: str) -> str:
    """Return timm's name of a backbone that is no `TORCHVISION_BACKBONES` one: `timm/<model>` or timm's bare name.

    Raises:
        BackboneError: timm does not know it.
    """
    bare = name.removeprefix("timm/")
    if not timm.is_model(bare):
        known = ", ".join(TORCHVISION_BACKBONES)
        raise BackboneError(
            f"model.backbone = {name!r}: not known; there are {known}, and timm's models by their names, such as "
            "tf_efficientnet_lite0 or timm/convnext_pico (python -c 'import timm; print(timm.list_models())')"
        )
    return bare


def published_normalization(name: str) -> Normalization:
    """Return what the weights that are published for a backbone were trained with; `read_norm_eps` None: as it is made.

    Raises:
        BackboneError: not known.
    """
    if name in TORCHVISION_BACKBONES:
        return TORCHVISION_BACKBONES[name].normalization
    published = timm.get_pretrained_cfg(to_timm_name(name))
    if published is None:
        return Normalization(IMAGENET_MEAN, IMAGENET_STD, None)
    return Normalization(tuple(published.mean), tuple(published.std), None)


def build_backbone(name: str) -> nn.Module:
    """Return a body with random weights.

    Raises:
        BackboneError: not known, or without features of strides 4, 8, 16, 32.
    """
    return TorchvisionBackbone(TORCHVISION_BACKBONES[name]) if name in TORCHVISION_BACKBONES else _timm_body(name)


def _timm_body(name: str) -> nn.Module:
    """Return the last four features of a timm model, tried out on a small image."""
    bare = to_timm_name(name)
    try:
        body = timm.create_model(bare, pretrained=False, features_only=True, out_indices=(-4, -3, -2, -1))
    except TIMM_ERRORS as error:
        raise BackboneError(f"model.backbone = {name!r}: timm gives no four features of it: {_first(error)}") from None
    if tuple(body.feature_info.reduction()) != STRIDES:
        found = body.feature_info.reduction()
        raise BackboneError(f"model.backbone = {name!r}: its features have strides {found}, not {list(STRIDES)}")
    body.channels = tuple(body.feature_info.channels())
    height, width = 64, 96
    sizes = zip(body.channels, STRIDES, strict=True)
    expected = [(1, channels, height // stride, width // stride) for channels, stride in sizes]
    try:
        with torch.no_grad():
            found = [tuple(feature.shape) for feature in body.eval()(torch.zeros(1, 3, height, width))]
    except TIMM_ERRORS as error:
        problem = "it does not take images of any size"
        raise BackboneError(f"model.backbone = {name!r}: {problem}: {_first(error)}") from None
    if found != expected:
        raise BackboneError(f"model.backbone = {name!r}: its features are {found} where {expected} are needed")
    return body.train()


def read_norm_eps(body: nn.Module) -> float | None:
    """Return the eps of the body's batch normalisations; None: there are none, or several."""
    found = {part.eps for part in _norms(body)}
    return found.pop() if len(found) == 1 else None


def set_norm_eps(body: nn.Module, eps: float) -> None:
    """Set the eps of all batch normalisations of the body."""
    for part in _norms(body):
        part.eps = eps


def backbone_stages(body: nn.Module) -> list[BackboneStage]:
    """Return the stages of a body that `build_backbone` made, from the input inwards to the last features.

    Together they hold every parameter of the body once. Of timm's models: what comes before the first block is the
    stem; each block of the outermost list is a stage; single layers between blocks belong to the block before them.
    """
    if isinstance(body, TorchvisionBackbone):
        return _named_stages(body)
    found: list[tuple[str, list[str]]] = []
    for name, part in _blocks(body):
        if _matrices(part) > 1:
            found.append((name, [name]))
        elif found:
            found[-1][1].append(name)
        else:
            found.append(("stem", [name]))
    return [BackboneStage(name, tuple(modules)) for name, modules in found]


def _named_stages(body: TorchvisionBackbone) -> list[BackboneStage]:
    result = []
    names: list[str] = []
    ends = iter(body.stage_ends.items())
    stage, end = next(ends)
    for name, part in body.named_children():
        if _has_parameters(part):
            names.append(name)
        if name == end:
            result.append(BackboneStage(stage, tuple(names)))
            names = []
            stage, end = next(ends, ("", ""))
    return result


def _blocks(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the children with parameters, in order; the only one with blocks inside is replaced by its own."""
    children = [(f"{prefix}{name}", part) for name, part in module.named_children() if _has_parameters(part)]
    large = [name for name, part in children if _matrices(part) > 1]
    for name, part in children:
        if large == [name]:
            yield from _blocks(part, f"{name}.")
        else:
            yield name, part


def _matrices(module: nn.Module) -> int:
    """Count the convolutions and linear layers below `module`."""
    return sum(parameter.ndim > 1 for parameter in module.parameters())


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _norms(body: nn.Module) -> Iterator[nn.BatchNorm2d]:
    return (part for part in body.modules() if isinstance(part, nn.BatchNorm2d))


def _first(error: Exception) -> str:
    """Return the first line of an error, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
