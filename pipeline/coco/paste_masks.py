# SPDX-License-Identifier: Apache-2.0
"""Turn the masks of the network, a small square per box, into COCO's RLE without masks of the size of the image."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.roi_heads import expand_boxes, expand_masks

from pipeline.coco import rle

MASK_THRESHOLD = 0.5


def paste_masks_to_rle(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the compressed RLE, with text counts, of each mask in its box.

    The pixels are those of torchvision's `paste_masks_in_image` at the threshold 0.5.

    Args:
        masks: float (n, 1, side, side) on the CPU.
        boxes: float (n, 4), left, top, right, bottom in pixels of the image.
        size: (height, width) of the image.
    """
    padded, scale = expand_masks(masks, padding=1)
    corners = expand_boxes(boxes, scale).long().tolist()
    for mask, (left, top, right, bottom) in zip(padded, corners, strict=True):
        box_size = (max(bottom - top + 1, 1), max(right - left + 1, 1))
        resized = functional.interpolate(mask[None], size=box_size, mode="bilinear", align_corners=False)[0, 0]
        ranges = rle.pixel_ranges_of_crop((resized >= MASK_THRESHOLD).numpy(), left, top, *size)
        yield rle.encode_rle(ranges, *size)
