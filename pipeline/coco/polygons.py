# SPDX-License-Identifier: Apache-2.0
"""Masks as COCO polygons that follow the edges of the pixels: drawn again they give every pixel back."""

import itertools

import cv2
import numpy as np


def mask_to_polygons(mask: np.ndarray) -> list[list[int]]:
    """Return polygons [x, y, x, y, …] in pixels whose union is `mask`, bool (height, width).

    COCO's polygons cannot have holes. Where a mask has some, it is cut into upright strips through the middle of each
    hole, so that every hole is open to a side of its strip; the strips' polygons meet at the cuts.
    """
    if not mask.any():
        return []
    cuts = [0, *_middles_of_holes(mask), mask.shape[1]]
    return [polygon for left, right in itertools.pairwise(cuts) for polygon in _outlines(mask[:, left:right], left)]


def _middles_of_holes(mask: np.ndarray) -> list[int]:
    """Return the middle column of each hole, sorted, each once."""
    contours, hierarchy = cv2.findContours(_padded(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # A contour with a parent is the border of a hole, drawn on the pixels around it; -1 for the padding.
    holes = (contour[:, 0, 0] - 1 for contour, (*_, parent) in zip(contours, hierarchy[0], strict=True) if parent >= 0)
    return sorted({int(columns.min() + columns.max() + 1) // 2 for columns in holes})


def _outlines(mask: np.ndarray, left: int) -> list[list[int]]:
    # OpenCV's contours run through pixel centres. With every pixel doubled, a contour point is at 2 i for the left edge
    # of pixel i and at 2 i + 1 for its right edge: (p + 1) // 2 is the edge.
    doubled = np.repeat(np.repeat(_padded(mask), 2, axis=0), 2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [_corners((contour[:, 0] + 1) // 2 - 1 + (left, 0)).ravel().tolist() for contour in contours]


def _corners(points: np.ndarray) -> np.ndarray:
    """Leave out points that repeat their predecessor, then those on the straight line between their neighbours."""
    points = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    return points[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]


def _padded(mask: np.ndarray) -> np.ndarray:
    return np.pad(mask, 1).view(np.uint8)
