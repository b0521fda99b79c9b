# SPDX-License-Identifier: Apache-2.0
"""The forward pass of the network on one image, up to boxes and masks in their boxes."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.image_list import ImageList
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
    image_list = _prepare(transform, image)
    features = network.backbone(image_list.tensors)
    proposals, _ = network.rpn(image_list, features)
    (found,), _ = network.roi_heads(features, proposals, image_list.image_sizes)
    boxes = resize_boxes(found["boxes"], image_list.image_sizes[0], size)
    return NetworkDetections(boxes, found["labels"], found["scores"], found["masks"])


def _prepare(transform: GeneralizedRCNNTransform, image: Tensor) -> ImageList:
    """Return what `transform` makes of one image between 0 and 1, with one copy in floating point instead of four."""
    pixels = image.permute(2, 0, 1).float().div_(255)
    mean, std = (torch.as_tensor(each, device=image.device) for each in (transform.image_mean, transform.image_std))
    pixels.sub_(mean[:, None, None]).div_(std[:, None, None])
    resized, _ = transform.resize(pixels)
    height, width = resized.shape[-2:]
    return ImageList(transform.batch_images([resized], transform.size_divisible), [(height, width)])
