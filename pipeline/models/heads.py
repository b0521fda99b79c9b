# SPDX-License-Identifier: Apache-2.0
"""The heads of Mask R-CNN: torchvision's, with an optional hidden layer and dropout before the box predictor."""

from collections.abc import Callable

from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead

BOX_HEAD_CHANNELS = 1024
BOX_POOL_SIZE = 7  # cells per side of the features that RoIAlign gives to the box head


class BoxPredictor(FastRCNNPredictor):
    """Predicts scores and box corrections of each class from the features of n boxes, (n, in_channels).

    `hidden` is the width of an extra layer with ReLU, or None. `dropout` is the dropout probability after it. Without
    both, the tensors are those of torchvision's predictor.
    """

    def __init__(self, in_channels: int, num_classes: int, hidden: int | None, dropout: float) -> None:
        super().__init__(hidden or in_channels, num_classes)
        self.hidden = nn.Sequential(nn.Linear(in_channels, hidden), nn.ReLU()) if hidden else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        features = self.dropout(self.hidden(features.flatten(start_dim=1)))
        return self.cls_score(features), self.bbox_pred(features)


def build_class_heads(
    class_count: int,
    in_channels: int,
    mask_channels: tuple[int, ...],
    box_hidden: int | None,
    box_dropout: float,
    norm_layer: Callable[..., nn.Module] | None = None,
) -> dict[str, nn.Module]:
    """Return the box predictor, the mask head and the mask predictor, as arguments of `MaskRCNN`.

    `class_count` includes the background. `mask_channels` holds the width of each layer of the mask head.
    """
    width = mask_channels[-1]
    return {
        "box_predictor": BoxPredictor(BOX_HEAD_CHANNELS, class_count, box_hidden, box_dropout),
        # On a CPU, the mask head takes most of a training step. Its time grows with the square of the width.
        "mask_head": MaskRCNNHeads(in_channels, mask_channels, dilation=1, norm_layer=norm_layer),
        "mask_predictor": MaskRCNNPredictor(width, width, class_count),
    }


def build_v2_heads(in_channels: int, anchors_per_cell: int) -> dict[str, nn.Module]:
    """Return the heads in which torchvision's `maskrcnn_resnet50_fpn_v2` differs, as arguments of `MaskRCNN`.

    Its region proposal network has two convolutions, and its box head has four, with batch normalization.
    """
    return {
        "rpn_head": RPNHead(in_channels, anchors_per_cell, conv_depth=2),
        "box_head": FastRCNNConvFCHead(
            (in_channels, BOX_POOL_SIZE, BOX_POOL_SIZE),
            [in_channels] * 4,
            [BOX_HEAD_CHANNELS],
            norm_layer=nn.BatchNorm2d,
        ),
    }
