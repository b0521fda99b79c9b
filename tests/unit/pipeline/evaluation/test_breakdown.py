# SPDX-License-Identifier: Apache-2.0
"""Recall by property: the groups add up, and properties of a known set are found."""

import dataclasses

import pytest

from pipeline.coco import reader
from pipeline.evaluation import breakdown, matching, operating_point
from tests.helpers import random_detections


def matches_of(ground_truth, detections):
    return matching.match_class(ground_truth, detections, 1, "box")


@pytest.mark.parametrize("seed", range(5))
def test_the_groups_of_a_property_add_up_to_all_objects(seed):
    ground_truth, detections = random_detections.random_set(seed, images=20)
    matches = matches_of(ground_truth, detections)
    groups = breakdown.recall_by_property(ground_truth, matches, 0.5, brightness=[seed * 40.0] * 20)
    total = operating_point.measure(matches, 0.5)
    assert set(groups) == {"box_height_px", "brightness"}
    for entries in groups.values():
        assert sum(entry["objects"] for entry in entries) == total["objects"]
        found = sum(entry["objects"] * entry["recall"] for entry in entries)
        assert found / total["objects"] == pytest.approx(total["recall"], abs=2e-4)


def test_rendered_sets_have_more_properties():
    image = reader.CocoImage(id=1, file_name="1.png", width=90, height=90, rig="robot", light={"scene": "neon"})
    facts = {"visible_fraction": 0.6, "distance_m": 4.0, "truncated": False}
    near = reader.Annotation(id=1, image_id=1, category_id=1, bbox=(0, 0, 10, 20), **facts)
    far = near.model_copy(update={"id": 2, "bbox": (50, 50, 5, 70)})
    ground_truth, _ = random_detections.random_set(0)
    ground_truth = dataclasses.replace(ground_truth, images=(image,), annotations=(near, far))
    found = reader.Detection(image_id=1, category_id=1, bbox=(0, 0, 10, 20), score=0.8)
    groups = breakdown.recall_by_property(ground_truth, matches_of(ground_truth, [found]), 0.5)
    assert groups["rig"] == [{"kind": "robot", "objects": 2, "recall": 0.5, "recall_interval": [0.5, 0.5]}]
    assert groups["light"][0]["kind"] == "neon"
    assert groups["truncated"][0]["kind"] == "no"
    assert [(entry["low"], entry["high"], entry["recall"]) for entry in groups["box_height_px"]] == [
        (16, 32, 1.0),
        (64, 128, 0.0),
    ]
    assert groups["visible_fraction"][0]["low"] == 0.5
    assert groups["distance_m"][0] == {"low": 3, "high": 6} | {
        key: groups["rig"][0][key] for key in ("objects", "recall", "recall_interval")
    }
    assert breakdown.recall_by_property(ground_truth, matches_of(ground_truth, [found]), 0.9)["rig"][0]["recall"] == 0


def test_foreign_values_of_other_types_are_not_known():
    image = reader.CocoImage(id=1, file_name="1.png", width=90, height=90, rig=3, light="on")
    annotation = reader.Annotation(
        id=1, image_id=1, category_id=1, bbox=(0, 0, 10, 20), visible_fraction="half", truncated=2
    )
    assert breakdown.object_properties(image, annotation, None) == {"box_height_px": 20}
