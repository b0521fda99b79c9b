# SPDX-License-Identifier: Apache-2.0
"""One COCO file written entry by entry: a million images never sit in memory."""

import shutil
from pathlib import Path
from typing import Any

from pipeline.common import json_files

# `coco.json_bytes` sorts keys: annotations, categories, images, info.
JSON_PARTS = (b'{"annotations":[', b'],"categories":', b',"images":[', b'],"info":', b"}\n")


class CocoWriter:
    """Writes what `coco.json_bytes` would give for the whole document, byte for byte.

    Annotations go straight into the file; images, which come after them, wait in a second file until `finish`.
    """

    def __init__(self, path: Path, info: dict[str, Any], categories: list[dict[str, Any]]) -> None:
        self.path = path
        self.info, self.categories = info, categories
        self.image_count = self.annotation_count = 0
        self._file = path.open("wb")
        self._images = path.with_suffix(".images").open("w+b")
        self._file.write(JSON_PARTS[0])

    def add(self, image: dict[str, Any], annotations: list[dict[str, Any]]) -> None:
        """Add an image and its annotations, which are numbered from 1 on over the whole file."""
        self._images.write(b"," * (self.image_count > 0) + _dumped(image))
        self.image_count += 1
        for annotation in annotations:
            self.annotation_count += 1
            comma = b"," * (self.annotation_count > 1)
            self._file.write(comma + _dumped({"id": self.annotation_count, **annotation}))

    def __enter__(self) -> "CocoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._images.close()
        self._file.close()

    def finish(self) -> None:
        """Write what follows the annotations; without it the file is no JSON."""
        self._file.write(JSON_PARTS[1] + _dumped(self.categories) + JSON_PARTS[2])
        self._images.seek(0)
        shutil.copyfileobj(self._images, self._file)
        self._file.write(JSON_PARTS[3] + _dumped(self.info) + JSON_PARTS[4])
        self._file.flush()
        self.path.with_suffix(".images").unlink()


def _dumped(value: Any) -> bytes:
    return json_files.json_bytes(value).removesuffix(b"\n")
