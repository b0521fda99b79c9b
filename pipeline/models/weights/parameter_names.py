# SPDX-License-Identifier: Apache-2.0
"""What the tensors of other layouts are called in our model: torchvision's detectors and classifiers, timm's models."""

import re
from collections.abc import Container

BACKBONE_PREFIX = "backbone.body."
# What training scripts put before every name: data parallelism and torch.compile.
WRAPPED_MODULE = re.compile(r"^(?:module\.|_orig_mod\.)+")
# How torchvision's files of before 2022 call what its modules of today call otherwise.
OLD_NAMES = (
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$"), r"\1.0.\2"),
    (re.compile(r"^rpn\.head\.conv\.(weight|bias)$"), r"rpn.head.conv.0.0.\1"),
)
OLD_MASK_LAYER = re.compile(r"^roi_heads\.mask_head\.mask_fcn(\d)\.(weight|bias)$")


def current_name(name: str) -> str:
    """Return a name as torchvision's and timm's modules of today have it."""
    name = WRAPPED_MODULE.sub("", name)
    for old, new in OLD_NAMES:
        name = old.sub(new, name)
    return OLD_MASK_LAYER.sub(lambda found: f"roi_heads.mask_head.{int(found[1]) - 1}.0.{found[2]}", name)


def model_name(name: str, known: Container[str]) -> str:
    """Return our name of a tensor: of a classifier's the one in the body, if the model has it; else `name` itself."""
    candidates = (f"{BACKBONE_PREFIX}{candidate}" for candidate in backbone_candidates(name))
    return next((candidate for candidate in (name, *candidates) if candidate in known), name)


def backbone_candidates(name: str) -> tuple[str, ...]:
    """Return what a classifier's tensor may be called in its body.

    Torchvision's bodies are the classifier's `features`; timm's have its first two levels in one, or all in `model`.
    """
    return name, name.removeprefix("features."), name.replace(".", "_", 1), f"model.{name}"


def in_backbone_module(name: str, body_names: set[str]) -> bool:
    """Tell whether a tensor belongs to one of the body's own parts (layer3, stages_2), though not to this body.

    `body_names`: of the body's tensors. True of the deeper layers of a larger model of the same family; false of what
    bodies leave out, as a classifier's last layer.
    """
    parts = {known.split(".")[0] for known in body_names} - {"model"}
    return any(candidate.split(".")[0] in parts for candidate in backbone_candidates(name)[:3])
