# SPDX-License-Identifier: Apache-2.0
"""Average precision from matches against faster_coco_eval, and of resampled sets against sets that are really made."""

import dataclasses

import numpy as np
import pytest

from pipeline.evaluation import average_precision, matching
from pipeline.inference import evaluate
from tests.helpers import random_detections
from tests.helpers.search import examples


@pytest.mark.parametrize("iou_type", ["box", "mask"])
@pytest.mark.parametrize("seed", range(examples(40)))
def test_it_is_the_average_precision_of_coco(seed, iou_type):
    ground_truth, detections = random_detections.random_set(seed)
    expected = evaluate.evaluate(ground_truth, detections)[iou_type]
    for category in ground_truth.categories:
        matches = matching.match_class(ground_truth, detections, category.id, iou_type)
        found = average_precision.average_precision(matches, np.ones((1, matches.images)))[0]
        wanted = expected[category.name]
        if wanted["AP"] is None:
            assert np.isnan(found).all()
        else:
            assert found.mean() == pytest.approx(wanted["AP"], abs=6e-5)
            assert found[[0, 5]] == pytest.approx([wanted["AP50"], wanted["AP75"]], abs=6e-5)


@pytest.mark.parametrize("seed", range(examples(12)))
def test_weights_are_copies_of_images(seed):
    ground_truth, detections = random_detections.random_set(seed, score_digits=9)
    copies = np.random.default_rng(seed).integers(0, 3, len(ground_truth.images))
    repeated, repeated_detections = repeat_images(ground_truth, detections, copies)
    for category in ground_truth.categories:
        matches = matching.match_class(ground_truth, detections, category.id, "box")
        weighted = average_precision.average_precision(matches, copies[None].astype(float))
        real = matching.match_class(repeated, repeated_detections, category.id, "box")
        expected = average_precision.average_precision(real, np.ones((1, real.images)))
        np.testing.assert_allclose(weighted, expected)


def repeat_images(ground_truth, detections, copies):
    images, annotations, found = [], [], []
    for image, count in zip(ground_truth.images, copies, strict=True):
        for _ in range(count):
            number = len(images) + 1
            images.append(image.model_copy(update={"id": number}))
            annotations += [
                each.model_copy(update={"image_id": number})
                for each in ground_truth.annotations
                if each.image_id == image.id
            ]
            found += [each.model_copy(update={"image_id": number}) for each in detections if each.image_id == image.id]
    document = dataclasses.replace(ground_truth, images=tuple(images), annotations=tuple(annotations))
    return document, found


def test_intervals_hold_the_value_and_shrink_with_more_images():
    widths = []
    for images in (10, 160):
        ground_truth, detections = random_detections.random_set(0, images)
        matches = matching.match_class(ground_truth, detections, 1, "box")
        weights = average_precision.resample_images(images)
        assert (weights.sum(axis=1) == images).all()
        low, high = average_precision.interval(average_precision.average_precision(matches, weights)[:, 0])
        value = average_precision.average_precision(matches, np.ones((1, images)))[0, 0]
        assert low <= value <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_large_sets_are_resampled_less_often():
    assert average_precision.resample_images(1000).shape == (1000, 1000)
    assert average_precision.resample_images(1001).shape == (200, 1001)


def test_no_interval_without_objects():
    assert average_precision.interval(np.array([np.nan, np.nan])) is None
