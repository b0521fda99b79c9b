# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and print on goods for their handling: shipping labels, barcodes, handling marks."""

from dataclasses import dataclass

import numpy as np

from blender.materials.markings import DECAL_LIFT_M, FacePlane
from blender.mesh.solids import Solid

PRINT_LIFT_M = DECAL_LIFT_M + 0.0004
WARNINGS = ("FRAGILE", "THIS SIDE UP", "HANDLE WITH CARE", "DO NOT STACK", "KEEP DRY")
LOCATION_CODES = ("A 12", "B 07", "C 31", "D 04", "E 19", "K 22")
# The wine glass of ISO 780 ("fragile"), 1 high, from its foot.
GLASS_OUTLINE = np.array(
    [
        *((-0.18, 0), (0.18, 0), (0.18, 0.06), (0.04, 0.1), (0.04, 0.42), (0.22, 0.62), (0.26, 1)),
        *((-0.26, 1), (-0.22, 0.62), (-0.04, 0.42), (-0.04, 0.1), (-0.18, 0.06)),
    ]
)


@dataclass(frozen=True)
class LabelSlots:
    """Material slots of paper, of barcodes, and of print on paper."""

    paper: int
    barcode: int
    ink: int


def shipping_label(
    face: FacePlane,
    center_m: tuple[float, float],
    size_m: tuple[float, float],
    slots: LabelSlots,
    title: str,
    turn_rad: float = 0,
) -> list[Solid]:
    """Return paper with a barcode along its lower edge and a title in large letters above.

    `turn_rad` turns the label counterclockwise about its center; the title stays level.
    """
    width, height = size_m
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)

    def on_label(right: float, up: float) -> tuple[float, float]:
        """Return the point of the face that is at this offset from the center of the label."""
        return center_m[0] + cos * right - sin * up, center_m[1] + sin * right + cos * up

    paper = face.rectangle(center_m, size_m, slots.paper, turn_rad)
    barcode_size = (0.8 * width, 0.26 * height)
    barcode = face.rectangle(on_label(0, -0.29 * height), barcode_size, slots.barcode, turn_rad, PRINT_LIFT_M)
    letter_m = min(0.22 * height, 0.8 * width / (0.8 * len(title)))
    title_center = on_label(-0.02 * width, 0.28 * height)
    return [paper, barcode, *face.text(title, title_center, letter_m, slots.ink, PRINT_LIFT_M)]


def handling_marks(face: FacePlane, center_m: tuple[float, float], height_m: float, slot: int) -> list[Solid]:
    """Return two arrows ("this side up") and a glass ("fragile") side by side, 1.6 times as wide as high."""
    x, y = center_m
    arrows = [face.arrow_up((x + shift * height_m, y), height_m, slot) for shift in (-0.6, -0.1)]
    return [*arrows, face.polygon((GLASS_OUTLINE - (0, 0.5)) * height_m + (x + 0.5 * height_m, y), slot)]
