# SPDX-License-Identifier: Apache-2.0
"""A small COCO document with one image and one annotation, for tests that change one thing in it."""

import json
from pathlib import Path
from typing import Any

from pipeline.coco import reader


def document() -> dict[str, Any]:
    """An image of 40x30 pixels, id 7, with a truck, category 2."""
    return {
        "info": {"name": "by hand"},
        "images": [{"id": 7, "file_name": "hall.png", "width": 40, "height": 30, "rig": "robot"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [1, 2, 10, 20], "distance_m": 4.5}],
        "categories": [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck", "supercategory": "vehicle"}],
    }


def changed(section: str, **values: Any) -> dict[str, Any]:
    """The document with other values in the last entry of a section; `...` removes a key."""
    content = document()
    entry = content[section][-1]
    entry.update(values)
    for key in [key for key, value in values.items() if value is ...]:
        del entry[key]
    return content


def write(folder: Path, content: Any, encoding: str = "utf-8") -> Path:
    """Write a document as annotations.json into a folder."""
    path = folder / "annotations.json"
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    return path


def read(folder: Path, content: Any) -> reader.CocoFile:
    """Write a document into a folder and read it."""
    return reader.read_coco(write(folder, content))
