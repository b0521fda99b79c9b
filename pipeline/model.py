# SPDX-License-Identifier: Apache-2.0
"""The detector: torchvision's Mask R-CNN, made in one place, saved and loaded with all that is needed to use it."""

import json
import logging
import os
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNN, MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from pipeline import freezing, weights
from pipeline.coco import Category
from pipeline.config_learning import ModelSection
from pipeline.mask_targets import IdMapHeads

LOG = logging.getLogger(__name__)

FORMAT = "cariste-mask-rcnn-1"
NORMS = (nn.BatchNorm2d, FrozenBatchNorm2d)
KEYS = ("format", "architecture", "categories", "normalization", "norm_eps", "settings", "facts", "weights")


class ModelFileError(Exception):
    """A model file that cannot be used; the message names the file and the reason."""


@dataclass(frozen=True)
class Architecture:
    """What the weights alone do not tell.

    `anchor_sizes`: pixels, one per level (strides 4, 8, 16, 32, 64). `aspect_ratios`: height over width.
    `image_mean`, `image_std`: of RGB in 0 to 1. `norm_eps`: of the backbone's batch normalisation.
    """

    backbone: Literal["tf_efficientnet_lite0", "resnet50"]
    fpn_channels: int
    anchor_sizes: tuple[int, ...]
    aspect_ratios: tuple[float, ...]
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    norm_eps: float


@dataclass(frozen=True)
class Detector:
    """A loaded model, in eval mode. Its label k means `categories[k - 1]`, a {"id", "name"}; label 0 is background."""

    model: MaskRCNN
    categories: list[dict[str, Any]]
    settings: ModelSection
    facts: dict[str, Any]


class Backbone(nn.Module):
    """Features of strides 4, 8, 16, 32 from `body`, and from them a pyramid of five levels with equal channels."""

    def __init__(self, name: str, body: nn.Module, channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        self.name = name
        self.body = body
        self.fpn = FeaturePyramidNetwork(list(channels), out_channels, LastLevelMaxPool())
        self.out_channels = out_channels

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode)
        freezing.keep_eval(self)
        return self

    def forward(self, pictures: Tensor) -> OrderedDict[str, Tensor]:
        features = self.body(pictures)
        levels = features.values() if isinstance(features, dict) else features
        return self.fpn(OrderedDict((str(level), feature) for level, feature in enumerate(levels)))


def efficientnet_architecture(settings: ModelSection) -> Architecture:
    """Return ours around EfficientNet-Lite0, for pictures of a few hundred pixels.

    Mean and deviation are those of timm's configuration of the Lite models; the statistics that the package's first
    layers hold agree with them on photographs, and not with ImageNet's usual ones.
    """
    return Architecture(
        backbone="tf_efficientnet_lite0",
        fpn_channels=settings.fpn_channels,
        anchor_sizes=(16, 32, 64, 128, 256),
        aspect_ratios=(0.5, 1.0, 2.0, 3.0),
        image_mean=(0.5, 0.5, 0.5),
        image_std=(0.5, 0.5, 0.5),
        norm_eps=1e-3,
    )


def coco_architecture() -> Architecture:
    """Return torchvision's `maskrcnn_resnet50_fpn`; its COCO weights want eps 0, which their file does not say."""
    return Architecture(
        backbone="resnet50",
        fpn_channels=256,
        anchor_sizes=(32, 64, 128, 256, 512),
        aspect_ratios=(0.5, 1.0, 2.0),
        image_mean=(0.485, 0.456, 0.406),
        image_std=(0.229, 0.224, 0.225),
        norm_eps=0.0,
    )


def build(settings: ModelSection, categories: Sequence[Category]) -> MaskRCNN:
    """Return a model with the first weights that `settings.weights` names, on the CPU, in train mode.

    What the source does not have starts from torch's global random numbers: seed them before. With weights
    `coco` or a path, the architecture is the file's, and `settings.fpn_channels` does not apply.

    Raises:
        weights.WeightsError, ModelFileError: the weights cannot be used.
    """
    architecture, source = _source(settings)
    model = assemble(architecture, settings, len(categories))
    report = weights.copy_into(model, source, (weights.BACKGROUND, *(category.name for category in categories)))
    LOG.info("%s", report)
    if source.tensors:
        freezing.freeze_norms(model.backbone.body)
    if settings.freeze_backbone:
        freezing.freeze(model.backbone.body)
    if settings.freeze_backbone and not source.tensors:
        LOG.warning("weights: none with freeze_backbone: true keeps random features for ever; only tests want that")
    # For training alone: what `load` gives keeps torchvision's own heads, which TorchScript understands.
    model.roi_heads = IdMapHeads(model.roi_heads)
    return model.train()


def _source(settings: ModelSection) -> tuple[Architecture, weights.Source]:
    if settings.weights_file and settings.weights != "coco":
        raise weights.WeightsError(f"model.weights_file is for weights: coco, not for weights: {settings.weights}")
    match settings.weights:
        case "none":
            return efficientnet_architecture(settings), weights.random()
        case "bundled":
            return efficientnet_architecture(settings), weights.bundled()
        case "coco":
            architecture = coco_architecture()
            whole = assemble(architecture, settings, len(weights.COCO_CLASSES) - 1)
            return architecture, weights.coco(whole, settings.weights_file)
        case path:
            if not Path(path).is_file():
                raise weights.WeightsError(
                    f"model.weights = {path!r}: neither bundled, coco or none, nor a model file that is there"
                )
            content = _read(Path(path))
            classes = (weights.BACKGROUND, *(category["name"] for category in content["categories"]))
            return _architecture(content), weights.Source(path, content["weights"], classes)


def assemble(architecture: Architecture, settings: ModelSection, category_count: int) -> MaskRCNN:
    """Return the model with random weights; the only place where a Mask R-CNN is made.

    With 256 channels its tensors have the names and shapes of torchvision's `maskrcnn_resnet50_fpn`.
    """
    channels = architecture.fpn_channels
    model = MaskRCNN(
        _backbone(architecture),
        min_size=settings.min_size,
        max_size=settings.max_size,
        image_mean=list(architecture.image_mean),
        image_std=list(architecture.image_std),
        rpn_anchor_generator=AnchorGenerator(
            tuple((size,) for size in architecture.anchor_sizes),
            (architecture.aspect_ratios,) * len(architecture.anchor_sizes),
        ),
        rpn_pre_nms_top_n_train=settings.rpn_proposals_train,
        rpn_post_nms_top_n_train=settings.rpn_proposals_train,
        rpn_pre_nms_top_n_test=settings.rpn_proposals_test,
        rpn_post_nms_top_n_test=settings.rpn_proposals_test,
        box_score_thresh=settings.score_threshold,
        box_nms_thresh=settings.nms_iou,
        box_detections_per_img=settings.detections,
        box_batch_size_per_image=settings.sampled_boxes,
        box_predictor=FastRCNNPredictor(1024, category_count + 1),
        # The mask head is most of a step on a processor, and grows with the square of its width.
        mask_head=MaskRCNNHeads(channels, (channels,) * 4, dilation=1),
        mask_predictor=MaskRCNNPredictor(channels, channels, category_count + 1),
    )
    # torchvision's start is meant for 91 classes: with 3 the logits are so large that the first losses are above 15.
    nn.init.normal_(model.roi_heads.mask_predictor.mask_fcn_logits.weight, std=0.001)
    return model


def _backbone(architecture: Architecture) -> Backbone:
    name = architecture.backbone
    if name == "resnet50":
        resnet = resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
        body = IntermediateLayerGetter(resnet, {f"layer{level + 1}": str(level) for level in range(4)})
        channels = (256, 512, 1024, 2048)
    else:
        body = timm.create_model(name, pretrained=False, features_only=True, out_indices=(1, 2, 3, 4))
        channels = body.feature_info.channels()
    for part in body.modules():
        if isinstance(part, NORMS):
            part.eps = architecture.norm_eps
    return Backbone(name, body, channels, architecture.fpn_channels)


def save(
    path: str | Path,
    model: MaskRCNN,
    settings: ModelSection,
    categories: Sequence[Category],
    facts: dict[str, Any],
) -> None:
    """Write the model file, aside first: a reader finds the old file or the whole new one.

    `facts` are plain values (what JSON can hold): the config, the data's sha256 and so on. The same model and facts
    give the same bytes.
    """
    path = Path(path)
    content = {
        "format": FORMAT,
        **_sections(model),
        "categories": [{"id": category.id, "name": category.name} for category in categories],
        "settings": settings.model_dump(mode="json"),
        # Through JSON, because torch's own version is a kind of text that `weights_only` would refuse to load.
        "facts": json.loads(json.dumps(facts)),
        "weights": {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    # An open file, because torch puts a path's name into the archive.
    with aside.open("wb") as file:
        torch.save(content, file)
    aside.replace(path)


def load(path: str | Path, device: str | torch.device = "cpu") -> Detector:
    """Read a model file that `save` wrote.

    Raises:
        ModelFileError: no such file, damaged, or no model file of ours.
    """
    content = _read(Path(path))
    try:
        settings = ModelSection.model_validate(content["settings"])
        model = assemble(_architecture(content), settings, len(content["categories"]))
        model.load_state_dict(content["weights"])
    except (ValidationError, RuntimeError) as error:
        raise ModelFileError(f"{path}: its weights and its settings do not fit: {error}") from None
    model.requires_grad_(False)
    return Detector(model.to(device).eval(), content["categories"], settings, content["facts"])


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a model file, whole and of our format."""
    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file")
    try:
        # torch itself does not check the archive's checksums: a flipped bit would pass for a weight.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        content = weights.read_archive(path)
    except (zipfile.BadZipFile, weights.WeightsError) as error:
        raise ModelFileError(f"{path}: not a model file, or damaged: {error}") from None
    if damaged:
        raise ModelFileError(f"{path}: damaged: the checksum of its part {damaged} is wrong; copy or train it again")
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise ModelFileError(f"{path}: not a model file of this version: its format is {found!r}, not {FORMAT!r}")
    if missing := [key for key in KEYS if key not in content]:
        raise ModelFileError(f"{path}: incomplete: it lacks {', '.join(missing)}")
    return content


def _sections(model: MaskRCNN) -> dict[str, Any]:
    """Return what a model file says of the architecture, read from the model itself; `_architecture` reads it back."""
    anchors = model.rpn.anchor_generator
    norms = (part for part in model.backbone.modules() if isinstance(part, NORMS))
    return {
        "architecture": {
            "backbone": model.backbone.name,
            "fpn_channels": model.backbone.out_channels,
            "anchor_sizes": [size for (size,) in anchors.sizes],
            "aspect_ratios": list(anchors.aspect_ratios[0]),
        },
        "normalization": {"mean": list(model.transform.image_mean), "std": list(model.transform.image_std)},
        "norm_eps": next(norms).eps,
    }


def _architecture(content: dict[str, Any]) -> Architecture:
    shape, normalization = content["architecture"], content["normalization"]
    return Architecture(
        backbone=shape["backbone"],
        fpn_channels=shape["fpn_channels"],
        anchor_sizes=tuple(shape["anchor_sizes"]),
        aspect_ratios=tuple(shape["aspect_ratios"]),
        image_mean=tuple(normalization["mean"]),
        image_std=tuple(normalization["std"]),
        norm_eps=content["norm_eps"],
    )
