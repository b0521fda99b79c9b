# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN: what decides its architecture, and the only function that builds it."""

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
    """What is needed, beside the weights, to build a model again.

    Attributes:
        anchor_sizes: in pixels, one for each level of the pyramid (strides 4, 8, 16, 32, 64).
        aspect_ratios: of the anchors, height divided by width.
        mask_channels: the width of each layer of the mask head.
        box_hidden: the width of an extra layer before the box predictor, or None.
        image_mean, image_std: of RGB in 0 to 1.
        norm_eps: of the batch normalizations of the body; None if it has none, or if they differ.
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
    """Torchvision's Mask R-CNN. Its frozen parts stay in eval mode; `architecture` is what it was built from."""

    def train(self, mode: bool = True) -> "FreezableMaskRcnn":
        super().train(mode)
        freezing.set_frozen_to_eval(self)
        return self


def architecture_from_settings(settings: ModelSection) -> Architecture:
    """Return the architecture for a config.

    torchvision's two detectors get its own anchors. All others get smaller and taller ones, for images of a few hundred
    pixels with people and upright tillers.

    Raises:
        BackboneError: the backbone is unknown.
    """
    normalization = backbones.published_normalization(settings.backbone)
    is_torchvision_detector = settings.backbone in (MASKRCNN_V1, MASKRCNN_V2)
    return Architecture(
        backbone=settings.backbone,
        fpn_channels=settings.fpn_channels,
        anchor_sizes=(32, 64, 128, 256, 512) if is_torchvision_detector else (16, 32, 64, 128, 256),
        aspect_ratios=(0.5, 1.0, 2.0) if is_torchvision_detector else (0.5, 1.0, 2.0, 3.0),
        mask_channels=(settings.mask_channels or settings.fpn_channels,) * settings.mask_layers,
        box_hidden=settings.box_hidden,
        box_dropout=settings.box_dropout,
        image_mean=normalization.image_mean,
        image_std=normalization.image_std,
        norm_eps=normalization.norm_eps,
    )


def build_mask_rcnn(architecture: Architecture, settings: ModelSection, category_count: int) -> FreezableMaskRcnn:
    """Return the model with random weights.

    With 256 channels, `MASKRCNN_V1` and `MASKRCNN_V2` have the names and shapes of torchvision's tensors.

    Raises:
        BackboneError: the backbone cannot be built.
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
        **_head_arguments(architecture, category_count + 1, norm_layer),
    )
    # torchvision's random start is for 91 classes. With 3, the logits are so large that the first losses are above 15.
    nn.init.normal_(model.roi_heads.mask_predictor.mask_fcn_logits.weight, std=0.001)
    model.architecture = architecture
    set_norm_eps(model, architecture.norm_eps)
    return model


def _head_arguments(architecture: Architecture, class_count: int, norm_layer: type[nn.Module] | None) -> dict[str, Any]:
    channels = architecture.fpn_channels
    levels = len(architecture.anchor_sizes)
    arguments = {
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
        arguments |= heads.build_v2_heads(channels, len(architecture.aspect_ratios))
    return arguments


def set_norm_eps(model: FreezableMaskRcnn, eps: float | None) -> None:
    """Set the eps of the batch normalizations of the body; None changes nothing. Updates `model.architecture`."""
    body = model.backbone.body
    if eps is not None:
        backbones.set_norm_eps(body, eps)
    model.architecture = replace(model.architecture, norm_eps=backbones.read_norm_eps(body))


def architecture_to_dict(architecture: Architecture) -> dict[str, Any]:
    """Return the keys of a model file that describe the architecture. `architecture_from_dict` reads them back."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(architecture).items()}
    normalization = {"mean": values.pop("image_mean"), "std": values.pop("image_std")}
    return {"norm_eps": values.pop("norm_eps"), "normalization": normalization, "architecture": values}


def architecture_from_dict(content: dict[str, Any]) -> Architecture:
    """Return the architecture that the content of a model file describes.

    Raises:
        TypeError: a value is unknown or missing.
    """
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content["architecture"].items()
    }
    normalization = content["normalization"]
    return Architecture(
        **values,
        image_mean=tuple(normalization["mean"]),
        image_std=tuple(normalization["std"]),
        norm_eps=content["norm_eps"],
    )
