# SPDX-License-Identifier: Apache-2.0
"""A data set and a model small enough to train in a second."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pipeline.coco import reader
from pipeline.common import json_files
from pipeline.config import config, training
from pipeline.config.stages import TrainConfig
from tests.helpers.configs import SHORT_TRAINING, SMALL_MODEL

SIZE = 96
CATEGORIES = [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck"}]


@dataclass(frozen=True)
class TinyData:
    """A COCO file, and the folder that its file names start from."""

    annotations: Path
    images: Path


def _instance(number: int, image_id: int, box: tuple[int, int, int, int], category_id: int) -> dict:
    x, y, width, height = box
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[y : y + height, x : x + width] = 1
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": 0,
        "segmentation": reader.encode_mask(mask),
    }


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Models this small lose more time handing work over than working."""
    torch.set_num_threads(1)


@pytest.fixture
def make_data(tmp_path: Path) -> Callable[..., TinyData]:
    """Return a function that writes noise with upright red and flat blue blocks in it, one of each per image."""

    def make(image_count: int = 4, empty: tuple[int, ...] = ()) -> TinyData:
        noise = np.random.default_rng(5)
        images, annotations = [], []
        (tmp_path / "images").mkdir()
        for number in range(1, image_count + 1):
            image = noise.integers(60, 200, (SIZE, SIZE, 3), dtype=np.uint8)
            boxes = ((int(noise.integers(2, 20)), 10, 20, 60), (48, int(noise.integers(10, 60)), 40, 24))
            for category_id, (x, y, width, height) in enumerate(boxes if number not in empty else (), 1):
                image[y : y + height, x : x + width] = (0, 0, 230) if category_id == 1 else (230, 0, 0)
                box = (x, y, width, height)
                annotations.append(_instance(len(annotations) + 1, number, box, category_id))
            name = f"images/{number:06d}.png"
            cv2.imwrite(str(tmp_path / name), image)
            images.append({"id": number, "file_name": name, "width": SIZE, "height": SIZE})
        document = {"images": images, "annotations": annotations, "categories": CATEGORIES}
        json_files.write_json(tmp_path / "train.json", document)
        return TinyData(tmp_path / "train.json", tmp_path)

    return make


@pytest.fixture
def categories() -> list[reader.Category]:
    return [reader.Category(**category) for category in CATEGORIES]


@pytest.fixture
def tiny_settings() -> TrainConfig:
    """Two iterations of a narrow model on images of 96 x 96."""
    whole = config.validate({"model": SMALL_MODEL, "train": SHORT_TRAINING})
    return TrainConfig.from_config(whole)


@pytest.fixture
def changed_model(tiny_settings: TrainConfig) -> Callable[..., training.ModelSection]:
    """Return a function that changes keys of the tiny model's section."""
    return lambda **values: tiny_settings.model.model_copy(update=values)
