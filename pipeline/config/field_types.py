# SPDX-License-Identifier: Apache-2.0
"""What sections of the config are made of: checked numbers, ranges to draw from, shares."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


class Section(BaseModel):
    """A part of the config: unknown keys are refused, values cannot be changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_text(self) -> str:
        """Return it as one line of JSON with sorted keys, as Snakemake hands it to a stage."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


class SeedSection(Section):
    """The seed alone of a section that has one."""

    seed: Annotated[int, Field(ge=0)]


class CocoSetSection(Section):
    """A COCO set of real images. Paths are absolute or start where Snakemake runs."""

    annotations: Annotated[str, Field(min_length=1, description="its COCO file")]
    images: Annotated[str, Field(min_length=1, description="folder that its file names start from")]


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"the low end {ends[0]} is above the high end {ends[1]}")
    return ends


def _pair(value: Any) -> Any:
    """Take a single number for the range that holds it alone."""
    return [value, value] if isinstance(value, int | float) and not isinstance(value, bool) else value


# Closed ranges to draw from, written [low, high] in YAML; a single number is the range that holds it alone.
FloatRange = Annotated[
    tuple[float, float],
    AfterValidator(_ordered),
    BeforeValidator(_pair, json_schema_input_type=float | tuple[float, float]),
]
CountRange = Annotated[
    tuple[Count, Count],
    AfterValidator(_ordered),
    BeforeValidator(_pair, json_schema_input_type=Count | tuple[Count, Count]),
]


def within_limits(low: float, high: float) -> AfterValidator:
    """Refuse ranges that reach beyond [low, high]."""

    def check_ends(ends: tuple[float, float]) -> tuple[float, float]:
        if ends[0] < low or ends[1] > high:
            raise ValueError(f"must lie within {low:g} and {high:g}")
        return ends

    return AfterValidator(check_ends)


FractionRange = Annotated[FloatRange, within_limits(0, 1)]


def _some_share(shares: dict[str, float]) -> dict[str, float]:
    if sum(shares.values()) <= 0:
        raise ValueError("at least one share must be above 0")
    return shares


PositiveSum = AfterValidator(_some_share)
