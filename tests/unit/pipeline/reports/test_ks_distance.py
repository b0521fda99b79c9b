# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.dataset_statistics import DatasetStatistics, StatisticValues
from pipeline.reports.ks_distance import (
    Comparison,
    DistributionDifference,
    KsDistance,
    chance_distance,
    compare_datasets,
    describe_difference,
    format_percent,
    measure_distance,
    range_coverage,
)

SAMPLES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=40)


def values(figures, images=None) -> StatisticValues:
    figures = np.array(figures, float)
    return StatisticValues(figures, np.arange(len(figures)) if images is None else np.array(images))


def measured(name: str, pedestrians=(), trucks=(), **more) -> DatasetStatistics:
    columns = {"pedestrian": pedestrians, "pallet_truck": trucks}
    boxes = {("box_height", kind): values(heights) for kind, heights in columns.items() if len(heights)}
    per_image = {("per_image", kind): values([len(heights)]) for kind, heights in columns.items()}
    told = {key: values(figures) for key, figures in more.items()}
    objects = {kind: len(heights) for kind, heights in columns.items()}
    return DatasetStatistics(
        name, 1, 0, objects, boxes | per_image | {(key, ""): each for key, each in told.items()}, Counter()
    )


@given(SAMPLES)
def test_equal_sets_have_no_distance(sample):
    assert measure_distance(np.array(sample), np.array(sample * 2)).size == pytest.approx(0, abs=1e-9)


@given(SAMPLES, SAMPLES)
def test_the_distance_is_the_largest_difference_between_the_shares_above(ours, real):
    ours, real = np.array(ours), np.array(real)
    found = measure_distance(ours, real)
    differences = [abs((ours > each).mean() - (real > each).mean()) for each in [*ours, *real]]
    assert found.size == pytest.approx(max(differences))
    assert found.above_ours == pytest.approx((ours > found.threshold).mean())
    assert found.above_real == pytest.approx((real > found.threshold).mean())


@given(SAMPLES, SAMPLES, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_distance_is_the_same_in_any_unit(ours, real, factor):
    ours, real = np.array(ours, float), np.array(real, float)
    assert measure_distance(ours * factor + 8, real * factor + 8).size == measure_distance(ours, real).size


@given(SAMPLES, SAMPLES)
def test_the_distance_has_a_direction(ours, real):
    ours, real = np.array(ours), np.array(real)
    there, back = measure_distance(ours, real), measure_distance(real, ours)
    assert there.size == pytest.approx(back.size)
    apart = measure_distance(ours, ours + 5000)
    assert (apart.size, apart.above_ours, apart.above_real) == (1, 0, 1)


def test_known_distances():
    assert measure_distance(np.array([1, 2, 3, 4]), np.array([3, 4, 5, 6])) == KsDistance(2, 0.5, 1)
    assert measure_distance(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])) == KsDistance(0, 0.25, 0.75)


def test_chance_shrinks_with_more_images():
    random = np.random.default_rng(3)
    few, more, many = (
        chance_distance(values(random.random(500)), values(random.random(n)), random) for n in (4, 25, 500)
    )
    assert few > more > many
    # Smirnov's limit at 5 %: 1.358 * sqrt((n + m) / (n * m)).
    assert many == pytest.approx(1.358 * np.sqrt(1000 / 250_000), rel=0.15)


def test_what_is_in_one_image_counts_as_one():
    random = np.random.default_rng(3)
    figures = random.random(400)
    alone = chance_distance(values(figures), values(figures[:20]), np.random.default_rng(0))
    groups = np.repeat(figures[:20], 10)
    together = chance_distance(values(figures), values(groups, np.repeat(np.arange(20), 10)), np.random.default_rng(0))
    assert together > 0.9 * alone
    assert chance_distance(values(figures), values(groups), np.random.default_rng(0)) < 0.6 * alone


def test_chance_alone_explains_nineteen_of_twenty_samples_of_the_same_kind():
    random = np.random.default_rng(8)
    pairs = [(random.normal(size=40), random.normal(size=15)) for _ in range(20)]
    beyond = sum(measure_distance(*pair).size > chance_distance(*map(values, pair), random) for pair in pairs)
    assert beyond <= 4


def test_two_single_images_say_nothing():
    assert chance_distance(values([1]), values([2]), np.random.default_rng(0)) == 1


def test_coverage_of_known_sets():
    ours, real = values(np.arange(101)), values(np.arange(50, 151))
    found = range_coverage("brightness", "", ours, real)
    assert found.ours == (5, 95)
    assert found.real == (55, 145)
    assert found.inside == pytest.approx(46 / 101)
    assert found.below == pytest.approx(55 / 101)
    assert found.above == 0
    assert not found.whole
    assert range_coverage("brightness", "", values([0, 200]), real).whole


def test_only_what_both_tell_and_does_not_depend_on_resolution_is_compared():
    ours = measured("ours", [0.1, 0.2], [0.3], brightness=[90], box_height_px=[20])
    real = measured("real", [0.4], [], brightness=[80], box_height_px=[30])
    found = compare_datasets(ours, real)
    told = {("per_image", "pedestrian"), ("box_height", "pedestrian"), ("brightness", "")}
    assert {(gap.quantity, gap.kind) for gap in found.gaps} == told
    assert {(each.quantity, each.kind) for each in found.coverages} == told


def test_a_class_that_only_the_real_set_holds_is_a_gap():
    found = compare_datasets(measured("ours", [0.1], []), measured("real", [0.1], [0.3]))
    trucks = [gap for gap in found.gaps if gap.kind == "pallet_truck"]
    assert [(gap.quantity, gap.distance.size) for gap in trucks] == [("per_image", 1)]


def test_yes_or_no_is_compared_and_not_covered():
    found = compare_datasets(measured("ours", at_edge=[0, 0, 0, 1]), measured("real", at_edge=[1, 1]))
    assert found.gaps[0].distance == KsDistance(0, 0.25, 1)
    assert found.coverages == ()


def test_gaps_that_reach_farthest_beyond_chance_come_first_and_are_the_same_again():
    random = np.random.default_rng(0)
    ours = measured("ours", random.random(300), brightness=random.random(300))
    real = measured("real", random.random(300) / 2, brightness=random.random(300))
    found: Comparison = compare_datasets(ours, real)
    assert found.gaps[0].quantity == "box_height"
    assert found.gaps[0].excess > 0.3
    assert [gap.excess for gap in found.gaps] == sorted((gap.excess for gap in found.gaps), reverse=True)
    assert compare_datasets(ours, real) == found


@pytest.mark.parametrize(
    ("quantity", "kind", "apart", "words"),
    [
        (
            "box_height",
            "pallet_truck",
            KsDistance(0.378, 0.031, 0.25),
            "25 % of the pallet trucks in hall are taller than 0.38 of the image, 3.1 % of ours.",
        ),
        (
            "brightness",
            "",
            KsDistance(98.2, 1, 0.004),
            "0.4 % of the images in hall are brighter than 98 of 255, 100 %",
        ),
        (
            "per_image",
            "pedestrian",
            KsDistance(0, 0.5, 0.1),
            "10 % of the images in hall hold at least 1 pedestrian,",
        ),
        (
            "per_image",
            "pedestrian",
            KsDistance(1, 0.5, 0),
            "0 % of the images in hall hold at least 2 pedestrians,",
        ),
        (
            "at_edge",
            "pedestrian",
            KsDistance(0, 0.5, 0.2),
            "20 % of the pedestrians in hall reach the image's edge, 50 %",
        ),
    ],
)
def test_gaps_in_words(quantity, kind, apart, words):
    assert describe_difference(DistributionDifference(quantity, kind, apart, 0.1, 0, 0), "hall").startswith(words)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.0004, "0.04 %"), (0.05, "5 %"), (0.123, "12 %"), (1, "100 %")]
)
def test_percent(share, text):
    assert format_percent(share) == text
