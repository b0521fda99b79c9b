# SPDX-License-Identifier: Apache-2.0
"""A figure that was measured several times: its mean, and how far the measurements lie apart."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Of several measurements, at least one."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    @property
    def half_width(self) -> float:
        """Half of the way from the least to the most."""
        return (max(self.values) - min(self.values)) / 2

    def __str__(self) -> str:
        apart = f" ±{self.half_width:.2f}" if len(self.values) > 1 else ""
        return f"{self.mean:.2f}{apart}"


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """Return the spread of what is there; None if nothing is."""
    there = tuple(value for value in values if value is not None)
    return Spread(there) if there else None
