# SPDX-License-Identifier: Apache-2.0
"""Rectangles of floor: where people walk, where cameras hang, where a layout puts its goods."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FloorArea:
    """A rectangle of floor along the axes of the hall; people and trucks move along `heading_deg` and back."""

    low_m: tuple[float, float]
    high_m: tuple[float, float]
    heading_deg: float

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Return a random point (2,) of the rectangle."""
        return random.uniform(self.low_m, self.high_m)

    def area_m2(self) -> float:
        return (self.high_m[0] - self.low_m[0]) * (self.high_m[1] - self.low_m[1])


def floor_area(low_m: Iterable[float], high_m: Iterable[float], heading_deg: float = 0.0) -> FloorArea:
    """Return a FloorArea of plain floats."""
    return FloorArea(tuple(map(float, low_m)), tuple(map(float, high_m)), heading_deg)


def shrink_area(area: FloorArea, margin_m: float = 0.6, heading_deg: float = 0.0) -> FloorArea:
    """Return the area without a margin on every side."""
    return floor_area(np.add(area.low_m, margin_m), np.subtract(area.high_m, margin_m), heading_deg)


def draw_by_area(random: np.random.Generator, areas: list[FloorArea]) -> FloorArea:
    """Return one of the areas, drawn in proportion to its size."""
    sizes = np.array([area.area_m2() for area in areas])
    return areas[random.choice(len(sizes), p=sizes / sizes.sum())]
