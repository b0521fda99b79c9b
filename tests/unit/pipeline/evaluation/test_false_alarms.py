# SPDX-License-Identifier: Apache-2.0
"""Kinds of false alarms, and the lists of errors against the counts of the operating point."""

import pytest

from pipeline.coco import reader
from pipeline.evaluation import false_alarms, matching, operating_point
from tests.helpers import random_detections


def truth(box: tuple, category: int = 1, **more: object) -> reader.Annotation:
    return reader.Annotation(id=1, image_id=1, category_id=category, bbox=box, **more)


@pytest.mark.parametrize(
    ("annotations", "kind"),
    [
        ([truth((0, 0, 10, 12))], "duplicate"),
        ([truth((0, 0, 10, 40))], "loose"),
        ([truth((0, 0, 10, 12), category=2)], "other_class"),
        ([truth((0, 0, 10, 40), category=2)], "background"),
        ([truth((0, 0, 10, 12), iscrowd=1)], "background"),
        ([truth((30, 30, 10, 10))], "background"),
        ([], "background"),
        ([truth((0, 0, 10, 12), category=2), truth((0, 0, 10, 40))], "other_class"),
    ],
)
def test_the_kind_of_a_false_alarm(annotations, kind):
    detection = reader.Detection(image_id=1, category_id=1, bbox=(0, 0, 10, 10), score=0.9)
    assert false_alarms.kind_of(detection, annotations) == kind


@pytest.mark.parametrize("seed", range(6))
def test_the_lists_hold_what_the_operating_point_counts(seed):
    ground_truth, detections = random_detections.random_set(seed, images=10)
    matches = matching.match_class(ground_truth, detections, 2, "box")
    measured = operating_point.measure(matches, 0.4)
    alarms = false_alarms.list_false_alarms(ground_truth, detections, matches, 0.4)
    assert len(alarms) == measured["false_alarms"]
    assert [alarm.score for alarm in alarms] == sorted((alarm.score for alarm in alarms), reverse=True)
    for alarm in alarms:
        assert detections[alarm.detection].image_id == ground_truth.images[alarm.image].id
        assert detections[alarm.detection].score == alarm.score >= 0.4
    misses = false_alarms.list_misses(ground_truth, matches, 0.4)
    assert len(misses) == round(measured["objects"] * (1 - measured["recall"]))
    areas = [ground_truth.annotations[miss.annotation].bbox for miss in misses]
    assert areas == sorted(areas, key=lambda box: -box[2] * box[3])
