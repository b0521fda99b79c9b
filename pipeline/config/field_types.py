# SPDX-License-Identifier: Apache-2.0
"""Types of the fields of the config: checked numbers, ranges, shares, and the base class of all sections."""

import json
import os.path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.common.plain_values import (
    AS_NUMBER,
    AS_SWITCH,
    AS_TEXT,
    AS_WHOLE_NUMBER,
    read_number,
    read_range,
    read_whole_number,
)

MAX_COUNT = 1000  # of one kind of object in an image; a hall holds far fewer

Fraction = Annotated[float, Field(ge=0, le=1), AS_NUMBER]
Count = Annotated[int, Field(ge=0), AS_WHOLE_NUMBER]
PositiveCount = Annotated[int, Field(ge=1), AS_WHOLE_NUMBER]
PositiveNumber = Annotated[float, Field(gt=0), AS_NUMBER]
Switch = Annotated[bool, AS_SWITCH]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64), AS_TEXT]
CategoryName = Annotated[str, Field(min_length=1), AS_TEXT]
UserPath = Annotated[str, Field(min_length=1), AS_TEXT, AfterValidator(os.path.expanduser)]


def none_as_empty(value: Any) -> Any:
    """Return {} for None: an empty section, such as one whose keys are all commented out, has its defaults."""
    return {} if value is None else value


class Section(BaseModel):
    """A part of the config. Unknown keys are refused; values cannot be changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _expand_none(cls, value: Any) -> Any:
        return none_as_empty(value)

    def as_text(self) -> str:
        """Return it as one line of JSON with sorted keys, as Snakemake hands it to a stage."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


class SeedSection(Section):
    """Only the seed of a section that has one."""

    seed: Count


class CocoSetSection(Section):
    """A COCO set of real images. Paths are absolute, or relative to the folder in which Snakemake runs."""

    annotations: UserPath = Field(description="path of the COCO file")
    images: UserPath = Field(description="folder that the file names in it are relative to")
    categories: Annotated[dict[CategoryName, CategoryName], BeforeValidator(none_as_empty)] = Field(
        {}, description="categories that are classes of another name, such as {person: pedestrian}"
    )


def check_limits(bounds: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    """Return a range.

    Raises:
        ValueError: it reaches beyond [low, high].
    """
    if bounds[0] < low or bounds[1] > high:
        raise ValueError(f"must lie within {low:g} and {high:g}")
    return bounds


# Closed ranges to draw from, [low, high] in YAML. A single number is the range that holds only this number.
FloatRange = Annotated[
    tuple[float, float],
    BeforeValidator(lambda value: read_range(value, read_number), json_schema_input_type=float | tuple[float, float]),
]
CountRange = Annotated[
    tuple[Count, Count],
    BeforeValidator(
        lambda value: check_limits(read_range(value, read_whole_number), 0, MAX_COUNT),
        json_schema_input_type=Count | tuple[Count, Count],
    ),
]


def within_limits(low: float, high: float) -> AfterValidator:
    """Return a validator that refuses ranges which reach beyond [low, high]."""
    return AfterValidator(lambda bounds: check_limits(bounds, low, high))


FractionRange = Annotated[FloatRange, within_limits(0, 1)]


def _check_positive_sum(shares: dict[str, float]) -> dict[str, float]:
    """Return the shares sorted by name: a random choice depends on their order, which must not be that of the file."""
    if sum(shares.values()) <= 0:
        raise ValueError("at least one share must be above 0")
    return dict(sorted(shares.items()))


PositiveSum = AfterValidator(_check_positive_sum)
