# SPDX-License-Identifier: Apache-2.0
"""Draw a violation of the audit for people: the instance enlarged, its mask, its silhouette and the pixels at fault."""

import textwrap

import cv2
import numpy as np

from pipeline.viz.overlays import FONT, PALETTE_RGB

VISIBLE_RGB, OUTLINE_RGB, VIOLATING_RGB = PALETTE_RGB[1], PALETTE_RGB[4], (213, 45, 0)
MASK_OPACITY, VIOLATING_OPACITY = 0.45, 0.85
MARGIN_PX = 12
LONG_SIDE_PX = 900
MIN_WIDTH_PX = 560
LINE_HEIGHT_PX = 20
LETTER_WIDTH_PX = 8
TEXT_SCALE = 0.45
BACKGROUND_GRAY, TEXT_GRAY = 24, 235


def draw_violation(
    image: np.ndarray, visible: np.ndarray, silhouette: np.ndarray, violating: np.ndarray, title: str
) -> np.ndarray:
    """Return the surroundings of an instance in `image` with a legend; both uint8 RGB (height, width, 3).

    The masks are bool (height, width) of the image: its visible pixels, its silhouette, the pixels at fault.
    """
    top, bottom, left, right = _crop_bounds(visible | silhouette | violating)
    scale = max(1, LONG_SIDE_PX // max(bottom - top, right - left))
    canvas, visible, silhouette, violating = (
        _enlarge(pixels[top:bottom, left:right], scale) for pixels in (image, visible, silhouette, violating)
    )
    _tint(canvas, visible.astype(bool), VISIBLE_RGB, MASK_OPACITY)
    _tint(canvas, violating.astype(bool), VIOLATING_RGB, VIOLATING_OPACITY)
    outlines, _ = cv2.findContours(silhouette, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, OUTLINE_RGB, 2 if scale > 1 else 1)
    return _add_legend(canvas, title)


def _crop_bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right around `mask` with a margin; those of the image if the mask is empty."""
    if not mask.any():
        return 0, mask.shape[0], 0, mask.shape[1]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        max(rows[0] - MARGIN_PX, 0),
        min(rows[-1] + 1 + MARGIN_PX, mask.shape[0]),
        max(columns[0] - MARGIN_PX, 0),
        min(columns[-1] + 1 + MARGIN_PX, mask.shape[1]),
    )


def _enlarge(pixels: np.ndarray, scale: int) -> np.ndarray:
    contiguous = np.ascontiguousarray(pixels).view(np.uint8)
    return cv2.resize(contiguous, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)


def _tint(canvas: np.ndarray, mask: np.ndarray, color_rgb: tuple[int, int, int], opacity: float) -> None:
    canvas[mask] = (canvas[mask] * (1 - opacity) + np.array(color_rgb) * opacity).astype(np.uint8)


def _add_legend(drawing: np.ndarray, title: str) -> np.ndarray:
    """Return `drawing` with the title and the meaning of the colors below it."""
    width = max(drawing.shape[1], MIN_WIDTH_PX)
    entries = [(None, line) for line in textwrap.wrap(title, width // LETTER_WIDTH_PX)]
    entries += [(VISIBLE_RGB, "visible mask (from Cycles)"), (OUTLINE_RGB, "silhouette (from the triangles)")]
    entries += [(VIOLATING_RGB, "pixels at fault")]
    page = np.full((drawing.shape[0] + LINE_HEIGHT_PX * len(entries) + 10, width, 3), BACKGROUND_GRAY, np.uint8)
    page[: drawing.shape[0], : drawing.shape[1]] = drawing
    for number, (color_rgb, text) in enumerate(entries, 1):
        baseline_y = drawing.shape[0] + LINE_HEIGHT_PX * number
        if color_rgb:
            cv2.rectangle(page, (8, baseline_y - 11), (20, baseline_y), color_rgb, cv2.FILLED)
        start = (28 if color_rgb else 8, baseline_y)
        cv2.putText(page, text, start, FONT, TEXT_SCALE, (TEXT_GRAY,) * 3, 1, cv2.LINE_AA)
    return page
