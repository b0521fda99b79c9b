# SPDX-License-Identifier: Apache-2.0
"""Write a COCO file entry by entry, so that a million images need no memory."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.common.atomic_write import atomic_file
from pipeline.common.json_files import json_bytes

# Keys are sorted as in `json_bytes`: annotations, categories, images, info.
JSON_PARTS = (b'{"annotations":[', b'],"categories":', b',"images":[', b'],"info":', b"}\n")


class CocoWriter:
    """Writes the bytes that `json_bytes` returns for the whole document; see `open_coco_writer`.

    Annotations go straight into `file`. Images come after them in it, so they wait in `images_file`.
    """

    def __init__(self, file: BinaryIO, images_file: BinaryIO) -> None:
        self.image_count = self.annotation_count = 0
        self._file, self._images_file = file, images_file
        self._file.write(JSON_PARTS[0])

    def add(self, image: dict[str, Any], annotations: list[dict[str, Any]]) -> None:
        """Add an image and its annotations. Annotations get ids from 1 on, in order."""
        self._images_file.write(b"," * (self.image_count > 0) + _json_value(image))
        self.image_count += 1
        for annotation in annotations:
            self.annotation_count += 1
            comma = b"," * (self.annotation_count > 1)
            self._file.write(comma + _json_value({"id": self.annotation_count, **annotation}))

    def finish(self, info: dict[str, Any], categories: list[dict[str, Any]]) -> None:
        """Write all that follows the annotations."""
        self._file.write(JSON_PARTS[1] + _json_value(categories) + JSON_PARTS[2])
        self._images_file.seek(0)
        shutil.copyfileobj(self._images_file, self._file)
        self._file.write(JSON_PARTS[3] + _json_value(info) + JSON_PARTS[4])


@contextmanager
def open_coco_writer(path: Path, info: dict[str, Any], categories: list[dict[str, Any]]) -> Iterator[CocoWriter]:
    """Yield a writer. The file appears when the `with` block ends; after an exception it does not."""
    with (
        atomic_file(path) as temporary,
        temporary.open("wb") as file,
        tempfile.TemporaryFile(dir=path.parent) as images_file,
    ):
        writer = CocoWriter(file, images_file)
        yield writer
        writer.finish(info, categories)


def _json_value(value: Any) -> bytes:
    return json_bytes(value).removesuffix(b"\n")
