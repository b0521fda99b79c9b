# SPDX-License-Identifier: Apache-2.0
"""Types of the fields of the config: checked numbers, ranges, shares, and the base class of all sections."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


class Section(BaseModel):
    """A part of the config. Unknown keys are refused; values cannot be changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def as_text(self) -> str:
        """Return it as one line of JSON with sorted keys, as Snakemake hands it to a stage."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


class SeedSection(Section):
    """Only the seed of a section that has one."""

    seed: Annotated[int, Field(ge=0)]


class CocoSetSection(Section):
    """A COCO set of real images. Paths are absolute, or relative to the folder in which Snakemake runs."""

    annotations: Annotated[str, Field(min_length=1, description="path of the COCO file")]
    images: Annotated[str, Field(min_length=1, description="folder that the file names in it are relative to")]


def _check_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the low end {bounds[0]} is above the high end {bounds[1]}")
    return bounds


def _expand_number(value: Any) -> Any:
    """Return the range that holds only the number, if `value` is a number."""
    return [value, value] if isinstance(value, int | float) and not isinstance(value, bool) else value


# Closed ranges to draw from, [low, high] in YAML. A single number is the range that holds only this number.
FloatRange = Annotated[
    tuple[float, float],
    AfterValidator(_check_order),
    BeforeValidator(_expand_number, json_schema_input_type=float | tuple[float, float]),
]
CountRange = Annotated[
    tuple[Count, Count],
    AfterValidator(_check_order),
    BeforeValidator(_expand_number, json_schema_input_type=Count | tuple[Count, Count]),
]


def within_limits(low: float, high: float) -> AfterValidator:
    """Return a validator that refuses ranges which reach beyond [low, high]."""

    def check_bounds(bounds: tuple[float, float]) -> tuple[float, float]:
        if bounds[0] < low or bounds[1] > high:
            raise ValueError(f"must lie within {low:g} and {high:g}")
        return bounds

    return AfterValidator(check_bounds)


FractionRange = Annotated[FloatRange, within_limits(0, 1)]


def _check_positive_sum(shares: dict[str, float]) -> dict[str, float]:
    """Return the shares sorted by name: a random choice depends on their order, and it must not depend on the file's."""
    if sum(shares.values()) <= 0:
        raise ValueError("at least one share must be above 0")
    return dict(sorted(shares.items()))


PositiveSum = AfterValidator(_check_positive_sum)
