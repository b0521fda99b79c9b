# SPDX-License-Identifier: Apache-2.0
"""Annotations hold exactly the pixels of id map and silhouettes. The config decides what is dropped or crowd."""

import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.coco import reader, rle
from pipeline.config import config
from pipeline.labelling import annotations
from tests.helpers import shard_files
from tests.helpers.shard_files import HEIGHT, WIDTH, id_map

EVERYTHING = config.LabelSection(min_pixels=0, min_visible_fraction=0, crowd_pixels=0, crowd_visible_fraction=0)
NUMBERS = [1, 2, 3, 500, 65535]
maps = arrays.array_shapes(min_dims=2, max_dims=2, max_side=16).flatmap(
    lambda shape: arrays.arrays(np.uint16, shape, elements=st.sampled_from([0, *NUMBERS]))
)


def annotate(
    ids: np.ndarray, amodal_masks: dict[int, np.ndarray], rules: config.LabelSection = EVERYTHING, index: int = 0
) -> list[dict]:
    record = shard_files.record(ids, amodal_masks, index)
    return annotations.annotation_entries(
        record, rle.encode_rles(rle.pixel_ranges_by_instance(ids), *ids.shape), shard_files.crops(amodal_masks), rules
    )


def decode(segmentation: dict | list, shape: tuple[int, int]) -> np.ndarray:
    checked = reader.Annotation(id=1, image_id=1, category_id=1, bbox=(0, 0, 1, 1), segmentation=segmentation)
    return coco_mask.decode(reader.to_rle(checked.segmentation, *shape)).astype(bool)


def with_hidden_pixels(ids: np.ndarray, count: int, numbers: list[int]) -> dict[int, np.ndarray]:
    """Silhouettes with `count` more pixels to the right of the frame."""
    amodal_masks = shard_files.silhouettes_of(ids, numbers)
    for amodal_mask in amodal_masks.values():
        amodal_mask[HEIGHT : HEIGHT + count, 2 * WIDTH] = True
    return amodal_masks


@pytest.mark.parametrize("segmentation", ["rle", "polygons"])
@given(ids=maps)
def test_annotations_give_back_the_id_map(ids, segmentation):
    rules = EVERYTHING.model_copy(update={"segmentation": segmentation})
    again = np.zeros(ids.shape, np.int64)
    for annotation in annotate(ids, shard_files.silhouettes_of(ids, NUMBERS), rules):
        mask = decode(annotation["segmentation"], ids.shape)
        again[mask] += annotation["instance"]  # a pixel in two masks would get a sum
        rows, columns = np.nonzero(mask)
        size = [np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert annotation["bbox"] == [columns.min(), rows.min(), *size]
        assert annotation["area"] == mask.sum()
    np.testing.assert_array_equal(again, ids)


def test_the_entry_of_an_annotation():
    ids = id_map(20, 30)
    amodal_masks = with_hidden_pixels(ids, 10, [1, 2, 3])
    person, truck = annotate(ids, amodal_masks, index=5)
    amodal = np.zeros_like(ids)
    amodal[:20, 3] = 1
    assert person == {
        "image_id": 6,
        "category_id": 1,
        "segmentation": reader.encode_mask(ids == 1),
        "area": 20,
        "bbox": [3, 0, 1, 20],
        "iscrowd": 0,
        "amodal_segmentation": reader.encode_mask(amodal == 1),
        "amodal_bbox": [3, 0, WIDTH - 2, 20],
        "visible_fraction": 0.6667,
        "truncated": True,
        "distance_m": 1.123,
        "bbox_3d": [[1.5, -2.25, 3.125]] * 7 + [[None, None, -0.5]],
        "keypoints": [3.5, 0.25, 2, 0.5, 1.5, 1, *[0, 0, 0] * 15],
        "num_keypoints": 2,
        "asset": "person",
        "instance": 1,
    }
    assert (truck["category_id"], truck["asset"], truck["visible_fraction"]) == (2, "hand_pallet_truck", 0.75)
    assert not {"keypoints", "num_keypoints"} & truck.keys()


def test_the_amodal_mask_includes_hidden_pixels():
    ids = id_map(30)
    amodal_masks = shard_files.silhouettes_of(ids, [1])
    ids[10:20, 3] = 2
    amodal_masks |= shard_files.silhouettes_of(ids, [2])
    behind, _ = annotate(ids, amodal_masks)
    assert decode(behind["segmentation"], ids.shape).sum() == 20
    assert decode(behind["amodal_segmentation"], ids.shape).sum() == 30
    assert behind["visible_fraction"] == 0.6667


@pytest.mark.parametrize(
    ("rules", "crowd"),
    [
        ({"min_pixels": 11}, {2: 0, 3: 0}),
        ({"crowd_pixels": 11}, {1: 1, 2: 0, 3: 0}),
        ({"min_visible_fraction": 0.45}, {3: 0}),
        ({"crowd_visible_fraction": 0.45}, {1: 1, 2: 1, 3: 0}),
        ({"min_pixels": 11, "crowd_pixels": 21}, {2: 1, 3: 0}),
        ({}, {1: 0, 2: 0, 3: 0}),
    ],
)
def test_the_config_decides_what_is_dropped_and_what_is_crowd(rules, crowd):
    ids = id_map(10, 20, 30, 0)
    found = annotate(ids, with_hidden_pixels(ids, 25, [1, 2, 3, 4]), EVERYTHING.model_copy(update=rules))
    assert {entry["instance"]: entry["iscrowd"] for entry in found} == crowd


def test_crowd_annotations_stay_rle_if_the_config_asks_for_polygons():
    ids = id_map(10, 20)
    rules = EVERYTHING.model_copy(update={"segmentation": "polygons", "crowd_pixels": 15})
    crowd, plain = annotate(ids, shard_files.silhouettes_of(ids, [1, 2]), rules)
    assert crowd["segmentation"] == reader.encode_mask(ids == 1)
    assert plain["segmentation"] == [[6, 0, 6, 20, 7, 20, 7, 0]]


def test_the_keypoints_and_the_skeleton_are_those_of_coco():
    pedestrian, truck = annotations.CATEGORIES
    assert (len(pedestrian["keypoints"]), len(pedestrian["skeleton"])) == (17, 19)
    bones = {tuple(sorted(pedestrian["keypoints"][end - 1] for end in pair)) for pair in pedestrian["skeleton"]}
    assert {("left_elbow", "left_wrist"), ("right_hip", "right_knee"), ("left_hip", "right_hip")} <= bones
    assert "keypoints" not in truck


def test_depth_and_normal_maps_are_named_if_there_are_any():
    record = shard_files.record(id_map(20), {})
    render = record.scene.render.model_copy(update={"depth": "png", "normals": "exr"})
    scene = record.scene.model_copy(update={"render": render})
    image = annotations.image_entry(record.model_copy(update={"scene": scene}), "00003")
    assert (image["depth"], image["normals"]) == ("shards/00003/depth/000000.png", "shards/00003/normals/000000.exr")
    assert not {"depth", "normals"} & annotations.image_entry(record, "00003").keys()
