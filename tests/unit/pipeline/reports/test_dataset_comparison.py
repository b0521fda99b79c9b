# SPDX-License-Identifier: Apache-2.0
"""Distances between data sets, what chance explains of them, and covered ranges."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.common.randomness import rng
from pipeline.reports.dataset_comparison import (
    Comparison,
    DistributionDifference,
    KsDistance,
    chance_level,
    compare_datasets,
    describe_difference,
    ks_distance,
    range_coverage,
)
from pipeline.reports.dataset_statistics import DatasetStatistics, StatisticValues

SAMPLES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=40)


def values(numbers, images=None) -> StatisticValues:
    numbers = np.array(numbers, float)
    return StatisticValues(numbers, np.arange(len(numbers)) if images is None else np.array(images))


def dataset(name: str, pedestrians=(), trucks=(), **more) -> DatasetStatistics:
    columns = {"pedestrian": pedestrians, "pallet_truck": trucks}
    boxes = {("box_height", kind): values(heights) for kind, heights in columns.items() if len(heights)}
    per_image = {("per_image", kind): values([len(heights)]) for kind, heights in columns.items()}
    of_images = {(key, ""): values(numbers) for key, numbers in more.items()}
    objects = {kind: len(heights) for kind, heights in columns.items()}
    return DatasetStatistics(name, 1, 0, objects, boxes | per_image | of_images, Counter())


@given(SAMPLES)
def test_equal_sets_have_no_distance(sample):
    assert ks_distance(np.array(sample), np.array(sample * 2)).value == pytest.approx(0, abs=1e-9)


@given(SAMPLES, SAMPLES)
def test_the_distance_is_the_largest_difference_between_the_shares_above(ours, real):
    ours, real = np.array(ours), np.array(real)
    found = ks_distance(ours, real)
    differences = [abs((ours > each).mean() - (real > each).mean()) for each in [*ours, *real]]
    assert found.value == pytest.approx(max(differences))
    assert found.above_ours == pytest.approx((ours > found.threshold).mean())
    assert found.above_real == pytest.approx((real > found.threshold).mean())


@given(SAMPLES, SAMPLES, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_distance_is_the_same_in_any_unit(ours, real, factor):
    ours, real = np.array(ours, float), np.array(real, float)
    assert ks_distance(ours * factor + 8, real * factor + 8).value == ks_distance(ours, real).value


@given(SAMPLES, SAMPLES)
def test_the_shares_above_the_threshold_tell_the_direction(ours, real):
    ours, real = np.array(ours), np.array(real)
    there, back = ks_distance(ours, real), ks_distance(real, ours)
    assert there.value == pytest.approx(back.value)
    apart = ks_distance(ours, ours + 5000)
    assert (apart.value, apart.above_ours, apart.above_real) == (1, 0, 1)


def test_known_distances():
    assert ks_distance(np.array([1, 2, 3, 4]), np.array([3, 4, 5, 6])) == KsDistance(2, 0.5, 1)
    assert ks_distance(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])) == KsDistance(0, 0.25, 0.75)


def test_the_chance_level_falls_with_more_images():
    random = np.random.default_rng(3)
    few, more, many = (chance_level(values(random.random(500)), values(random.random(n)), random) for n in (4, 25, 500))
    assert few > more > many
    # Smirnov's limit at 5 %: 1.358 * sqrt((n + m) / (n * m)).
    assert many == pytest.approx(1.358 * np.sqrt(1000 / 250_000), rel=0.15)


def test_equal_values_of_one_image_count_as_one():
    random = np.random.default_rng(3)
    figures = random.random(400)
    alone = chance_level(values(figures), values(figures[:20]), np.random.default_rng(0))
    groups = np.repeat(figures[:20], 10)
    together = chance_level(values(figures), values(groups, np.repeat(np.arange(20), 10)), np.random.default_rng(0))
    assert together > 0.9 * alone
    assert chance_level(values(figures), values(groups), np.random.default_rng(0)) < 0.6 * alone


def test_most_samples_of_the_same_distribution_stay_below_the_chance_level():
    random = np.random.default_rng(8)
    pairs = [(random.normal(size=40), random.normal(size=15)) for _ in range(20)]
    beyond = sum(ks_distance(*pair).value > chance_level(*map(values, pair), random) for pair in pairs)
    assert beyond <= 4


def test_with_one_image_each_the_chance_level_is_one():
    assert chance_level(values([1]), values([2]), np.random.default_rng(0)) == 1


def test_coverage_of_known_sets():
    ours, real = values(np.arange(101)), values(np.arange(50, 151))
    found = range_coverage("brightness", "", ours, real)
    assert found.ours == (5, 95)
    assert found.real == (55, 145)
    assert found.real_inside == pytest.approx(46 / 101)
    assert found.ours_below == pytest.approx(55 / 101)
    assert found.ours_above == 0
    assert not found.is_complete
    assert range_coverage("brightness", "", values([0, 200]), real).is_complete


def test_only_statistics_of_both_sets_that_do_not_depend_on_resolution_are_compared():
    ours = dataset("ours", [0.1, 0.2], [0.3], brightness=[90], box_height_px=[20])
    real = dataset("real", [0.4], [], brightness=[80], box_height_px=[30])
    found = compare_datasets(ours, real)
    expected = {("per_image", "pedestrian"), ("box_height", "pedestrian"), ("brightness", "")}
    assert {(difference.statistic, difference.class_name) for difference in found.differences} == expected
    assert {(each.statistic, each.class_name) for each in found.coverages} == expected


def test_a_class_that_only_the_real_set_holds_is_a_difference():
    found = compare_datasets(dataset("ours", [0.1], []), dataset("real", [0.1], [0.3]))
    trucks = [difference for difference in found.differences if difference.class_name == "pallet_truck"]
    assert [(difference.statistic, difference.distance.value) for difference in trucks] == [("per_image", 1)]


def test_statistics_of_0_and_1_are_compared_but_have_no_coverage():
    found = compare_datasets(dataset("ours", at_edge=[0, 0, 0, 1]), dataset("real", at_edge=[1, 1]))
    assert found.differences[0].distance == KsDistance(0, 0.25, 1)
    assert found.coverages == ()


def test_the_difference_that_exceeds_chance_most_comes_first_and_is_reproducible():
    random = np.random.default_rng(0)
    ours = dataset("ours", random.random(300), brightness=random.random(300))
    real = dataset("real", random.random(300) / 2, brightness=random.random(300))
    found: Comparison = compare_datasets(ours, real)
    assert found.differences[0].statistic == "box_height"
    assert found.differences[0].excess_over_chance > 0.3
    assert [difference.excess_over_chance for difference in found.differences] == sorted(
        (difference.excess_over_chance for difference in found.differences), reverse=True
    )
    assert compare_datasets(ours, real) == found


@pytest.mark.parametrize(
    ("statistic", "class_name", "distance", "sentence"),
    [
        (
            "box_height",
            "pallet_truck",
            KsDistance(0.378, 0.031, 0.25),
            "25% of the pallet trucks in hall are taller than 0.38 of the image, 3.1% of ours.",
        ),
        (
            "brightness",
            "",
            KsDistance(98.2, 1, 0.004),
            "0.4% of the images in hall are brighter than 98 of 255, 100%",
        ),
        (
            "per_image",
            "pedestrian",
            KsDistance(0, 0.5, 0.1),
            "10% of the images in hall hold at least 1 pedestrian,",
        ),
        (
            "per_image",
            "pedestrian",
            KsDistance(1, 0.5, 0),
            "0% of the images in hall hold at least 2 pedestrians,",
        ),
        (
            "at_edge",
            "pedestrian",
            KsDistance(0, 0.5, 0.2),
            "20% of the pedestrians in hall touch the image's edge, 50%",
        ),
    ],
)
def test_differences_are_described_in_a_sentence(statistic, class_name, distance, sentence):
    difference = DistributionDifference(statistic, class_name, distance, 0.1, 0, 0)
    assert describe_difference(difference, "hall").startswith(sentence)


@given(SAMPLES, SAMPLES)
def test_where_several_thresholds_are_equally_good_the_shares_still_fit_the_distance(ours, real):
    """scipy may choose another of them than the lowest; the distance is the same."""
    ours, real = np.array(ours), np.array(real)
    found = ks_distance(ours, real)
    assert found.threshold in {*ours.tolist(), *real.tolist()}
    assert found.value == pytest.approx(abs((ours > found.threshold).mean() - (real > found.threshold).mean()))


def test_renamed_statistics_keep_the_chance_levels_of_their_former_names():
    ours, real = dataset("ours", [0.1, 0.2], [0.3]), dataset("real", [0.4], [0.2])
    columns = [each.statistics["per_image", "pedestrian"] for each in (ours, real)]
    (difference,) = [
        each
        for each in compare_datasets(ours, real).differences
        if (each.statistic, each.class_name) == ("per_image", "pedestrian")
    ]
    assert difference.chance_level == chance_level(*columns, rng(0, 0, "per_picture pedestrian"))
