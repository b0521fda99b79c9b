# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stuck on goods and printed on them for those who handle them: shipping labels, barcodes, handling marks."""

from dataclasses import dataclass

import numpy as np

from blender.materials.markings import DECAL_LIFT_M, FacePlane
from blender.mesh.solids import Solid

PRINT_LIFT_M = DECAL_LIFT_M + 0.0004
WARNINGS = ("FRAGILE", "THIS SIDE UP", "HANDLE WITH CARE", "DO NOT STACK", "KEEP DRY")
LOCATION_CODES = ("A 12", "B 07", "C 31", "D 04", "E 19", "K 22")
# After ISO 780: a wine glass, in a cell 1 high.
GLASS = np.array([(-0.18, 0), (0.18, 0), (0.18, 0.06), (0.04, 0.1), (0.04, 0.42), (0.22, 0.62), (0.26, 1), (-0.26, 1),
                  (-0.22, 0.62), (-0.04, 0.42), (-0.04, 0.1), (-0.18, 0.06)])  # fmt: skip


@dataclass(frozen=True)
class LabelSlots:
    """Material slots of paper, barcodes and what is printed on paper."""

    paper: int
    barcode: int
    ink: int


def shipping_label(
    face: FacePlane,
    center_m: tuple[float, float],
    size_m: tuple[float, float],
    inks: LabelSlots,
    title: str,
    turn: float = 0,
) -> list[Solid]:
    """Paper with lines of print, a barcode along its lower edge and a title in large letters above."""
    width, height = size_m
    solids = [face.rectangle(center_m, size_m, inks.paper, turn)]
    cos, sin = np.cos(turn), np.sin(turn)

    def place(right: float, up: float) -> tuple[float, float]:
        return center_m[0] + cos * right - sin * up, center_m[1] + sin * right + cos * up

    bars = (0.8 * width, 0.26 * height)
    solids.append(face.rectangle(place(0, -0.29 * height), bars, inks.barcode, turn, PRINT_LIFT_M))
    letter = min(0.22 * height, 0.8 * width / (0.8 * len(title)))
    return solids + face.text(title, place(-0.02 * width, 0.28 * height), letter, inks.ink, PRINT_LIFT_M)


def handling_marks(face: FacePlane, center_m: tuple[float, float], height_m: float, slot: int) -> list[Solid]:
    """Two arrows (this side up) and a glass (fragile) side by side, 1.6 times as wide as high."""
    x, y = center_m
    arrows = [face.arrow_up((x + shift * height_m, y), height_m, slot) for shift in (-0.6, -0.1)]
    return [*arrows, face.polygon((GLASS - (0, 0.5)) * height_m + (x + 0.5 * height_m, y), slot)]
