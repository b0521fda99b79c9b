# SPDX-License-Identifier: Apache-2.0
"""COCO detection files: read and check them, decode their masks.

In a file that is read here, ids are unique, every reference leads to an entry, every box has an area and lies in its
image, and every mask has the size of its image. Keys that COCO does not know are kept in `model_extra`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from faster_coco_eval import mask as coco_mask
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError, field_validator

from pipeline.common.errors import CaristeError

# Tools round boxes differently: one pixel beyond the border is rounding, more is a mistake.
BOX_TOLERANCE_PX = 1.0
MAX_PROBLEMS_SHOWN = 10

Box = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]


class CocoError(CaristeError):
    """A COCO file or one of its images cannot be used; each line names the file, the entry and the reason."""


class Entry(BaseModel):
    """Base of all entries. Keys that are not declared are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class CocoImage(Entry):
    """An entry of `images`; sizes are in pixels."""

    id: int
    file_name: str
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class Category(Entry):
    """An entry of `categories`."""

    id: int
    name: str


class Rle(Entry):
    """Run lengths down the columns; `size`: (height, width), `counts`: compressed (text) or not (integers)."""

    size: tuple[int, int]
    counts: str | list[int]


class Annotation(Entry):
    """An annotated object; `bbox`: (x, y, width, height) in pixels, `segmentation`: RLE, polygons (x, y, …) or None."""

    id: int
    image_id: int
    category_id: int
    bbox: Box
    area: FiniteFloat | None = None
    iscrowd: Literal[0, 1] = 0
    segmentation: Rle | list[Annotated[list[FiniteFloat], Field(min_length=6)]] | None = None

    @field_validator("segmentation", mode="before")
    @classmethod
    def _empty_list_means_none(cls, value: Any) -> Any:
        return None if value == [] else value


class Detection(Entry):
    """An entry of a COCO results file; `bbox`: (x, y, width, height) in pixels."""

    image_id: int
    category_id: int
    bbox: Box
    score: FiniteFloat
    segmentation: Rle | None = None


class _Document(Entry):
    info: dict[str, Any] = {}
    images: list[CocoImage]
    annotations: list[Annotation]
    categories: list[Category]


@dataclass(frozen=True)
class CocoFile:
    """A checked COCO file; `path` is for messages."""

    path: Path
    info: dict[str, Any]
    images: tuple[CocoImage, ...]
    annotations: tuple[Annotation, ...]
    categories: tuple[Category, ...]

    def annotations_by_image(self) -> dict[int, list[Annotation]]:
        """Return the annotations of every image by its id, in file order; an empty list for images without any."""
        grouped: dict[int, list[Annotation]] = {image.id: [] for image in self.images}
        for annotation in self.annotations:
            grouped[annotation.image_id].append(annotation)
        return grouped

    def decode_mask(self, annotation: Annotation, image: CocoImage) -> np.ndarray | None:
        """Return the mask of an annotation, uint8 (height, width) of 0 and 1, None if it has no segmentation.

        Raises:
            CocoError: run lengths that do not fill the image.
        """
        if annotation.segmentation is None:
            return None
        where = f"{self.path}: annotation {annotation.id}: segmentation"
        return decode_segmentation(annotation.segmentation, image.height, image.width, where)


def decode_segmentation(segmentation: Rle | list[list[float]], height: int, width: int, where: str) -> np.ndarray:
    """Return RLE or polygons as a mask, uint8 (height, width) of 0 and 1.

    Raises:
        CocoError: run lengths that do not fill the image; the message begins with `where`.
    """
    try:
        return coco_mask.decode(to_rle(segmentation, height, width))
    except (ValueError, RuntimeError) as error:
        raise CocoError(f"{where}: {error}") from None


def to_rle(segmentation: Rle | list[list[float]], height: int, width: int) -> dict[str, Any]:
    """Return RLE or polygons as compressed RLE: {"size": [height, width], "counts": text or bytes}."""
    values = segmentation.model_dump(include={"size", "counts"}) if isinstance(segmentation, Rle) else segmentation
    return coco_mask.segmToRle(values, width, height)


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """Return a mask, bool or uint8 (height, width), as compressed RLE with text counts, ready for JSON."""
    encoded = coco_mask.encode(np.asfortranarray(mask).view(np.uint8))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}


def read_coco(path: str | Path) -> CocoFile:
    """Read and check a COCO detection file.

    Raises:
        CocoError: no such file, not JSON, or wrong entries, one line each (the first ten).
    """
    path = Path(path)
    document = _parse(path, TypeAdapter(_Document))
    coco = CocoFile(
        path,
        document.info,
        tuple(document.images),
        tuple(document.annotations),
        tuple(document.categories),
    )
    raise_problems(path, _problems(coco))
    return coco


def read_results(path: str | Path, coco: CocoFile) -> tuple[Detection, ...]:
    """Read a COCO results file for the images of `coco`.

    Raises:
        CocoError: as in `read_coco`; also for images and categories that `coco` does not have.
    """
    path = Path(path)
    detections = tuple(_parse(path, TypeAdapter(list[Detection])))
    raise_problems(path, _result_problems(detections, coco))
    return detections


def _parse(path: Path, adapter: TypeAdapter) -> Any:
    try:
        return adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise CocoError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise_problems(path, (_format_error(problem) for problem in error.errors(include_url=False)))
        raise


def _format_error(problem: dict[str, Any]) -> str:
    if problem["type"] == "json_invalid":
        return f"not JSON: {problem['ctx']['error']}"
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    return f"{path or 'the file'}: {problem['msg']}, not {str(problem['input'])[:60]!r}"


def raise_problems(path: Path, problems: Iterable[str]) -> None:
    """Raise a CocoError with one line for each problem, the first ten, if there are any."""
    lines = [f"{path}: {problem}" for problem in problems]
    if len(lines) > MAX_PROBLEMS_SHOWN:
        lines[MAX_PROBLEMS_SHOWN:] = [f"{path}: and {len(lines) - MAX_PROBLEMS_SHOWN} more"]
    if lines:
        raise CocoError("\n".join(lines))


def _problems(coco: CocoFile) -> Iterator[str]:
    yield from _duplicates("image id", (image.id for image in coco.images))
    yield from _duplicates("annotation id", (annotation.id for annotation in coco.annotations))
    yield from _duplicates("category id", (category.id for category in coco.categories))
    yield from _duplicates("category name", (category.name for category in coco.categories))
    images = {image.id: image for image in coco.images}
    categories = {category.id for category in coco.categories}
    for annotation in coco.annotations:
        image = images.get(annotation.image_id)
        if annotation.category_id not in categories:
            yield f"annotation {annotation.id}: category {annotation.category_id} is not in the file's categories"
        if image is None:
            yield f"annotation {annotation.id}: image {annotation.image_id} is not in the file's images"
        else:
            yield from (f"annotation {annotation.id}: {reason}" for reason in _geometry_problems(annotation, image))


def _geometry_problems(annotation: Annotation, image: CocoImage) -> Iterator[str]:
    x, y, width, height = annotation.bbox
    if width <= 0 or height <= 0:
        yield f"bbox {list(annotation.bbox)} has no area (COCO boxes are x, y, width, height)"
    elif min(x, y, image.width - x - width, image.height - y - height) < -BOX_TOLERANCE_PX:
        yield f"bbox {list(annotation.bbox)} (x, y, width, height) reaches outside {_describe_image(image)}"
    if isinstance(annotation.segmentation, Rle):
        yield from _rle_problems(annotation.segmentation, image)


def _rle_problems(segmentation: Rle, image: CocoImage) -> Iterator[str]:
    """Yield all problems that show without decoding. `CocoFile.decode_mask` finds runs that end too early."""
    if segmentation.size != (image.height, image.width):
        yield f"segmentation has size (height, width) {segmentation.size}, unlike {_describe_image(image)}"
        return
    try:
        coco_mask.area(to_rle(segmentation, image.height, image.width))
    except (ValueError, RuntimeError) as error:
        yield f"segmentation: {error}"


def _describe_image(image: CocoImage) -> str:
    return f"the image {image.file_name} of {image.width}x{image.height}"


def _result_problems(detections: Sequence[Detection], coco: CocoFile) -> Iterator[str]:
    images = {image.id: image for image in coco.images}
    categories = {category.id for category in coco.categories}
    for number, detection in enumerate(detections):
        image = images.get(detection.image_id)
        if detection.category_id not in categories:
            yield f"[{number}]: category {detection.category_id} is not in {coco.path}"
        if image is None:
            yield f"[{number}]: image {detection.image_id} is not in {coco.path}"
        elif detection.segmentation is not None:
            yield from (f"[{number}]: {reason}" for reason in _rle_problems(detection.segmentation, image))


def _duplicates(noun: str, values: Iterable[int | str]) -> Iterator[str]:
    counts = Counter(values)
    yield from (f"{noun} {value!r} is used {count} times" for value, count in counts.items() if count > 1)
