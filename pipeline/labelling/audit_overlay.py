# SPDX-License-Identifier: Apache-2.0
"""A violation of the audit as an image for people: the instance enlarged, its mask, its silhouette, what is wrong."""

import textwrap

import cv2
import numpy as np

from pipeline.viz.overlays import FONT, PALETTE_RGB

VISIBLE_RGB, OUTLINE_RGB, WRONG_RGB = PALETTE_RGB[1], PALETTE_RGB[4], (213, 45, 0)
MASK_OPACITY, WRONG_OPACITY = 0.45, 0.85
MARGIN_PX = 12
LONG_SIDE_PX = 900
MIN_WIDTH_PX = 560
LINE_PX = 20


def draw_violation(
    image: np.ndarray, visible: np.ndarray, whole: np.ndarray, wrong: np.ndarray, title: str
) -> np.ndarray:
    """Return uint8 RGB: the surroundings of an instance in `image`, uint8 RGB (height, width, 3), and a legend.

    The masks are bool (height, width): its visible pixels, its silhouette in the frame, the pixels that violate.
    """
    top, bottom, left, right = _surroundings(visible | whole | wrong)
    scale = max(1, LONG_SIDE_PX // max(bottom - top, right - left))
    shown, visible, whole, wrong = (
        _enlarged(pixels[top:bottom, left:right], scale) for pixels in (image, visible, whole, wrong)
    )
    _tint(shown, visible.astype(bool), VISIBLE_RGB, MASK_OPACITY)
    _tint(shown, wrong.astype(bool), WRONG_RGB, WRONG_OPACITY)
    outlines, _ = cv2.findContours(whole, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, OUTLINE_RGB, 2 if scale > 1 else 1)
    return _with_legend(shown, title)


def _surroundings(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right around `mask` with a margin; of the whole image if it is empty."""
    if not mask.any():
        return 0, mask.shape[0], 0, mask.shape[1]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        max(rows[0] - MARGIN_PX, 0),
        min(rows[-1] + 1 + MARGIN_PX, mask.shape[0]),
        max(columns[0] - MARGIN_PX, 0),
        min(columns[-1] + 1 + MARGIN_PX, mask.shape[1]),
    )


def _enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    whole = np.ascontiguousarray(pixels).view(np.uint8)
    return cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)


def _tint(shown: np.ndarray, where: np.ndarray, color_rgb: tuple[int, int, int], opacity: float) -> None:
    shown[where] = (shown[where] * (1 - opacity) + np.array(color_rgb) * opacity).astype(np.uint8)


def _with_legend(shown: np.ndarray, title: str) -> np.ndarray:
    width = max(shown.shape[1], MIN_WIDTH_PX)
    entries = [(None, line) for line in textwrap.wrap(title, width // 8)]
    entries += [(VISIBLE_RGB, "visible mask (from Cycles)"), (OUTLINE_RGB, "silhouette (from the triangles)")]
    entries += [(WRONG_RGB, "what violates")]
    page = np.full((shown.shape[0] + LINE_PX * len(entries) + 10, width, 3), 24, np.uint8)
    page[: shown.shape[0], : shown.shape[1]] = shown
    for number, (color_rgb, text) in enumerate(entries):
        base = shown.shape[0] + LINE_PX * (number + 1)
        if color_rgb:
            cv2.rectangle(page, (8, base - 11), (20, base), color_rgb, cv2.FILLED)
        cv2.putText(page, text, (28 if color_rgb else 8, base), FONT, 0.45, (235, 235, 235), 1, cv2.LINE_AA)
    return page
