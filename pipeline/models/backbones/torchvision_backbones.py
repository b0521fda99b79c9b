# SPDX-License-Identifier: Apache-2.0
"""Torchvision's classifiers as bodies of detectors: where their features are taken, what they are normalised with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn
from torchvision import models
from torchvision.models._api import WeightsEnum
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.vgg import cfgs, make_layers

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Normalization:
    """Of RGB in 0 to 1, and the eps of the body's batch normalisations; None where it has none, or several."""

    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    norm_eps: float | None


@dataclass(frozen=True)
class BackboneSpec:
    """A body of torchvision.

    `taps`: its modules whose outputs have strides 4, 8, 16, 32. `stage_ends`: the last module of each stage.
    `imagenet`: the weights that torchvision's own detectors start from.
    """

    make: Callable[[], nn.Module]
    taps: tuple[str, ...]
    channels: tuple[int, ...]
    stage_ends: dict[str, str]
    imagenet: WeightsEnum
    normalization: Normalization


class TorchvisionBackbone(IntermediateLayerGetter):
    """The modules of a torchvision model up to its last tap, under their own names."""

    def __init__(self, kind: BackboneSpec) -> None:
        super().__init__(kind.make(), {tap: str(level) for level, tap in enumerate(kind.taps)})
        self.channels = kind.channels
        self.stage_ends = kind.stage_ends


def _alexnet() -> nn.Module:
    """Return AlexNet's features, padded so that strides are 4, 8, 16, 32 for every side that 32 divides.

    As published, a side of 64 gives 15, 7, 3 instead of 16, 8, 4, and anchors would drift by a cell on small images.
    No weight changes; cells lie at most half a stride off their anchors, as those of ResNet do.
    """
    features = models.alexnet().features
    features[0].padding = (4, 4)
    for part in features:
        if isinstance(part, nn.MaxPool2d):
            part.ceil_mode = True
    return features


def _vgg16() -> nn.Module:
    """Return VGG-16's features, started as torchvision does, without its 120 million weights of classification."""
    features = make_layers(cfgs["D"])
    for part in features:
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(part.bias)
    return features


def _resnet(make: Callable[[], nn.Module], channels: tuple[int, ...], imagenet: WeightsEnum) -> BackboneSpec:
    layers = ("layer1", "layer2", "layer3", "layer4")
    ends = {"stem": "maxpool"} | {layer: layer for layer in layers}
    return BackboneSpec(make, layers, channels, ends, imagenet, Normalization(IMAGENET_MEAN, IMAGENET_STD, 1e-5))


SMALL, LARGE = (64, 128, 256, 512), (256, 512, 1024, 2048)
RESNET50 = _resnet(models.resnet50, LARGE, models.ResNet50_Weights.IMAGENET1K_V1)
TORCHVISION_BACKBONES = {
    "resnet18": _resnet(models.resnet18, SMALL, models.ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": _resnet(models.resnet34, SMALL, models.ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": RESNET50,
    "resnet101": _resnet(models.resnet101, LARGE, models.ResNet101_Weights.IMAGENET1K_V1),
    # Whole detectors of torchvision: the same body, with anchors and heads of their own (pipeline/architecture.py).
    "maskrcnn_resnet50_fpn": RESNET50,
    "maskrcnn_resnet50_fpn_v2": RESNET50,
    "vgg16": BackboneSpec(
        _vgg16,
        ("15", "22", "29", "30"),
        (256, 512, 512, 512),
        {"block1": "4", "block2": "9", "block3": "16", "block4": "23", "block5": "30"},
        models.VGG16_Weights.IMAGENET1K_V1,
        Normalization(IMAGENET_MEAN, IMAGENET_STD, None),
    ),
    "alexnet": BackboneSpec(
        _alexnet,
        ("1", "4", "11", "12"),
        (64, 192, 256, 256),
        {"conv1": "2", "conv2": "5", "conv3": "7", "conv4": "9", "conv5": "12"},
        models.AlexNet_Weights.IMAGENET1K_V1,
        Normalization(IMAGENET_MEAN, IMAGENET_STD, None),
    ),
    "googlenet": BackboneSpec(
        partial(models.googlenet, aux_logits=False, init_weights=False, transform_input=False),
        ("conv3", "inception3b", "inception4e", "inception5b"),
        (192, 480, 832, 1024),
        {"stem": "maxpool2", "inception3": "maxpool3", "inception4": "maxpool4", "inception5": "inception5b"},
        models.GoogLeNet_Weights.IMAGENET1K_V1,
        # Its weights come with an input transform from ImageNet's mean and deviation to these, which is off here.
        Normalization(HALF, HALF, 1e-3),
    ),
    "efficientnet_b0": BackboneSpec(
        lambda: models.efficientnet_b0().features,
        ("2", "3", "5", "8"),
        (24, 40, 112, 1280),
        {"stem": "0"} | {f"stage{number}": str(number) for number in range(1, 8)} | {"head": "8"},
        models.EfficientNet_B0_Weights.IMAGENET1K_V1,
        Normalization(IMAGENET_MEAN, IMAGENET_STD, 1e-5),
    ),
    "mobilenet_v3_large": BackboneSpec(
        lambda: models.mobilenet_v3_large().features,
        ("3", "6", "12", "16"),
        (24, 40, 112, 960),
        {"stem": "0", "stage1": "1", "stage2": "3", "stage3": "6", "stage4": "12", "stage5": "15", "head": "16"},
        models.MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        Normalization(IMAGENET_MEAN, IMAGENET_STD, 1e-3),
    ),
}
