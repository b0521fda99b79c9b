# SPDX-License-Identifier: Apache-2.0
"""The network: what shapes it, and the one place where a Mask R-CNN is put together."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.mask_rcnn import MaskRCNN

from pipeline.config.training import ModelSection
from pipeline.models import freezing, heads
from pipeline.models.backbones import backbones

MASKRCNN_V1, MASKRCNN_V2 = "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"


@dataclass(frozen=True)
class Architecture:
    """What the weights alone do not tell.

    `anchor_sizes`: pixels, one per level (strides 4, 8, 16, 32, 64). `aspect_ratios`: height over width.
    `mask_channels`: widths of the mask head's layers. `box_hidden`: width of a layer before the box predictor.
    `image_mean`, `image_std`: of RGB in 0 to 1. `read_norm_eps`: of the body's batch normalisation; None where it has none.
    """

    backbone: str
    fpn_channels: int
    anchor_sizes: tuple[int, ...]
    aspect_ratios: tuple[float, ...]
    mask_channels: tuple[int, ...]
    box_hidden: int | None
    box_dropout: float
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    norm_eps: float | None


class FreezableMaskRcnn(MaskRCNN):
    """Torchvision's Mask R-CNN whose frozen parts stay in eval mode; `architecture` is what it was made from."""

    def train(self, mode: bool = True) -> "FreezableMaskRcnn":
        super().train(mode)
        freezing.set_frozen_to_eval(self)
        return self


def architecture_from_settings(settings: ModelSection) -> Architecture:
    """Return the architecture that a config asks for: torchvision's own anchors for its own two, else ours.

    Ours are for images of a few hundred pixels, in which people and upright tillers are tall.

    Raises:
        backbones.BackboneError: the backbone is not known.
    """
    normalization = backbones.published_normalization(settings.backbone)
    theirs = settings.backbone in (MASKRCNN_V1, MASKRCNN_V2)
    return Architecture(
        backbone=settings.backbone,
        fpn_channels=settings.fpn_channels,
        anchor_sizes=(32, 64, 128, 256, 512) if theirs else (16, 32, 64, 128, 256),
        aspect_ratios=(0.5, 1.0, 2.0) if theirs else (0.5, 1.0, 2.0, 3.0),
        mask_channels=(settings.mask_channels or settings.fpn_channels,) * settings.mask_layers,
        box_hidden=settings.box_hidden,
        box_dropout=settings.box_dropout,
        image_mean=normalization.image_mean,
        image_std=normalization.image_std,
        norm_eps=normalization.norm_eps,
    )


def build_mask_rcnn(architecture: Architecture, settings: ModelSection, category_count: int) -> FreezableMaskRcnn:
    """Return the model with random weights; the only place where a Mask R-CNN is made.

    With 256 channels the tensors of `MASKRCNN_V1` and `MASKRCNN_V2` have the names and shapes of torchvision's.

    Raises:
        backbones.BackboneError: the backbone cannot be built.
    """
    norm_layer = nn.BatchNorm2d if architecture.backbone == MASKRCNN_V2 else None
    body = backbones.build_backbone(architecture.backbone)
    backbone = backbones.BackboneWithFpn(architecture.backbone, body, architecture.fpn_channels, norm_layer)
    model = FreezableMaskRcnn(
        backbone,
        min_size=settings.min_size,
        max_size=settings.max_size,
        image_mean=list(architecture.image_mean),
        image_std=list(architecture.image_std),
        rpn_pre_nms_top_n_train=settings.rpn_proposals_train,
        rpn_post_nms_top_n_train=settings.rpn_proposals_train,
        rpn_pre_nms_top_n_test=settings.rpn_proposals_test,
        rpn_post_nms_top_n_test=settings.rpn_proposals_test,
        box_score_thresh=settings.score_threshold,
        box_nms_thresh=settings.nms_iou,
        box_detections_per_img=settings.detections,
        box_batch_size_per_image=settings.sampled_boxes,
        **_heads(architecture, category_count + 1, norm_layer),
    )
    # torchvision's start is meant for 91 classes: with 3 the logits are so large that the first losses are above 15.
    nn.init.normal_(model.roi_heads.mask_predictor.mask_fcn_logits.weight, std=0.001)
    model.architecture = architecture
    set_norm_eps(model, architecture.norm_eps)
    return model


def _heads(architecture: Architecture, class_count: int, norm_layer: type[nn.Module] | None) -> dict[str, Any]:
    channels = architecture.fpn_channels
    levels = len(architecture.anchor_sizes)
    parts = {
        "rpn_anchor_generator": AnchorGenerator(
            tuple((size,) for size in architecture.anchor_sizes), (architecture.aspect_ratios,) * levels
        ),
        **heads.build_class_heads(
            class_count,
            channels,
            architecture.mask_channels,
            architecture.box_hidden,
            architecture.box_dropout,
            norm_layer,
        ),
    }
    if architecture.backbone == MASKRCNN_V2:
        parts |= heads.build_v2_heads(channels, len(architecture.aspect_ratios))
    return parts


def set_norm_eps(model: FreezableMaskRcnn, eps: float | None) -> None:
    """Set the eps of the body's batch normalisations; None leaves them as they are made. The architecture follows."""
    body = model.backbone.body
    if eps is not None:
        backbones.set_norm_eps(body, eps)
    model.architecture = replace(model.architecture, norm_eps=backbones.read_norm_eps(body))


def architecture_to_dict(architecture: Architecture) -> dict[str, Any]:
    """Return what a model file says of the architecture, in plain values; `architecture_from_dict` reads it back."""
    shape = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(architecture).items()}
    normalization = {"mean": shape.pop("image_mean"), "std": shape.pop("image_std")}
    return {"norm_eps": shape.pop("norm_eps"), "normalization": normalization, "architecture": shape}


def architecture_from_dict(content: dict[str, Any]) -> Architecture:
    """Return the architecture that a model file's content describes.

    Raises:
        TypeError: an unknown or missing value.
    """
    shape = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content["architecture"].items()
    }
    normalization = content["normalization"]
    return Architecture(
        **shape,
        image_mean=tuple(normalization["mean"]),
        image_std=tuple(normalization["std"]),
        norm_eps=content["norm_eps"],
    )
