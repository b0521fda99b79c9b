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
        path = images_dir / image.file_name
        try:
            width, height = image_files.read_size(path)
        except image_files.ImageFileError as error:
            yield f"image {image.id}: {error}"
        else:
            if (width, height) != (image.width, image.height):
                declared_size = f"{image.width}x{image.height}"
                yield f"image {image.id}: {path}: the image is {width}x{height}, the file says {declared_size}"
