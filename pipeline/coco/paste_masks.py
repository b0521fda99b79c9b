# SPDX-License-Identifier: Apache-2.0
"""From the network's masks, one small square per box, to COCO's run lengths, without a mask of the image's size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from faster_coco_eval import mask as coco_mask
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.roi_heads import expand_boxes, expand_masks

MASK_THRESHOLD = 0.5


def paste_masks_to_rle(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield compressed RLE, with text counts, of each mask in its box.

    `masks`: float (n, 1, side, side) on the CPU. `boxes`: float (n, 4), x1, y1, x2, y2 in pixels of the image.
    `size`: (height, width) of the image. The same pixels as torchvision's `paste_masks_in_image` at 0.5.
    """
    padded, scale = expand_masks(masks, padding=1)
    corners = expand_boxes(boxes, scale).long().tolist()
    for mask, (left, top, right, bottom) in zip(padded, corners, strict=True):
        filled = (max(bottom - top + 1, 1), max(right - left + 1, 1))
        pasted = functional.interpolate(mask[None], size=filled, mode="bilinear", align_corners=False)[0, 0]
        inside = pasted[max(-top, 0) : max(size[0] - top, 0), max(-left, 0) : max(size[1] - left, 0)]
        yield encode_mask_at((inside >= MASK_THRESHOLD).numpy(), max(top, 0), max(left, 0), size)


def encode_mask_at(part: np.ndarray, top: int, left: int, size: tuple[int, int]) -> dict[str, Any]:
    """Return compressed RLE of a mask, (height, width) = `size`, that is empty but for `part`, bool, at `top`, `left`.

    The same text as `coco.encode` of the whole mask. RLE counts down the columns: alternately pixels that are not and
    that are in the mask, beginning with those that are not, even if that is none.
    """
    height, width = size
    # Where each column changes, an empty pixel being before its first and after its last.
    columns = np.zeros((part.shape[1], part.shape[0] + 2), bool)
    columns[:, 1:-1] = part.T
    column, row = np.divmod(np.flatnonzero(columns[:, 1:] != columns[:, :-1]), part.shape[0] + 1)
    changes = (left + column) * height + top + row
    # A run that goes on in the next column ends and begins at the same place.
    same = np.flatnonzero(changes[1:] == changes[:-1])
    changes = np.delete(changes, np.concatenate((same, same + 1)))
    counts = np.diff(changes, prepend=0, append=height * width)
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    encoded = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return {"size": [height, width], "counts": encoded["counts"].decode("ascii")}
