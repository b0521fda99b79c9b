# SPDX-License-Identifier: Apache-2.0
"""Small COCO sets with images for tests of statistics."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.common import json_files

CLASSES = ("pedestrian", "pallet_truck")
WIDTH, HEIGHT = 100, 80


def image(gray: int = 90, **facts: Any) -> dict[str, Any]:
    """An entry of `images` without its id; `gray`: the value of all pixels of its file."""
    return {"gray": gray, "width": WIDTH, "height": HEIGHT, **facts}


def annotation(image: int, height: float, kind: str = "pedestrian", **facts: Any) -> dict[str, Any]:
    """An annotation without its ids, in the middle of the image with index `image`."""
    box = [40, (HEIGHT - height) / 2, 10, height]
    return {"image": image, "kind": kind, "bbox": box, "iscrowd": 0, **facts}


def write_set(
    folder: Path,
    image_entries: Sequence[dict],
    annotation_entries: Sequence[dict] = (),
    classes: Sequence[str] = CLASSES,
) -> Path:
    """Write images into `folder` and return the path of their COCO file, `folder`/annotations.json."""
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number, facts in enumerate(image_entries, 1):
        entry = {"id": number, "file_name": f"{number:03d}.png", **facts}
        filled = np.full((entry["height"], entry["width"], 3), entry.pop("gray"), np.uint8)
        cv2.imwrite(str(folder / entry["file_name"]), filled)
        images.append(entry)
    for number, facts in enumerate(annotation_entries, 1):
        entry = {"id": number, "image_id": facts["image"] + 1, "category_id": classes.index(facts["kind"]) + 1}
        annotations.append(entry | {key: value for key, value in facts.items() if key not in ("image", "kind")})
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, 1)]
    path = folder / "annotations.json"
    json_files.write_json(path, {"images": images, "annotations": annotations, "categories": categories})
    return path
