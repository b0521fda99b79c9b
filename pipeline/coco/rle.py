# SPDX-License-Identifier: Apache-2.0
"""Runs of pixels down the columns, from which COCO's RLE is made: all instances of an id map in one pass.

faster_coco_eval's own encoder walks the whole image once per instance; it still does the compressing here.
"""

from typing import Any

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask


def pixel_ranges_by_instance(ids: np.ndarray) -> dict[int, np.ndarray]:
    """Return the runs of every instance of an id map, uint16 (height, width), by its id; 0 is no instance.

    Runs are int64 (runs, 2): first pixel and the one after the last, counted down the columns, from left to right.
    """
    down = cv2.transpose(ids).ravel()
    changes = np.flatnonzero(down[1:] != down[:-1]) + 1
    starts, ends = np.append(0, changes), np.append(changes, down.size)
    owners = down[starts]
    runs = np.stack((starts, ends), axis=1)
    return {number: runs[owners == number] for number in np.unique(owners).tolist() if number}


def pixel_ranges_of_crop(mask: np.ndarray, x: int, y: int, height: int, width: int) -> np.ndarray:
    """Return the runs of a mask, bool (any size) with its corner at (x, y), inside an image of height x width."""
    top, left = max(-y, 0), max(-x, 0)
    inside = mask[top : max(height - y, 0), left : max(width - x, 0)]
    if not inside.size:
        return np.zeros((0, 2), int)
    # The pixel before and the one after belong to no mask: a run at either end begins and ends there.
    down = np.zeros(inside.shape[1] * height + 2, np.uint8)
    columns = down[1:-1].reshape(-1, height)
    columns[:, y + top : y + top + inside.shape[0]] = cv2.transpose(inside.view(np.uint8))
    edges = np.flatnonzero(down[1:] != down[:-1])
    return edges.reshape(-1, 2) + (x + left) * height


def pixel_count(runs: np.ndarray) -> int:
    """Return how many pixels the runs hold."""
    return int((runs[:, 1] - runs[:, 0]).sum())


def encode_rles(runs: dict[int, np.ndarray], height: int, width: int) -> dict[int, dict[str, Any]]:
    """Return compressed RLE with text counts, ready for JSON, of each instance in an image of height x width."""
    if not runs:
        return {}
    plain = [{"size": [height, width], "counts": _counts(each, height * width)} for each in runs.values()]
    return {
        number: {"size": [height, width], "counts": rle["counts"].decode("ascii")}
        for number, rle in zip(runs, coco_mask.frPyObjects(plain, height, width), strict=True)
    }


def _counts(runs: np.ndarray, pixels: int) -> list[int]:
    """Return how many pixels are outside, inside, outside, …; the last count is left out where it is 0."""
    ends = runs.ravel() if runs.size and runs[-1, 1] == pixels else np.append(runs.ravel(), pixels)
    return [int(ends[0]), *np.diff(ends).tolist()]
