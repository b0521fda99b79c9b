# SPDX-License-Identifier: Apache-2.0
"""What the config knows of backbones and weights is what the models have."""

import pytest

from pipeline.config import backbone_names
from pipeline.config.backbone_names import check_backbone, weights_problem
from pipeline.models.backbones.torchvision_backbones import TORCHVISION_BACKBONES
from pipeline.models.weights.bundled_weights import PACKAGES
from pipeline.models.weights.initial_weights import COCO_WEIGHTS


def test_the_names_are_those_of_the_models():
    assert set(backbone_names.TORCHVISION_BACKBONES) == set(TORCHVISION_BACKBONES)
    assert set(backbone_names.BUNDLED_BACKBONES) == set(PACKAGES)
    assert set(backbone_names.COCO_BACKBONES) == set(COCO_WEIGHTS)


@pytest.mark.parametrize(
    "name", ["resnet50", "timm/resnet50", "resnet50d", "timm/tf_efficientnet_lite0", "regnetx_002"]
)
def test_other_names_are_left_to_timm(name):
    assert check_backbone(name) == name


@pytest.mark.parametrize("name", ["resnet_50", "ResNet50", "timm/resnet-50", "tf-efficientnet-lite0", "VGG16"])
def test_another_spelling_of_a_known_name_is_refused_with_the_right_one(name):
    with pytest.raises(ValueError, match=r"did you mean (resnet50|tf_efficientnet_lite0|vgg16)"):
        check_backbone(name)


@pytest.mark.parametrize(
    ("backbone", "weights", "fits"),
    [
        ("tf_efficientnet_lite0", "bundled", True),
        ("timm/tf_efficientnet_lite0", "bundled", True),
        ("resnet18", "bundled", False),
        ("maskrcnn_resnet50_fpn", "coco", True),
        ("resnet50", "coco", False),
        ("resnet50", "imagenet", True),
        ("resnet50", "none", True),
        ("resnet50", "my.pth", True),
    ],
)
def test_weights_that_are_for_another_backbone_are_refused(backbone, weights, fits):
    assert (weights_problem(backbone, weights) is None) == fits
