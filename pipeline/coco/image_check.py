# SPDX-License-Identifier: Apache-2.0
"""Check that the images of a COCO file exist and have the sizes that the file says."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.coco import reader
from pipeline.common import image_files


def check_images(coco: reader.CocoFile, images_dir: str | Path) -> None:
    """Check that every image exists and has the size that the file says. Only the headers are read.

    Raises:
        CocoError: one line per wrong image (the first ten).
    """
    reader.raise_problems(coco.path, _image_problems(coco, Path(images_dir)))


def _image_problems(coco: reader.CocoFile, images_dir: Path) -> Iterator[str]:
    for image in coco.images:
        if problem := image_problem(image, images_dir):
            yield problem


def image_problem(image: reader.CocoImage, images_dir: Path) -> str | None:
    """Return why an image cannot be used, as far as its header tells: missing, unreadable, of another size."""
    path = images_dir / image.file_name
    try:
        width, height = image_files.read_size(path)
    except image_files.ImageFileError as error:
        return f"image {image.id}: {error}"
    if (width, height) == (image.width, image.height):
        return None
    return f"image {image.id}: {path}: the image is {width}x{height}, the file says {image.width}x{image.height}"
