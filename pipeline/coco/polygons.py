# SPDX-License-Identifier: Apache-2.0
"""Masks as COCO polygons along the edges of the pixels: drawing the polygons gives exactly the mask."""

import itertools

import cv2
import numpy as np


def mask_to_polygons(mask: np.ndarray) -> list[list[int]]:
    """Return polygons [x, y, x, y, …] in pixels whose union is `mask`, bool (height, width).

    COCO's polygons cannot have holes. So a mask with holes is cut into vertical strips through the middle of each hole:
    every hole is open to a side of its strip. The polygons of the strips meet at the cuts.
    """
    if not mask.any():
        return []
    borders = [0, *_hole_center_columns(mask), mask.shape[1]]
    return [polygon for left, right in itertools.pairwise(borders) for polygon in _outlines(mask[:, left:right], left)]


def drop_collinear_points(points: np.ndarray) -> np.ndarray:
    """Return the points, int (n, 2), of a closed path at which its direction changes. Reversals are kept."""
    points = points.astype(np.int64)
    distinct = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
    if not distinct.size:
        return points[:1]
    before, after = distinct - np.roll(distinct, 1, axis=0), np.roll(distinct, -1, axis=0) - distinct
    is_straight = before[:, 0] * after[:, 1] == before[:, 1] * after[:, 0]
    return distinct[~is_straight | ((before * after).sum(axis=1) < 0)]


def _hole_center_columns(mask: np.ndarray) -> list[int]:
    """Return the middle column of each hole, sorted and unique."""
    contours, hierarchy = cv2.findContours(_pad_by_one(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # A contour with a parent is the border of a hole, drawn on the pixels around it; -1 undoes the padding.
    holes = (contour[:, 0, 0] - 1 for contour, (*_, parent) in zip(contours, hierarchy[0], strict=True) if parent >= 0)
    return sorted({int(columns.min() + columns.max() + 1) // 2 for columns in holes})


def _outlines(mask: np.ndarray, left: int) -> list[list[int]]:
    """Return the outer polygons of a strip whose first column is column `left` of the image."""
    # OpenCV's contours run through pixel centers. With every pixel doubled, a contour point is at 2 i for the left edge
    # of pixel i and at 2 i + 1 for its right edge: (p + 1) // 2 is the edge.
    doubled = np.repeat(np.repeat(_pad_by_one(mask), 2, axis=0), 2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [drop_collinear_points((contour[:, 0] + 1) // 2 - 1 + (left, 0)).ravel().tolist() for contour in contours]


def _pad_by_one(mask: np.ndarray) -> np.ndarray:
    return np.pad(mask, 1).view(np.uint8)
