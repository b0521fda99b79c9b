# SPDX-License-Identifier: Apache-2.0
"""Names of tensors in other layouts (torchvision's detectors and classifiers, timm's models) and in our model."""

import re
from collections.abc import Container

from pipeline.models.backbones.backbones import BACKBONE_MODULE

BACKBONE_PREFIX = f"{BACKBONE_MODULE}."
# Data parallelism and torch.compile put this before every name.
WRAPPED_MODULE = re.compile(r"^(?:module\.|_orig_mod\.)+")
# Names in torchvision's files from before 2022, whose modules have other names now.
OLD_NAMES = (
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$"), r"\1.0.\2"),
    (re.compile(r"^rpn\.head\.conv\.(weight|bias)$"), r"rpn.head.conv.0.0.\1"),
)
OLD_MASK_LAYER = re.compile(r"^roi_heads\.mask_head\.mask_fcn(\d)\.(weight|bias)$")


def current_name(name: str) -> str:
    """Return a name in the form that the current modules of torchvision and timm have."""
    name = WRAPPED_MODULE.sub("", name)
    for old, new in OLD_NAMES:
        name = old.sub(new, name)
    return OLD_MASK_LAYER.sub(lambda found: f"roi_heads.mask_head.{int(found[1]) - 1}.0.{found[2]}", name)


def model_name(name: str, known: Container[str]) -> str:
    """Return our name of a tensor. `known` are the names of our model.

    The tensor of a classifier gets its name in the body, if the model has it there. Any other name stays.
    """
    candidates = (f"{BACKBONE_PREFIX}{candidate}" for candidate in backbone_candidates(name))
    return next((candidate for candidate in (name, *candidates) if candidate in known), name)


def backbone_candidates(name: str) -> tuple[str, ...]:
    """Return the names that a tensor of a classifier can have in its body.

    torchvision's bodies are the `features` of the classifier. timm's join the first two levels of the name, or put
    everything below `model`.
    """
    return name, name.removeprefix("features."), name.replace(".", "_", 1), f"model.{name}"


def in_backbone_module(name: str, backbone_names: set[str]) -> bool:
    """Return whether a tensor belongs to a module that the body has, such as layer3 or stages_2.

    `backbone_names` are the names of the tensors of the body. True for the deeper layers of a larger model of the same
    family. False for what bodies leave out, such as the last layer of a classifier.
    """
    backbone_modules = {known.split(".")[0] for known in backbone_names} - {"model"}
    return any(candidate.split(".")[0] in backbone_modules for candidate in backbone_candidates(name)[:3])
