# SPDX-License-Identifier: Apache-2.0
"""The forward pass of the network on one image, up to boxes and masks in their boxes."""

from typing import NamedTuple

from torch import Tensor
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes


class NetworkDetections(NamedTuple):
    """The n detections in an image, highest score first.

    `boxes`: float32 (n, 4), left, top, right, bottom in pixels of the image. `labels`: int64 (n,), from 1. `scores`:
    float32 (n,). `masks`: float32 (n, 1, side, side), each fills its box.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor


def detect(
    network: MaskRCNN, transform: GeneralizedRCNNTransform, image: Tensor, size: tuple[int, int]
) -> NetworkDetections:
    """Return what the network detects in `image`, uint8 RGB (height, width, 3) on its device; `size`: (height, width).

    The steps are those of torchvision's `GeneralizedRCNN.forward` in eval mode, but no masks of the size of the image
    are made: 100 of them take 5 GB for an image of 12 megapixels.
    """
    image_list, _ = transform([image.permute(2, 0, 1).float() / 255])
    features = network.backbone(image_list.tensors)
    proposals, _ = network.rpn(image_list, features)
    (found,), _ = network.roi_heads(features, proposals, image_list.image_sizes)
    boxes = resize_boxes(found["boxes"], image_list.image_sizes[0], size)
    return NetworkDetections(boxes, found["labels"], found["scores"], found["masks"])
