# SPDX-License-Identifier: Apache-2.0
"""Images that are missing, unreadable or of another size than the COCO file says are named."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.coco import image_check, reader


def document() -> dict:
    return {
        "info": {"name": "by hand"},
        "images": [{"id": 7, "file_name": "hall.png", "width": 40, "height": 30, "rig": "robot"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [1, 2, 10, 20], "distance_m": 4.5}],
        "categories": [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck", "supercategory": "vehicle"}],
    }


def read(folder: Path, content: dict) -> reader.CocoFile:
    path = folder / "annotations.json"
    path.write_text(json.dumps(content))
    return reader.read_coco(path)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def test_images_of_the_right_size_pass(tmp_path):
    noise(40, 30).save(tmp_path / "hall.png")
    image_check.check_images(read(tmp_path, document()), tmp_path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "image 7: .*hall.png: no such file"),
        (lambda path: path.write_bytes(b""), "image 7: .*hall.png: not a readable image"),
        (lambda path: noise(30, 40).save(path), "image 7: .*hall.png: the image is 30x40, the file says 40x30"),
    ],
    ids=["missing", "empty", "turned"],
)
def test_a_missing_empty_or_turned_image_is_named(tmp_path, write, message):
    write(tmp_path / "hall.png")
    with pytest.raises(reader.CocoError, match=message):
        image_check.check_images(read(tmp_path, document()), tmp_path)


def test_the_size_of_an_image_that_is_turned_by_its_exif_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(30, 40).save(tmp_path / "hall.png", exif=exif)
    image_check.check_images(read(tmp_path, document()), tmp_path)
