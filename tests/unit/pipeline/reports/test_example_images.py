# SPDX-License-Identifier: Apache-2.0
"""The images of the report: evenly spaced, all rigs shown, overlays in the right colors."""

import base64

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coco import reader
from pipeline.common import image_files, json_files
from pipeline.reports import example_images

RIGS = ("robot", "handheld", "ceiling")


@given(st.lists(st.integers(), unique=True, max_size=80), st.integers(1, 20))
def test_evenly_spaced_keeps_the_order_and_returns_the_requested_number(items, count):
    chosen = example_images.evenly_spaced(items, count)
    positions = [items.index(item) for item in chosen]
    assert len(chosen) == min(count, len(items))
    assert positions == sorted(set(positions))
    steps = np.diff(positions)
    assert steps.size == 0 or steps.max() - steps.min() <= 1


@given(st.lists(st.sampled_from(RIGS), min_size=1, max_size=60), st.integers(len(RIGS), 12))
def test_every_rig_is_among_the_chosen_images(rigs, count):
    images = [
        reader.CocoImage(id=number, file_name=f"{number}.png", width=8, height=8, rig=rig)
        for number, rig in enumerate(rigs, 1)
    ]
    chosen = example_images.evenly_spaced_with_all_rigs(images, count)
    assert {image.model_extra["rig"] for image in chosen} == set(rigs)
    assert [image.id for image in chosen] == sorted({image.id for image in chosen})
    assert len(chosen) == min(count, len(images))


def images_from(uri: str) -> np.ndarray:
    head, data = uri.split(",", 1)
    assert head == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def test_an_image_comes_back_from_its_data_uri_in_the_right_colors():
    orange = np.full((48, 64, 3), (230, 120, 20), np.uint8)
    np.testing.assert_allclose(images_from(example_images.jpeg_uri(orange)), orange, atol=6)


@pytest.fixture
def gray_file(tmp_path) -> reader.CocoFile:
    """One gray image, 96x64, with a pedestrian on its left half and an ignored one in its right bottom corner."""
    cv2.imwrite(str(tmp_path / "000003.png"), np.full((64, 96, 3), 128, np.uint8))
    left, corner = np.zeros((2, 64, 96), np.uint8)
    left[10:60, 4:40] = 1
    corner[56:64, 80:96] = 1
    image = {"id": 4, "file_name": "000003.png", "width": 96, "height": 64, "rig": "robot", "layout": "aisle"}
    truth = {"image_id": 4, "category_id": 1}
    json_files.write_json(
        tmp_path / "test.json",
        {
            "images": [image],
            "annotations": [
                {"id": 1, "bbox": [4, 10, 36, 50], "segmentation": reader.encode_mask(left), **truth},
                {"id": 2, "bbox": [80, 56, 16, 8], "segmentation": reader.encode_mask(corner), "iscrowd": 1, **truth},
            ],
            "categories": [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck"}],
        },
    )
    return reader.read_coco(tmp_path / "test.json")


def test_examples_show_masks_in_the_color_of_their_class_and_ignored_ones_in_gray(gray_file):
    (example,) = example_images.labeled_examples(gray_file, gray_file.path.parent, 12)
    assert example["text"] == "000003, robot, aisle: 1 pedestrian, 1 ignored"
    shown = images_from(example["uri"]).astype(int)
    assert shown.shape == (320, 480, 3)
    red, _, blue = shown[175, 110]
    assert red - blue > 40
    assert np.ptp(shown[300, 440]) < 12
    np.testing.assert_allclose(shown[50, 350], 128, atol=6)


def test_comparisons_show_the_predictions_from_the_minimum_score_on(gray_file):
    mask = reader.encode_mask(np.pad(np.ones((20, 30), np.uint8), ((30, 14), (50, 16))))
    found = [
        reader.Detection(image_id=4, category_id=2, bbox=(50, 30, 30, 20), score=score, segmentation=mask)
        for score in (0.49, 0.5)
    ]
    (pair,) = example_images.prediction_comparisons(gray_file, found, gray_file.path.parent, 8, 0.5)
    assert (pair["name"], pair["ground_truth"], pair["predicted"]) == (
        "000003",
        "1 pedestrian, 1 ignored",
        "1 pallet truck",
    )
    truth, predicted = images_from(pair["ground_truth_uri"]).astype(int), images_from(pair["predicted_uri"]).astype(int)
    red, _, blue = predicted[270, 430]
    assert blue - red > 30
    np.testing.assert_allclose(truth[270, 430], 128, atol=6)


def test_the_text_for_an_empty_image(gray_file):
    assert example_images.object_count_text(gray_file, []) == "nothing"


def test_a_missing_image_is_named(gray_file):
    (gray_file.path.parent / "000003.png").unlink()
    with pytest.raises(image_files.ImageFileError, match=r"000003\.png: no such file"):
        list(example_images.labeled_examples(gray_file, gray_file.path.parent, 12))


def test_a_prediction_with_a_broken_mask_is_named(gray_file):
    rle = reader.Rle(size=(64, 96), counts=[5, 5])
    broken = reader.Detection(image_id=4, category_id=1, bbox=(0, 0, 5, 5), score=0.9, segmentation=rle)
    with pytest.raises(reader.CocoError, match=r"000003\.png, score 0\.9: mask"):
        list(example_images.prediction_comparisons(gray_file, [broken], gray_file.path.parent, 8, 0.5))
