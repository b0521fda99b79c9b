# SPDX-License-Identifier: Apache-2.0
"""Torchvision's classifiers as bodies of detectors: which modules give the features, and their normalization."""

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
HALF_RANGE = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of RGB in 0 to 1, and the eps of the batch normalizations of the body.

    `norm_eps` is None if the body has no batch normalizations, or if their values differ.
    """

    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    norm_eps: float | None


@dataclass(frozen=True)
class BackboneSpec:
    """A body of torchvision.

    Attributes:
        build: returns the classifier, or its features, with random weights.
        feature_modules: the modules whose outputs have strides 4, 8, 16 and 32.
        channels: of these outputs.
        stage_ends: name of a stage → its last module.
        imagenet_weights: the weights that torchvision's own detectors start from.
    """

    build: Callable[[], nn.Module]
    feature_modules: tuple[str, ...]
    channels: tuple[int, ...]
    stage_ends: dict[str, str]
    imagenet_weights: WeightsEnum
    normalization: Normalization


class TorchvisionBackbone(IntermediateLayerGetter):
    """The modules of a torchvision model up to its last feature module, under their own names."""

    def __init__(self, spec: BackboneSpec) -> None:
        super().__init__(spec.build(), {module: str(level) for level, module in enumerate(spec.feature_modules)})
        self.channels = spec.channels
        self.stage_ends = spec.stage_ends


def _alexnet() -> nn.Module:
    """Return AlexNet's features, padded so that the strides are 4, 8, 16 and 32 for sides that are multiples of 32.

    As published, a side of 64 gives 15, 7 and 3 cells instead of 16, 8 and 4, so that anchors would be off by a cell in
    small images. No weights change. Cells are at most half a stride away from their anchors, as with ResNet.
    """
    features = models.alexnet().features
    features[0].padding = (4, 4)
    for layer in features:
        if isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = True
    return features


def _vgg16() -> nn.Module:
    """Return VGG-16's features with torchvision's random start, without its 120 million weights for classification."""
    features = make_layers(cfgs["D"])
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return features


def _resnet(build: Callable[[], nn.Module], channels: tuple[int, ...], weights: WeightsEnum) -> BackboneSpec:
    layers = ("layer1", "layer2", "layer3", "layer4")
    stage_ends = {"stem": "maxpool"} | {layer: layer for layer in layers}
    normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD, 1e-5)
    return BackboneSpec(build, layers, channels, stage_ends, weights, normalization)


BASIC_CHANNELS, BOTTLENECK_CHANNELS = (64, 128, 256, 512), (256, 512, 1024, 2048)
RESNET50 = _resnet(models.resnet50, BOTTLENECK_CHANNELS, models.ResNet50_Weights.IMAGENET1K_V1)
TORCHVISION_BACKBONES = {
    "resnet18": _resnet(models.resnet18, BASIC_CHANNELS, models.ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": _resnet(models.resnet34, BASIC_CHANNELS, models.ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": RESNET50,
    "resnet101": _resnet(models.resnet101, BOTTLENECK_CHANNELS, models.ResNet101_Weights.IMAGENET1K_V1),
    # Complete detectors of torchvision: the same body, with their own anchors and heads (pipeline/models/mask_rcnn.py).
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
        # Inside of the model, torchvision converts its input from ImageNet's normalization to this; that is off here.
        Normalization(HALF_RANGE, HALF_RANGE, 1e-3),
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
