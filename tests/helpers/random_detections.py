# SPDX-License-Identifier: Apache-2.0
"""Random COCO sets with detections around their objects, for tests of the evaluation."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coco import reader

WIDTH, HEIGHT = 60, 120


def random_set(seed: int, images: int = 6, score_digits: int = 1) -> tuple[reader.CocoFile, list[reader.Detection]]:
    """Return a set of two classes with crowd regions, and detections: some good, some loose, some wrong.

    With `score_digits` 1, many scores are equal.
    """
    random = np.random.default_rng(seed)
    annotations, detections = [], []
    for image in range(1, images + 1):
        for _ in range(random.integers(5)):
            box, category = _random_box(random), int(random.integers(1, 3))
            crowd = int(random.random() < 0.2)
            annotations.append(_entry(image, category, box, id=len(annotations) + 1, iscrowd=crowd))
            for _ in range(random.integers(4)):
                near = _random_box(random) if random.random() < 0.3 else _jittered(random, box)
                detections.append(_entry(image, category, near, score=round(float(random.random()), score_digits)))
    document = reader.CocoFile(
        Path("random.json"),
        {},
        tuple(reader.CocoImage(id=n, file_name=f"{n}.png", width=WIDTH, height=HEIGHT) for n in range(1, images + 1)),
        tuple(reader.Annotation.model_validate(entry) for entry in annotations),
        (reader.Category(id=1, name="pedestrian"), reader.Category(id=2, name="pallet_truck")),
    )
    return document, [reader.Detection.model_validate(entry) for entry in detections]


def _random_box(random: np.random.Generator) -> list[int]:
    width, height = (int(side) for side in random.integers(4, 40, 2))
    return [int(random.integers(WIDTH - width)), int(random.integers(HEIGHT - height)), width, height]


def _jittered(random: np.random.Generator, box: list[int]) -> list[int]:
    x, y, width, height = np.maximum(np.array(box) + random.integers(-3, 4, 4), (0, 0, 2, 2)).tolist()
    return [x, y, min(width, WIDTH - x), min(height, HEIGHT - y)]


def _entry(image: int, category: int, box: list[int], **more: Any) -> dict[str, Any]:
    x, y, width, height = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + height, x : x + width] = 1
    return {"image_id": image, "category_id": category, "bbox": box, "segmentation": reader.encode_mask(mask), **more}
