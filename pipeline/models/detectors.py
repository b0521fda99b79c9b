# SPDX-License-Identifier: Apache-2.0
"""Build a detector with its initial weights, save it to a model file, and load it from there."""

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
from pipeline.models.weights import initial_weights, model_file, tensor_checks
from pipeline.models.weights.model_file import MODEL_FORMAT, ModelFileError
from pipeline.models.weights.state_dicts import one_line_message

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Detector:
    """A loaded model, in eval mode.

    Attributes:
        categories: {"id", "name"} of each category. Label k of the model is `categories[k - 1]`; 0 is background.
        facts: what the model file records about the training.
    """

    model: FreezableMaskRcnn
    categories: list[dict[str, Any]]
    settings: ModelSection
    facts: dict[str, Any]


def build(settings: ModelSection, categories: Sequence[Category]) -> FreezableMaskRcnn:
    """Return a model with the initial weights that `settings.weights` names, on the CPU, in train mode. Log a summary.

    Tensors that the weights do not have start with torch's global random numbers: set their seed before.

    Raises:
        BackboneError: `settings.backbone` cannot be built.
        WeightsError, ModelFileError: the weights cannot be used.
        FreezingError: `settings.freeze` does not fit the model.
    """
    model, report = build_with_report(settings, categories)
    LOG.info("%s", report)
    return model


def build_with_report(
    settings: ModelSection, categories: Sequence[Category]
) -> tuple[FreezableMaskRcnn, initial_weights.WeightsLoadReport]:
    """Return the model of `build`, and a report of what happened to every tensor."""
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
        LOG.warning("model.weights: none, and frozen: %s: these random features are never trained", frozen)
    # Only for training: a model from `load` keeps torchvision's own heads, which TorchScript can compile.
    model.roi_heads = IdMapHeads(model.roi_heads)
    return model.train(), report


def build_unweighted(settings: ModelSection, category_count: int) -> FreezableMaskRcnn:
    """Return the model of `build` with the same parameters frozen, but with random weights and without reading files.

    Raises:
        BackboneError, FreezingError: see `build`.
    """
    model = build_mask_rcnn(architecture_from_settings(settings), settings, category_count)
    freezing.apply_freezing(model, settings)
    return model.train()


def describe_model(model: FreezableMaskRcnn, categories: Sequence[Category]) -> dict[str, Any]:
    """Return what, beside the weights, decides how a model is built and what its labels mean: plain values."""
    return architecture_to_dict(model.architecture) | {"categories": category_entries(categories)}


def category_entries(categories: Sequence[Category]) -> list[dict[str, Any]]:
    """Return each category as {"id", "name"}."""
    return [{"id": category.id, "name": category.name} for category in categories]


def save(
    path: str | Path,
    model: FreezableMaskRcnn,
    settings: ModelSection,
    categories: Sequence[Category],
    facts: dict[str, Any],
) -> None:
    """Write a model file: in the format of torch, or as safetensors if its name ends with `.safetensors`.

    `facts` are values that JSON can hold, such as the config. The same model and facts give the same bytes.
    """
    metadata = {
        "format": MODEL_FORMAT,
        **describe_model(model, categories),
        "settings": settings.model_dump(mode="json"),
        "facts": facts,
    }
    tensors = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    # Through JSON for two reasons: `weights_only` refuses to load torch.__version__, a subclass of str; and pickle
    # writes equal texts differently if they are the same object.
    model_file.write(Path(path), json.loads(json.dumps(metadata)) | {"weights": tensors})


def load(path: str | Path, device: str | torch.device = "cpu") -> Detector:
    """Return the detector of a model file that `save` wrote.

    Raises:
        ModelFileError: the file does not exist, is damaged, is not a model file of this version, or its weights do not
            fit its architecture or are no finite numbers.
    """
    content = model_file.read(Path(path))
    try:
        settings = ModelSection.model_validate(content["settings"])
        model = build_mask_rcnn(architecture_from_dict(content), settings, len(content["categories"]))
    except ValidationError as error:
        reason = model_file.describe_validation_error(error, ModelSection)
        raise ModelFileError(f"{path}: its settings are of another version of Cariste: {reason}") from None
    except (BackboneError, RuntimeError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: its model cannot be built: {one_line_message(error)}") from None
    _load_weights(path, model, content)
    model.requires_grad_(False)
    return Detector(model.to(device).eval(), content["categories"], settings, content["facts"])


def _load_weights(path: str | Path, model: FreezableMaskRcnn, content: dict[str, Any]) -> None:
    """Copy the weights in the content of a model file into the model."""
    weights, expected = content["weights"], model.state_dict()
    scores = weights.get("roi_heads.box_predictor.cls_score.bias")
    rows, categories = len(scores) if scores is not None and scores.dim() == 1 else 0, len(content["categories"])
    if rows and rows != categories + 1:
        raise ModelFileError(
            f"{path}: names {categories} categories, but its weights are for {rows - 1}; train the model again to "
            "change its categories"
        )
    problem = tensor_checks.shape_problems(weights, expected)
    if problem:
        raise ModelFileError(f"{path}: its weights and its architecture do not fit: {problem}")
    problem = tensor_checks.type_problem(weights, expected)
    if problem:
        raise ModelFileError(f"{path}: {problem}")
    if converted := tensor_checks.converted_types(weights):
        LOG.info("%s: its weights are %s, used as float32", path, " and ".join(converted))
    model.load_state_dict(weights)
    problem = tensor_checks.value_problem(model.state_dict())
    if problem:
        raise ModelFileError(f"{path}: {problem}")
