# SPDX-License-Identifier: Apache-2.0
"""Which backbones and weights fit together, as far as it can be said without loading a model."""

COCO_BACKBONES = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2")
BUNDLED_BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
TORCHVISION_BACKBONES = (
    *("resnet18", "resnet34", "resnet50", "resnet101", *COCO_BACKBONES),
    *("vgg16", "alexnet", "googlenet", "efficientnet_b0", "mobilenet_v3_large"),
)
WEIGHTS = ("coco", "bundled", "imagenet", "none")  # every other text is a path


def check_backbone(backbone: str) -> str:
    """Return the name of a backbone.

    Raises:
        ValueError: except for its spelling, it is a name that we know. Other names are left to timm.
    """
    names = (*TORCHVISION_BACKBONES, *BUNDLED_BACKBONES)
    for known in names:
        if backbone.removeprefix("timm/") not in names and _plain(backbone) == _plain(known):
            raise ValueError(f"unknown; did you mean {known}?")
    return backbone


def is_known(backbone: str) -> bool:
    """Return whether a backbone exists without a question to timm, which is slow to import."""
    return backbone in TORCHVISION_BACKBONES or backbone.removeprefix("timm/") in BUNDLED_BACKBONES


def weights_problem(backbone: str, weights: str) -> str | None:
    """Return why these weights are not for this backbone, None if that cannot be said yet."""
    for name, backbones in (("bundled", BUNDLED_BACKBONES), ("coco", COCO_BACKBONES)):
        if weights == name and backbone.removeprefix("timm/" if name == "bundled" else "") not in backbones:
            return (
                f"weights: {name} is only for {', '.join(backbones)}, not for {backbone}; set weights to "
                "imagenet (a download), none or the path of a file, or choose another backbone"
            )
    return None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum()).removeprefix("timm")
