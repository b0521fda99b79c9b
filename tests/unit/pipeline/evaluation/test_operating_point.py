# SPDX-License-Identifier: Apache-2.0
"""Recall, precision and thresholds on sets that can be counted by hand, and against a count with loops."""

import numpy as np
import pytest

from pipeline.evaluation import matching, operating_point
from tests.helpers import random_detections
from tests.helpers.search import examples


def matches_of(seed: int) -> matching.ClassMatches:
    ground_truth, detections = random_detections.random_set(seed, images=12)
    return matching.match_class(ground_truth, detections, 1, "box")


def plain_counts(matches: matching.ClassMatches, threshold: float) -> tuple[float, float]:
    """Return recall and precision at a threshold, counted one detection after the other."""
    true = false = 0
    for row, score in enumerate(matches.scores):
        if score >= threshold and not matches.is_ignored[0, row]:
            true, false = true + matches.is_true[0, row], false + (not matches.is_true[0, row])
    return true / len(matches.objects), true / max(true + false, 1)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_recall_and_precision_are_counts(seed):
    matches = matches_of(seed)
    measured = operating_point.measure(matches, 0.5)
    recall, precision = plain_counts(matches, 0.5)
    assert measured["recall"] == pytest.approx(recall, abs=6e-5)
    assert measured["precision"] == pytest.approx(precision, abs=6e-5)
    low, high = measured["recall_interval"]
    assert low <= recall <= high


@pytest.mark.parametrize("metric", ["recall", "precision"])
@pytest.mark.parametrize("seed", range(examples(20)))
def test_the_threshold_gives_what_is_wanted_and_the_next_one_does_not(seed, metric):
    matches = matches_of(seed)
    chosen = operating_point.choose_threshold(matches, metric, 0.6)
    values = {
        threshold: dict(zip(("recall", "precision"), plain_counts(matches, threshold), strict=True))
        for threshold in np.unique(matches.scores)
    }
    reaching = [threshold for threshold, value in values.items() if value[metric] >= 0.6]
    assert chosen.reached == bool(reaching)
    if reaching:
        assert chosen.threshold == (max(reaching) if metric == "recall" else min(reaching))
    else:
        assert values[chosen.threshold][metric] == max(value[metric] for value in values.values())
    assert (chosen.recall, chosen.precision) == pytest.approx(plain_counts(matches, chosen.threshold))


def test_nothing_to_choose_from():
    ground_truth, _ = random_detections.random_set(0)
    matches = matching.match_class(ground_truth, [], 1, "box")
    assert operating_point.choose_threshold(matches, "recall", 0.9) is None
    assert operating_point.measure(matches, 0.5)["precision"] is None
    assert operating_point.measure(matches, 0.5)["recall"] == 0
