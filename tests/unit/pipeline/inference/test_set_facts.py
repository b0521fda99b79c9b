# SPDX-License-Identifier: Apache-2.0
"""Brightness of the images of a set, also if some cannot be read."""

import math

import pytest

from pipeline.coco import image_check, reader
from pipeline.inference import set_facts
from tests.helpers import coco_sets


def test_brightness_of_images(tmp_path):
    path = coco_sets.write_set(tmp_path, [coco_sets.image(30), coco_sets.image(200), coco_sets.image()])
    file = reader.read_coco(path)
    files = dict(image_check.find_images(file, tmp_path).files)
    files[1].path.write_bytes(b"\x89PNG broken")
    del files[3]
    first, second, third = set_facts.brightness_of_images(file, files)
    assert math.isnan(first)
    assert second == pytest.approx(200, abs=0.5)
    assert math.isnan(third)


def test_what_lies_in_other_images_is_not_known(tmp_path):
    file = reader.read_coco(coco_sets.write_set(tmp_path, [coco_sets.image()]))
    assert set_facts.asset_lookup(tmp_path)(file.images[0], (0, 0, 10, 10)) is None
