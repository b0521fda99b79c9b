# SPDX-License-Identifier: Apache-2.0
"""The detector: built with its first weights, saved and loaded with all that is needed to use it.

python -m pipeline.models.detectors --config configs/quickstart.yaml

says what would become of every tensor of the weights.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from pipeline.coco.reader import Category
from pipeline.config.freezing import describe_freeze
from pipeline.config.training import ModelSection
from pipeline.models import freezing
from pipeline.models.backbones.backbones import BackboneError
from pipeline.models.id_map_mask_loss import IdMapHeads
from pipeline.models.mask_rcnn import (
    FreezableMaskRcnn,
    architecture_from_dict,
    architecture_from_settings,
    architecture_to_dict,
    build_mask_rcnn,
    set_norm_eps,
)
from pipeline.models.weights import initial_weights, model_file
from pipeline.models.weights.model_file import MODEL_FORMAT, ModelFileError

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Detector:
    """A loaded model, in eval mode. Its label k means `categories[k - 1]`, a {"id", "name"}; label 0 is background."""

    model: FreezableMaskRcnn
    categories: list[dict[str, Any]]
    settings: ModelSection
    facts: dict[str, Any]


def build(settings: ModelSection, categories: Sequence[Category]) -> FreezableMaskRcnn:
    """Return a model with the first weights that `settings.weights` names, on the CPU, in train mode; log a summary.

    What the source does not have starts from torch's global random numbers: seed them before.

    Raises:
        BackboneError: `settings.backbone` cannot be built.
        weights.WeightsError, ModelFileError: the weights cannot be used.
        freezing.FreezingError: `settings.freeze` does not fit the model.
    """
    model, report = build_with_report(settings, categories)
    LOG.info("%s", report)
    return model


def build_with_report(
    settings: ModelSection, categories: Sequence[Category]
) -> tuple[FreezableMaskRcnn, initial_weights.WeightsLoadReport]:
    """Return what `build` does, and what became of every tensor."""
    architecture = architecture_from_settings(settings)
    source = initial_weights.source_from_settings(settings)
    model = build_mask_rcnn(architecture, settings, len(categories))
    if source.norm_eps is not None:
        set_norm_eps(model, source.norm_eps)
    report = initial_weights.copy_weights(
        model, source, (initial_weights.BACKGROUND, *(category.name for category in categories))
    )
    freezing.apply_freezing(model, settings)
    if not source.tensors and not all(parameter.requires_grad for parameter in model.parameters()):
        frozen = describe_freeze(settings.freeze)
        LOG.warning("weights: none and frozen: %s: random features stay as they are; only tests want that", frozen)
    # For training alone: what `load` gives keeps torchvision's own heads, which TorchScript understands.
    model.roi_heads = IdMapHeads(model.roi_heads)
    return model.train(), report


def build_unweighted(settings: ModelSection, category_count: int) -> FreezableMaskRcnn:
    """Return the model of `build`, frozen alike, with random weights: to look at it before a run.

    Raises:
        BackboneError, freezing.FreezingError: as `build`.
    """
    model = build_mask_rcnn(architecture_from_settings(settings), settings, category_count)
    freezing.apply_freezing(model, settings)
    return model.train()


def describe_model(model: FreezableMaskRcnn, categories: Sequence[Category]) -> dict[str, Any]:
    """Return what, beside the weights, decides how a model is built and what its labels mean: plain values."""
    return architecture_to_dict(model.architecture) | {
        "categories": [{"id": category.id, "name": category.name} for category in categories]
    }


def save(
    path: str | Path,
    model: FreezableMaskRcnn,
    settings: ModelSection,
    categories: Sequence[Category],
    facts: dict[str, Any],
) -> None:
    """Write the model file; as safetensors, where its name ends so.

    `facts` are plain values (what JSON can hold): the config, the data's sha256 and so on. The same model and facts
    give the same bytes.
    """
    plain = {
        "format": MODEL_FORMAT,
        **describe_model(model, categories),
        "settings": settings.model_dump(mode="json"),
        "facts": facts,
    }
    tensors = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    # Through JSON, because torch's own version is a kind of text that `weights_only` would refuse to load, and because
    # the bytes would depend on which equal texts happen to be one object.
    model_file.write(Path(path), json.loads(json.dumps(plain)) | {"weights": tensors})


def load(path: str | Path, device: str | torch.device = "cpu") -> Detector:
    """Read a model file that `save` wrote.

    Raises:
        ModelFileError: no such file, damaged, or no model file of ours.
    """
    content = model_file.read(Path(path))
    try:
        settings = ModelSection.model_validate(content["settings"])
        model = build_mask_rcnn(architecture_from_dict(content), settings, len(content["categories"]))
        model.load_state_dict(content["weights"])
    except (BackboneError, ValidationError, RuntimeError, TypeError) as error:
        raise ModelFileError(f"{path}: its weights and its settings do not fit: {error}") from None
    model.requires_grad_(False)
    return Detector(model.to(device).eval(), content["categories"], settings, content["facts"])
