# SPDX-License-Identifier: Apache-2.0
"""The parts of the floor where people walk and cameras hang."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FloorArea:
    """A rectangle where people walk and cameras hang; traffic goes along `heading_deg` and back."""

    low_m: tuple[float, float]
    high_m: tuple[float, float]
    heading_deg: float

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Return a point (2,) in it."""
        return random.uniform(self.low_m, self.high_m)

    def area_m2(self) -> float:
        return (self.high_m[0] - self.low_m[0]) * (self.high_m[1] - self.low_m[1])
