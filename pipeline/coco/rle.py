# SPDX-License-Identifier: Apache-2.0
"""COCO's run-length encoding (RLE) from ranges of pixels.

Pixels are counted down the columns, from left to right. Ranges are int64 (ranges, 2): the first pixel of a range and
the one after its last. All instances of an id map are found in one pass, while the encoder of faster_coco_eval takes
one pass per instance. It only does the compression here.
"""

from typing import Any

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask


def pixel_ranges_by_instance(ids: np.ndarray) -> dict[int, np.ndarray]:
    """Return the ranges of every instance of an id map, uint16 (height, width), by its id; 0 is no instance."""
    column_major = cv2.transpose(ids).ravel()
    changes = np.flatnonzero(column_major[1:] != column_major[:-1]) + 1
    starts, ends = np.append(0, changes), np.append(changes, column_major.size)
    range_ids = column_major[starts]
    ranges = np.stack((starts, ends), axis=1)
    return {
        instance_id: ranges[range_ids == instance_id] for instance_id in np.unique(range_ids).tolist() if instance_id
    }


def pixel_ranges_of_crop(mask: np.ndarray, x: int, y: int, height: int, width: int) -> np.ndarray:
    """Return the ranges of a mask, bool of any size with its corner at (x, y), inside an image of height x width."""
    top, left = max(-y, 0), max(-x, 0)
    inside = mask[top : max(height - y, 0), left : max(width - x, 0)]
    if not inside.size:
        return np.zeros((0, 2), int)
    # One empty pixel before the columns of the crop and one after them, so that ranges at the ends begin and end.
    column_major = np.zeros(inside.shape[1] * height + 2, np.uint8)
    columns = column_major[1:-1].reshape(-1, height)
    columns[:, y + top : y + top + inside.shape[0]] = cv2.transpose(inside.view(np.uint8))
    edges = np.flatnonzero(column_major[1:] != column_major[:-1])
    return edges.reshape(-1, 2) + (x + left) * height


def pixel_count(ranges: np.ndarray) -> int:
    """Return the number of pixels in the ranges."""
    return int((ranges[:, 1] - ranges[:, 0]).sum())


def encode_rles(ranges: dict[int, np.ndarray], height: int, width: int) -> dict[int, dict[str, Any]]:
    """Return `encode_rle` of every mask, by the same keys."""
    return {key: encode_rle(each, height, width) for key, each in ranges.items()}


def encode_rle(ranges: np.ndarray, height: int, width: int) -> dict[str, Any]:
    """Return the compressed RLE of a mask of height x width, with text counts, ready for JSON."""
    uncompressed = {"size": [height, width], "counts": _run_lengths(ranges, height * width)}
    compressed = coco_mask.frPyObjects(uncompressed, height, width)
    return {"size": [height, width], "counts": compressed["counts"].decode("ascii")}


def _run_lengths(ranges: np.ndarray, pixels: int) -> list[int]:
    """Return the numbers of pixels outside, inside, outside, … the mask; a last number of 0 is left out."""
    ends = ranges.ravel() if ranges.size and ranges[-1, 1] == pixels else np.append(ranges.ravel(), pixels)
    return [int(ends[0]), *np.diff(ends).tolist()]
