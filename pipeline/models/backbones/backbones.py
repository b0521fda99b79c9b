# SPDX-License-Identifier: Apache-2.0
"""Backbones by name: bodies of torchvision and timm with features of strides 4, 8, 16 and 32, and a pyramid on top.

The body is the classifier without its last layers: an `nn.Module` with the attribute `channels`, a number per stride.
In the detector it is the module `backbone.body`. `backbone_stages` lists its stages from the input on.
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

BACKBONE_MODULE = "backbone.body"  # the name of the body in a detector
STRIDES = (4, 8, 16, 32)
# What timm's models raise if they give no features, or only for images of one size.
TIMM_ERRORS = (RuntimeError, AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError)


class BackboneError(CaristeError):
    """A backbone that is unknown or cannot be used; the message names it and what can be used."""


@dataclass(frozen=True)
class BackboneStage:
    """A part of a body that is frozen as a whole. `modules` are names in the body, only of modules with parameters."""

    name: str
    modules: tuple[str, ...]


class BackboneWithFpn(nn.Module):
    """A body with features of strides 4, 8, 16 and 32, and a pyramid of five levels with equal channels."""

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
    """Return the name that timm has for a backbone, with or without the prefix `timm/`.

    Raises:
        BackboneError: timm does not know it.
    """
    timm_model = name.removeprefix("timm/")
    if not timm.is_model(timm_model):
        known = ", ".join(TORCHVISION_BACKBONES)
        raise BackboneError(
            f"model.backbone = {name!r}: unknown; there are {known}, and timm's models by their names, such as "
            "tf_efficientnet_lite0 or timm/convnext_pico (python -c 'import timm; print(timm.list_models())')"
        )
    return timm_model


def published_normalization(name: str) -> Normalization:
    """Return the normalization with which the published weights of a backbone were trained.

    For timm's models, `norm_eps` is None: the model is built with the right value.

    Raises:
        BackboneError: the backbone is unknown.
    """
    if name in TORCHVISION_BACKBONES:
        return TORCHVISION_BACKBONES[name].normalization
    timm_config = timm.get_pretrained_cfg(to_timm_name(name))
    if timm_config is None:
        return Normalization(IMAGENET_MEAN, IMAGENET_STD, None)
    return Normalization(tuple(timm_config.mean), tuple(timm_config.std), None)


def build_backbone(name: str) -> nn.Module:
    """Return the body of a backbone, with random weights.

    Raises:
        BackboneError: the backbone is unknown, or has no features of strides 4, 8, 16 and 32.
    """
    return TorchvisionBackbone(TORCHVISION_BACKBONES[name]) if name in TORCHVISION_BACKBONES else _timm_body(name)


def _timm_body(name: str) -> nn.Module:
    """Return a timm model with its last four features, after a test on a small image."""
    timm_model = to_timm_name(name)
    try:
        body = timm.create_model(timm_model, pretrained=False, features_only=True, out_indices=(-4, -3, -2, -1))
    except TIMM_ERRORS as error:
        reason = f"timm gives no four features of it: {_first_line(error)}"
        raise BackboneError(f"model.backbone = {name!r}: {reason}") from None
    if tuple(body.feature_info.reduction()) != STRIDES:
        strides = body.feature_info.reduction()
        raise BackboneError(f"model.backbone = {name!r}: its features have strides {strides}, not {list(STRIDES)}")
    body.channels = tuple(body.feature_info.channels())
    height, width = 64, 96
    sizes = zip(body.channels, STRIDES, strict=True)
    expected = [(1, channels, height // stride, width // stride) for channels, stride in sizes]
    try:
        with torch.no_grad():
            shapes = [tuple(feature.shape) for feature in body.eval()(torch.zeros(1, 3, height, width))]
    except TIMM_ERRORS as error:
        problem = "it does not take images of every size"
        raise BackboneError(f"model.backbone = {name!r}: {problem}: {_first_line(error)}") from None
    if shapes != expected:
        raise BackboneError(f"model.backbone = {name!r}: its features are {shapes} where {expected} are needed")
    return body.train()


def read_norm_eps(body: nn.Module) -> float | None:
    """Return the eps of the batch normalizations of the body; None if there are none, or if they differ."""
    values = {norm.eps for norm in _batch_norms(body)}
    return values.pop() if len(values) == 1 else None


def set_norm_eps(body: nn.Module, eps: float) -> None:
    """Set the eps of all batch normalizations of the body."""
    for norm in _batch_norms(body):
        norm.eps = eps


def backbone_stages(body: nn.Module) -> list[BackboneStage]:
    """Return the stages of a body from `build_backbone`, from the input to the last features.

    Together they hold every parameter of the body once. In timm's models, the layers before the first block are the
    stem, each block of the outermost list is a stage, and a single layer belongs to the block before it.
    """
    if isinstance(body, TorchvisionBackbone):
        return _named_stages(body)
    stages: list[tuple[str, list[str]]] = []
    for name, block in _blocks(body):
        if _count_weight_layers(block) > 1:
            stages.append((name, [name]))
        elif stages:
            stages[-1][1].append(name)
        else:
            stages.append(("stem", [name]))
    return [BackboneStage(name, tuple(modules)) for name, modules in stages]


def _named_stages(body: TorchvisionBackbone) -> list[BackboneStage]:
    """Return the stages that `stage_ends` of the backbone lists."""
    stages = []
    names: list[str] = []
    ends = iter(body.stage_ends.items())
    stage, end = next(ends)
    for name, module in body.named_children():
        if _has_parameters(module):
            names.append(name)
        if name == end:
            stages.append(BackboneStage(stage, tuple(names)))
            names = []
            stage, end = next(ends, ("", ""))
    return stages


def _blocks(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the children with parameters, in order. If only one has blocks inside, its own children replace it."""
    children = [(f"{prefix}{name}", child) for name, child in module.named_children() if _has_parameters(child)]
    with_blocks = [name for name, child in children if _count_weight_layers(child) > 1]
    for name, child in children:
        if with_blocks == [name]:
            yield from _blocks(child, f"{name}.")
        else:
            yield name, child


def _count_weight_layers(module: nn.Module) -> int:
    """Return the number of convolutions and linear layers below `module`."""
    return sum(parameter.ndim > 1 for parameter in module.parameters())


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _batch_norms(body: nn.Module) -> Iterator[nn.BatchNorm2d]:
    return (module for module in body.modules() if isinstance(module, nn.BatchNorm2d))


def _first_line(error: Exception) -> str:
    """Return the first line of an error, or its type if it has no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
