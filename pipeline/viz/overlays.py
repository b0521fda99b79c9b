# SPDX-License-Identifier: Apache-2.0
"""Draw masks, boxes and names of objects on images: ground truth or predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Okabe and Ito 2008, "Color Universal Design": different for any color vision. First pedestrian, then pallet truck.
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


def class_color(class_index: int) -> tuple[int, int, int]:
    """Return the RGB color of the category at this index, from 0, of the categories of a file."""
    return PALETTE_RGB[class_index % len(PALETTE_RGB)]


def draw_overlay(image: np.ndarray, objects: Sequence[OverlayObject]) -> np.ndarray:
    """Return a copy of `image`, uint8 RGB (height, width, 3), with objects: all masks, then all boxes, then all names.

    The last object is on top.
    """
    canvas = image.copy()
    thickness = max(1, round(max(image.shape) / 600))
    for each in objects:
        if each.mask is not None:
            _draw_mask(canvas, each.mask, each.color_rgb, thickness)
    for each in objects:
        x, y, width, height = each.box
        corners = (round(x), round(y)), (round(x + width) - 1, round(y + height) - 1)
        cv2.rectangle(canvas, *corners, each.color_rgb, thickness)
    for each in objects:
        _draw_text_plate(canvas, each, thickness)
    return canvas


def _draw_mask(canvas: np.ndarray, mask: np.ndarray, color_rgb: tuple[int, int, int], thickness: int) -> None:
    inside = mask.astype(bool)
    canvas[inside] = (canvas[inside] * (1 - MASK_OPACITY) + np.array(color_rgb) * MASK_OPACITY).astype(np.uint8)
    # Outlines separate people of the same color who stand in front of each other.
    outlines, _ = cv2.findContours(inside.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, color_rgb, thickness)


def _draw_text_plate(canvas: np.ndarray, drawn: OverlayObject, thickness: int) -> None:
    """Write the text on a plate of the object's color above its box, or inside the box if there is no room above."""
    if not drawn.text:
        return
    scale = max(0.35, max(canvas.shape) / 1600)
    (width, height), descent = cv2.getTextSize(drawn.text, FONT, scale, thickness)
    plate_height = height + descent + 2
    left = min(max(round(drawn.box[0]), 0), max(canvas.shape[1] - width - 4, 0))
    top = round(drawn.box[1]) - plate_height
    top = top if top >= 0 else max(round(drawn.box[1]), 0)
    cv2.rectangle(canvas, (left, top), (left + width + 3, top + plate_height), drawn.color_rgb, cv2.FILLED)
    cv2.putText(canvas, drawn.text, (left + 2, top + height + 1), FONT, scale, (0, 0, 0), thickness, cv2.LINE_AA)
