# SPDX-License-Identifier: Apache-2.0
"""The entries of COCO files and COCO results, as they are after the check. Keys that COCO does not know are kept."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from pipeline.common import path_checks
from pipeline.common.errors import CaristeError

MAX_PROBLEMS_SHOWN = 10
# Tools round boxes differently: one pixel beyond the border is rounding, more is a mistake.
BOX_TOLERANCE_PX = 1.0
# No image file is larger. Masks of larger sizes would take all memory.
MAX_SIDE_PX = 100_000

# COCO has integers; VIA and FiftyOne also write text. Ids are kept as they are, so that results fit the file.
Id = int | str
Side = Annotated[int, Field(gt=0, le=MAX_SIDE_PX)]
Box = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]


class CocoError(CaristeError):
    """A COCO file or one of its images cannot be used; each line names the file, the entry and the reason."""


class Entry(BaseModel):
    """Base of all entries. Keys that are not declared are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class CocoImage(Entry):
    """An entry of `images`; sizes are in pixels."""

    id: Id
    file_name: str
    width: Side
    height: Side


class Category(Entry):
    """An entry of `categories`."""

    id: Id
    name: str


class Rle(Entry):
    """Run lengths down the columns; `size`: (height, width), `counts`: compressed (text) or not (integers)."""

    size: tuple[int, int]
    counts: str | list[int]


class Annotation(Entry):
    """An annotated object; `bbox`: (x, y, width, height) in pixels, `segmentation`: RLE, polygons (x, y, …) or None."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: Box
    area: FiniteFloat | None = None
    iscrowd: Annotated[int, Field(ge=0, le=1)] = 0
    segmentation: Rle | list[Annotated[list[FiniteFloat], Field(min_length=6)]] | None = None

    @field_validator("segmentation")
    @classmethod
    def _empty_list_means_none(cls, value: Rle | list | None) -> Rle | list | None:
        return None if value == [] else value


class Detection(Entry):
    """An entry of a COCO results file; `bbox`: (x, y, width, height) in pixels."""

    image_id: Id
    category_id: Id
    bbox: Box
    score: FiniteFloat
    segmentation: Rle | None = None


def one_line(text: str) -> str:
    """Return text for a message or the log: line breaks and what cannot be printed are escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def raise_problems(path: Path, problems: Iterable[str]) -> None:
    """Raise if there are problems.

    Raises:
        CocoError: one line per problem, after `path`; the first ten, then how many more there are.
    """
    where = path_checks.shown(path)
    lines = [f"{where}: {one_line(problem)}" for problem in problems]
    if len(lines) > MAX_PROBLEMS_SHOWN:
        lines[MAX_PROBLEMS_SHOWN:] = [f"{where}: and {len(lines) - MAX_PROBLEMS_SHOWN} more"]
    if lines:
        raise CocoError("\n".join(lines))
