# SPDX-License-Identifier: Apache-2.0
"""Statistics of small COCO sets, and errors that name the image."""

import re
from collections import Counter

import numpy as np
import pytest

from pipeline.coco import reader
from pipeline.common.errors import CaristeError
from pipeline.reports.dataset_statistics import (
    PER_IMAGE,
    STATISTICS,
    DatasetStatistics,
    brightness_and_contrast,
    measure_dataset,
)
from tests.helpers.coco_sets import HEIGHT, WIDTH, annotation, image, write_set


def measured(folder, *arguments, **settings) -> DatasetStatistics:
    return measure_dataset("set", [reader.read_coco(write_set(folder, *arguments, **settings))], folder)


def values(dataset: DatasetStatistics, statistic: str, class_name: str = "pedestrian") -> list[float]:
    return dataset.statistics[statistic, class_name].values.tolist()


def test_box_heights_are_in_pixels_and_as_shares_of_the_image(tmp_path):
    found = measured(tmp_path, [image()] * 2, [annotation(0, 8), annotation(1, 40), annotation(1, 20, "pallet_truck")])
    assert values(found, "box_height_px") == [8, 40]
    assert values(found, "box_height") == [0.1, 0.5]
    assert values(found, "box_height", "pallet_truck") == [0.25]
    assert found.statistics["box_height", "pedestrian"].image_indices.tolist() == [0, 1]
    assert found.object_counts == {"pedestrian": 2, "pallet_truck": 1}


def test_height_to_width_is_computed_in_pixels(tmp_path):
    found = measured(
        tmp_path, [image()], [annotation(0, 8, bbox=[5, 5, 10, 22]), annotation(0, 8, bbox=[5, 5, 30, 15])]
    )
    assert values(found, "height_to_width") == [2.2, 0.5]


def test_every_image_has_a_count_and_the_empty_ones_are_counted(tmp_path):
    found = measured(tmp_path, [image()] * 4, [annotation(1, 8), annotation(1, 9), annotation(3, 20, "pallet_truck")])
    assert values(found, "per_image") == [0, 2, 0, 0]
    assert values(found, "per_image", "pallet_truck") == [0, 0, 0, 1]
    assert (found.image_count, found.empty_images) == (4, 2)


def test_iscrowd_regions_are_left_out_everywhere(tmp_path):
    found = measured(tmp_path, [image()], [annotation(0, 8, iscrowd=1)])
    assert found.object_counts == {"pedestrian": 0, "pallet_truck": 0}
    assert found.empty_images == 1
    assert ("box_height", "pedestrian") not in found.statistics


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ([0, 20, 10, 10], True),
        ([20, 0, 10, 10], True),
        ([WIDTH - 10, 20, 10, 10], True),
        ([20, HEIGHT - 10.2, 10, 10], True),
        ([20, HEIGHT - 11, 10, 10], False),
        ([1, 20, 10, 10], False),
        ([-0.5, 20, 10, 10], True),
    ],
)
def test_which_boxes_touch_the_edge(tmp_path, box, touches):
    assert values(measured(tmp_path, [image()], [annotation(0, 8, bbox=box)]), "at_edge") == [touches]


def test_measurements_of_rendering_are_used_if_they_are_numbers(tmp_path):
    known = {"visible_fraction": 0.4, "truncated": True, "distance_m": 3.5}
    foreign = {"visible_fraction": None, "truncated": "yes"}
    found = measured(tmp_path, [image()], [annotation(0, 8, **known), annotation(0, 9, **foreign)])
    assert values(found, "visible_fraction") == [0.4]
    assert values(found, "truncated") == [1]
    assert values(found, "distance_m") == [3.5]
    assert values(found, "box_height_px") == [8, 9]


def test_rigs_layouts_and_lights_are_counted(tmp_path):
    images = [image(rig="robot", light={"scene": "dusk", "lamps": 2}), image(rig="robot"), image(rig="ceiling")]
    assert measured(tmp_path / "ours", images).attribute_counts == {
        "rig": Counter(robot=2, ceiling=1),
        "light": Counter(dusk=1),
    }
    assert measured(tmp_path / "real", [image(light={"lamps": 2}), image(rig=7)]).attribute_counts == {}


def test_several_files_are_one_set_and_classes_are_the_same_by_name(tmp_path):
    first = write_set(tmp_path / "first", [image()], [annotation(0, 8), annotation(0, 16, "pallet_truck")])
    second = write_set(tmp_path / "second", [image()], [annotation(0, 40, "pallet_truck")], classes=["pallet_truck"])
    for file in (first, second):
        text = file.read_text().replace('"001.png"', f'"{file.parent.name}/001.png"')
        file.write_text(text)
    found = measure_dataset("both", [reader.read_coco(first), reader.read_coco(second)], tmp_path)
    assert values(found, "box_height_px", "pallet_truck") == [16, 40]
    assert found.statistics["box_height_px", "pallet_truck"].image_indices.tolist() == [0, 1]


def test_a_set_without_annotations_still_has_images(tmp_path):
    found = measured(tmp_path, [image(30), image(60)], classes=[])
    assert values(found, "brightness", PER_IMAGE) == pytest.approx([30, 60])
    assert set(found.statistics) == {("brightness", PER_IMAGE), ("contrast", PER_IMAGE)}


def test_a_set_without_images_has_no_values(tmp_path):
    found = measured(tmp_path, [])
    assert (found.image_count, found.statistics) == (0, {})


def test_values_are_in_the_order_of_the_statistics(tmp_path):
    found = measured(tmp_path, [image()], [annotation(0, 20, "pallet_truck"), annotation(0, 8)])
    keys = [
        (list(STATISTICS).index(statistic), list(found.object_counts).index(class_name))
        for statistic, class_name in found.statistics
        if class_name
    ]
    assert keys == sorted(keys)


def test_the_number_of_threads_changes_nothing(tmp_path):
    file = reader.read_coco(write_set(tmp_path, [image(10 * number) for number in range(20)]))
    one, four = (measure_dataset("set", [file], tmp_path, threads=number) for number in (1, 4))
    assert (
        values(one, "brightness", PER_IMAGE)
        == values(four, "brightness", PER_IMAGE)
        == pytest.approx(list(range(0, 200, 10)))
    )


def test_a_missing_image_is_named(tmp_path):
    file = reader.read_coco(write_set(tmp_path, [image()] * 2))
    (tmp_path / "002.png").unlink()
    with pytest.raises(reader.CocoError, match=r"image 2: .*002\.png: no such file"):
        measure_dataset("set", [file], tmp_path)


@pytest.mark.parametrize("threads", [1, 3])
def test_all_truncated_images_are_named_in_order(tmp_path, threads):
    file = reader.read_coco(write_set(tmp_path, [image()] * 4))
    for name in ("001.png", "003.png"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(CaristeError) as caught:
        measure_dataset("mine", [file], tmp_path, threads)
    first, second = str(caught.value).splitlines()
    assert re.search("^mine: .*001.png: not a readable image", first)
    assert re.search("^mine: .*003.png: not a readable image", second)


def test_brightness_weights_colors_by_rec_709():
    red = np.zeros((10, 10, 3), np.uint8)
    red[..., 0] = 200
    brightness, contrast = brightness_and_contrast(red)
    assert brightness == pytest.approx(200 * 0.2126)
    assert contrast == pytest.approx(0, abs=1e-9)


def test_contrast_is_the_deviation_of_large_areas_at_any_resolution():
    half = np.zeros((96, 128, 3), np.uint8)
    half[:, 64:] = 160
    noise = np.random.default_rng(0).integers(-40, 40, (768, 1024, 1))
    large = (np.kron(half, np.ones((8, 8, 1))) + 40 + noise).astype(np.uint8)
    assert brightness_and_contrast(half) == pytest.approx((80, 80))
    assert brightness_and_contrast(large)[1] == pytest.approx(80, abs=1)
    assert brightness_and_contrast(half[:2, 63:65]) == pytest.approx((80, 80))
