# SPDX-License-Identifier: Apache-2.0
"""The summary of a set: it can be written as JSON, its parts agree, and it bears sets without objects or detections."""

import dataclasses
import json

import pytest

from pipeline.evaluation import summary
from pipeline.inference import evaluate
from tests.helpers import random_detections

CLASSES = ("pedestrian", "pallet_truck")


@pytest.fixture(scope="module")
def random_summary():
    ground_truth, detections = random_detections.random_set(3, images=20)
    result = summary.summarize(
        ground_truth, detections, CLASSES, {"pedestrian": 0.3}, True, [100.0] * 20, lambda image, box: "rack"
    )
    return ground_truth, detections, json.loads(json.dumps(result, allow_nan=False))


def test_intervals_hold_the_average_precision(random_summary):
    ground_truth, detections, result = random_summary
    metrics = evaluate.evaluate(ground_truth, detections)
    for iou_type in ("box", "mask"):
        for group in (None, *CLASSES):
            values, bounds = metrics[iou_type], result["intervals"][iou_type]
            values, bounds = (values[group], bounds[group]) if group else (values, bounds)
            for metric in ("AP", "AP50", "AP75"):
                low, high = bounds[metric]
                assert low <= values[metric] <= high


def test_the_parts_agree(random_summary):
    *_, result = random_summary
    assert result["operating_points"]["pedestrian"]["threshold"] == 0.3
    assert result["operating_points"]["pallet_truck"]["threshold"] == 0.5
    for name in CLASSES:
        point, alarms = result["operating_points"][name], result["false_alarms"][name]
        assert sum(alarms["kinds"].values()) == point["false_alarms"]
        assert alarms.get("assets", {}).get("rack", 0) == alarms["kinds"]["background"]
        assert sum(group["objects"] for group in result["recall_by"][name]["box_height_px"]) == point["objects"]
        curve = result["curves"][name]
        assert curve["recall"] == sorted(curve["recall"])
        assert curve["confidence"] == sorted(curve["confidence"], reverse=True)


def test_thresholds_for_a_wanted_recall_or_precision(random_summary):
    *_, result = random_summary
    for name in CLASSES:
        for aim, chosen in result["operating_points"][name]["thresholds_for"].items():
            metric, wanted = aim.split()
            assert chosen is None or chosen[metric] >= float(wanted)


def test_false_alarms_of_images_without_objects():
    ground_truth, detections = random_detections.random_set(3, images=20)
    empty = dataclasses.replace(ground_truth, annotations=())
    result = summary.summarize(empty, detections, CLASSES, {}, False)
    for name, number in zip(CLASSES, (1, 2), strict=True):
        expected = sum(each.category_id == number and each.score >= 0.5 for each in detections) / 20
        point = result["operating_points"][name]
        assert point["images_without_objects"] == {"images": 20, "false_alarms_per_image": expected}
        assert point["false_alarms_per_image"] == expected
        assert point["recall"] is None
        assert result["curves"][name] is None
        assert result["intervals"]["box"][name] == {"AP": None, "AP50": None, "AP75": None}


def test_nothing_is_found():
    ground_truth, _ = random_detections.random_set(3)
    result = summary.summarize(ground_truth, [], CLASSES, {}, True)
    assert result["curves"]["pedestrian"] == {"confidence": [], "recall": [], "precision": []}
    assert result["operating_points"]["pedestrian"]["precision"] is None
    assert result["intervals"]["box"]["AP"] == [0.0, 0.0]
