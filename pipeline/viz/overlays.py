# SPDX-License-Identifier: Apache-2.0
"""Masks and boxes drawn on images: truth or predictions, for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Okabe and Ito 2008, "Color Universal Design": told apart with any colour vision. First pedestrian, then pallet truck.
PALETTE_RGB = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (0, 114, 178))
CROWD_RGB = (150, 150, 150)
MASK_OPACITY = 0.4
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class OverlayObject:
    """One object to draw: `box` (x, y, width, height) in pixels, `mask` uint8 (height, width) of the image's size."""

    text: str
    color_rgb: tuple[int, int, int]
    box: tuple[float, float, float, float]
    mask: np.ndarray | None = None


def class_color(number: int) -> tuple[int, int, int]:
    """Return the colour of the category at this place of a file's categories, counted from 0."""
    return PALETTE_RGB[number % len(PALETTE_RGB)]


def draw_overlay(image: np.ndarray, marks: Sequence[OverlayObject]) -> np.ndarray:
    """Return a copy of `image`, uint8 RGB (height, width, 3), with the marks on it: masks, then boxes, then names."""
    drawn = image.copy()
    thickness = max(1, round(max(image.shape) / 600))
    for mark in marks:
        if mark.mask is not None:
            _draw_mask(drawn, mark.mask, mark.color_rgb, thickness)
    for mark in marks:
        x, y, width, height = mark.box
        ends = (round(x), round(y)), (round(x + width) - 1, round(y + height) - 1)
        cv2.rectangle(drawn, *ends, mark.color_rgb, thickness)
    for mark in marks:
        _draw_name(drawn, mark, thickness)
    return drawn


def _draw_mask(drawn: np.ndarray, mask: np.ndarray, color_rgb: tuple[int, int, int], thickness: int) -> None:
    inside = mask.astype(bool)
    drawn[inside] = (drawn[inside] * (1 - MASK_OPACITY) + np.array(color_rgb) * MASK_OPACITY).astype(np.uint8)
    # Outlines keep two people apart who stand in front of each other in the same colour.
    outlines, _ = cv2.findContours(inside.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, color_rgb, thickness)


def _draw_name(drawn: np.ndarray, mark: OverlayObject, thickness: int) -> None:
    """Write the name on a plate of the mark's colour above the box, below its top edge where no room is left."""
    if not mark.text:
        return
    scale = max(0.35, max(drawn.shape) / 1600)
    (width, height), descent = cv2.getTextSize(mark.text, FONT, scale, thickness)
    plate_height = height + descent + 2
    left = min(max(round(mark.box[0]), 0), max(drawn.shape[1] - width - 4, 0))
    top = round(mark.box[1]) - plate_height
    top = top if top >= 0 else max(round(mark.box[1]), 0)
    cv2.rectangle(drawn, (left, top), (left + width + 3, top + plate_height), mark.color_rgb, cv2.FILLED)
    cv2.putText(drawn, mark.text, (left + 2, top + height + 1), FONT, scale, (0, 0, 0), thickness, cv2.LINE_AA)
