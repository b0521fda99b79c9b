# SPDX-License-Identifier: Apache-2.0
"""A value that was measured several times: its mean and how far the measurements differ."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """At least one measurement of a value."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return sum(self.values) / len(self.values)

    @property
    def half_range(self) -> float:
        """Half of the difference between the largest and the smallest measurement."""
        return (max(self.values) - min(self.values)) / 2

    def __str__(self) -> str:
        plus_minus = f" ±{self.half_range:.2f}" if len(self.values) > 1 else ""
        return f"{self.mean:.2f}{plus_minus}"


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """Return the spread of the values that are not None; None if all are."""
    present = tuple(value for value in values if value is not None)
    return Spread(present) if present else None
