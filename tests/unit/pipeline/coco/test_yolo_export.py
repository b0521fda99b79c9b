# SPDX-License-Identifier: Apache-2.0
"""Labels are read and filled as Ultralytics does it, and compared with the masks."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.coco import reader, yolo_export
from pipeline.common import image_files, json_files
from pipeline.common.vocabulary import SPLITS
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.search import examples

MASKS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.integers(0, 1))


def read_back(line: str, height: int, width: int) -> np.ndarray:
    """Fill the polygon of a line as Ultralytics does: float32, truncated, cv2.fillPoly."""
    points = np.array(line.split()[1:], np.float32).reshape(-1, 2) * np.array((width, height), np.float32)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 1)
    return mask


def round_trip(mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    return read_back(yolo_export.yolo_label_line(0, yolo_export.mask_to_polygon(mask), width, height), height, width)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)


@settings(max_examples=examples(200))
@given(MASKS.filter(np.any))
def test_only_small_parts_are_lost_and_only_bridges_are_added(mask):
    filled = round_trip(mask)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = [number for number in range(1, count) if np.all(filled[parts == number])]
    lost = [number for number in range(1, count) if number not in kept]
    assert max(stats[kept, cv2.CC_STAT_AREA]) == max(stats[1:, cv2.CC_STAT_AREA])
    distance = cv2.distanceTransform(1 - np.isin(parts, kept).astype(np.uint8), cv2.DIST_C, 3)
    for number in lost:
        between = distance[parts == number].min() - 1
        assert stats[number, cv2.CC_STAT_AREA] < between + 2, "a part may be lost only where its bridge is longer"


@settings(max_examples=examples(100))
@given(MASKS.filter(np.any))
def test_a_single_part_with_holes_is_exact(mask):
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    part = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    part = cv2.resize(part, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    holes = cv2.connectedComponents(np.pad(1 - part, 1, constant_values=1), connectivity=4)[0] - 2
    filled = round_trip(part)
    assert np.all(filled >= part)
    assert np.count_nonzero(filled > part) <= 4 * holes, "a bridge may cross the corner of another hole"


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_dots_and_lines_become_polygons_of_at_least_three_points(size):
    mask = np.pad(np.ones(size, np.uint8), 2)
    assert len(yolo_export.mask_to_polygon(mask)) >= 3
    assert np.array_equal(round_trip(mask), mask)


def test_a_hole_stays_open_and_two_halves_are_joined():
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 5:35] = 1
    mask[20:40, 12:28] = 0
    assert np.array_equal(round_trip(mask), mask)
    mask[10:50, 55:75] = 1
    filled = round_trip(mask)
    assert np.all(filled >= mask)
    assert np.count_nonzero(filled) - np.count_nonzero(mask) == 20, "one bridge from column 34 to column 55"


def test_a_distant_part_smaller_than_its_bridge_is_left_out():
    mask = np.zeros((40, 80), np.uint8)
    mask[5:35, 5:30] = 1
    near, far = mask.copy(), mask.copy()
    near[10, 33:36] = 1
    far[10, 60:63] = 1
    assert np.all(round_trip(near) >= near)
    assert np.array_equal(round_trip(far), mask)


@given(st.integers(1, 8192), st.data())
def test_every_pixel_is_read_back_exactly(width, data):
    x = data.draw(st.integers(0, width - 1))
    line = yolo_export.yolo_label_line(3, np.array([(x, 0)] * 3), width, 1)
    assert line.startswith("3 ")
    assert np.flatnonzero(read_back(line, 1, width)).tolist() == [x]


def ragged(seed: int, height: int = 288, width: int = 384) -> np.ndarray:
    """A blob with holes, missing stripes and several parts, as if goods stood in front of a truck."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    ellipse = cv2.ellipse(np.zeros((height, width), np.uint8), (190, 140), (90, 100), seed * 20, 0, 360, 1, -1)
    return ellipse & (smooth > -0.04).astype(np.uint8)


def test_ragged_masks_keep_an_iou_of_097_in_the_median():
    values = [iou(round_trip(mask), mask) for mask in map(ragged, range(12))]
    assert np.median(values) >= 0.97
    assert min(values) > 0.9


@pytest.fixture
def data_set(make_data):
    """A data set of four images, the last without objects; one instance of the first is a crowd."""
    made = make_data(image_count=4, empty=(4,))
    document = yaml.safe_load(made.annotations.read_text())
    document["annotations"][0]["iscrowd"] = 1
    for split in SPLITS:
        json_files.write_json(made.images / "annotations" / f"{split}.json", document)
    return made.images


def run(data: Path, *options: str) -> Outcome:
    return run_cariste("yolo", "--data", data, "--out", data / "yolo", *options)


def test_the_layout_is_that_of_ultralytics(data_set):
    done = run(data_set)
    assert done.exit_code == 0, done.stderr
    assert "train: 4 images, 5 instances" in done.stdout
    out = data_set / "yolo"
    described = yaml.safe_load((out / "data.yaml").read_text())
    assert described["names"] == {0: "pedestrian", 1: "pallet_truck"}
    assert "path" not in described, "an absolute path would not survive moving the folder"
    source = reader.read_coco(data_set / "annotations/val.json")
    for image in source.images:
        image_path = out / described["val"] / Path(image.file_name).name
        assert image_path.samefile(data_set / image.file_name), "a hard link takes no space"
        lines = (out / "labels/val" / f"{image_path.stem}.txt").read_text().splitlines()
        expected = [one for one in source.annotations_by_image()[image.id] if not one.iscrowd]
        assert [int(line.split()[0]) for line in lines] == [one.category_id - 1 for one in expected]
        for line, annotation in zip(lines, expected, strict=True):
            assert np.array_equal(read_back(line, image.height, image.width), source.decode_mask(annotation, image))


def test_the_folder_stays_complete_when_the_shards_are_deleted(data_set, tmp_path):
    assert run(data_set).exit_code == 0
    shutil.rmtree(data_set / "images")
    moved = (data_set / "yolo").rename(tmp_path / "elsewhere")
    assert len([path for path in (moved / "images/train").iterdir() if image_files.read_image(path).size]) == 4


def test_the_option_copy_copies_the_images(data_set):
    assert run(data_set, "--copy").exit_code == 0
    image = next((data_set / "yolo/images/train").iterdir())
    assert image.stat().st_nlink == 1


def test_after_an_error_the_folder_does_not_exist(data_set):
    (data_set / "images/000003.png").unlink()
    done = run(data_set)
    assert done.exit_code == 2
    assert "000003.png: cannot be linked or copied into" in done.stderr
    assert not (data_set / "yolo").exists()


def test_an_existing_folder_is_not_overwritten(data_set):
    (data_set / "yolo").mkdir()
    done = run(data_set)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "exists; delete it first" in done.stderr
