# SPDX-License-Identifier: Apache-2.0
"""Compare a data set with a real one: Kolmogorov-Smirnov distances, their chance level, and covered ranges."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from pipeline.common.randomness import rng
from pipeline.reports.dataset_statistics import STATISTICS, DatasetStatistics, StatisticValues
from pipeline.viz.formatting import display_name, format_percent

PERMUTATIONS = 1000
CHANCE_PERCENTILE = 95
RANGE_PERCENTILES = (5, 95)
# Statistics that seed their permutations by an older name, which keeps their chance levels.
SEED_NAMES = {"height_to_width": "slenderness", "per_image": "per_picture"}


class KsDistance(NamedTuple):
    """`above_ours` and `above_real`: the shares of both samples above `threshold`, where they differ most."""

    threshold: float
    above_ours: float
    above_real: float

    @property
    def value(self) -> float:
        """The Kolmogorov-Smirnov distance: 0 for equal distributions, 1 if one lies completely above the other."""
        return abs(self.above_ours - self.above_real)


@dataclass(frozen=True)
class DistributionDifference:
    """The difference of one statistic of one class (or PER_IMAGE) between a data set and a real one.

    `chance_level`: 95% of random divisions of the same images into two such sets have a smaller distance. A distance
    below it may be due to the small number of images.
    """

    statistic: str
    class_name: str
    distance: KsDistance
    chance_level: float
    median_ours: float
    median_real: float

    @property
    def excess_over_chance(self) -> float:
        """Distance minus chance level. Rounded, because both are differences of shares that may be equal."""
        return round(self.distance.value - self.chance_level, 9)


@dataclass(frozen=True)
class Coverage:
    """How the range of our values covers the real one.

    `ours`, `real`: 5th and 95th percentile. `real_inside`: share of the real values within `ours`. `ours_below`,
    `ours_above`: shares of our values below the real 5th and above the real 95th percentile.
    """

    statistic: str
    class_name: str
    ours: tuple[float, float]
    real: tuple[float, float]
    real_inside: float
    ours_below: float
    ours_above: float

    @property
    def is_complete(self) -> bool:
        """Whether our range contains the real one."""
        return self.ours[0] <= self.real[0] and self.real[1] <= self.ours[1]


@dataclass(frozen=True)
class Comparison:
    """A data set and a real one, in every statistic that both have.

    `differences`: the one that exceeds its chance level most comes first. `coverages`: of statistics other than 0 or 1.
    """

    real: DatasetStatistics
    differences: tuple[DistributionDifference, ...]
    coverages: tuple[Coverage, ...]


def compare_datasets(ours: DatasetStatistics, real: DatasetStatistics) -> Comparison:
    """Compare all statistics that both sets have and that do not depend on the size of the images."""
    comparable = [key for key in ours.statistics if STATISTICS[key[0]].exceeds_phrase and real.has_values(*key)]
    pairs = [(key, ours.statistics[key], real.statistics[key]) for key in comparable]
    differences = [_difference(*key, *values) for key, *values in pairs]
    coverages = [range_coverage(*key, *values) for key, *values in pairs if STATISTICS[key[0]].bin_edges is not None]
    by_excess = sorted(differences, key=lambda difference: -difference.excess_over_chance)
    return Comparison(real, tuple(by_excess), tuple(coverages))


def _difference(
    statistic: str, class_name: str, ours: StatisticValues, real: StatisticValues
) -> DistributionDifference:
    seed_name = SEED_NAMES.get(statistic, statistic)
    return DistributionDifference(
        statistic,
        class_name,
        ks_distance(ours.values, real.values),
        chance_level(ours, real, rng(0, 0, f"{seed_name} {class_name}")),
        float(np.median(ours.values)),
        float(np.median(real.values)),
    )


def ks_distance(ours: np.ndarray, real: np.ndarray) -> KsDistance:
    """Return the threshold above which the shares of (n,) and (m,) values differ most. It has no unit."""
    # Only the p-value depends on the method, and divides by zero for single values. It is not used: it takes all values
    # for independent.
    with np.errstate(divide="ignore"):
        result = stats.ks_2samp(ours, real, method="asymp")
    threshold = float(result.statistic_location)
    return KsDistance(threshold, float((ours > threshold).mean()), float((real > threshold).mean()))


def chance_level(ours: StatisticValues, real: StatisticValues, random: np.random.Generator) -> float:
    """Return the distance that 95 of 100 random divisions of the images into two such sets do not reach.

    It is a permutation test over clusters: whole images are shuffled, because the values of one image are alike.
    """
    values = np.concatenate([ours.values, real.values])
    shifted = real.image_indices + ours.image_indices.max() + 1
    _, image_ids = np.unique(np.concatenate([ours.image_indices, shifted]), return_inverse=True)
    image_count, real_image_count = image_ids.max() + 1, len(np.unique(real.image_indices))
    order = np.argsort(values, kind="stable")
    sorted_image_ids = image_ids[order]
    # Shares are compared after the last of several equal values.
    last_of_equal = np.flatnonzero(np.diff(values[order], append=np.inf))
    distances = []
    for _ in range(PERMUTATIONS):
        is_real_image = np.zeros(image_count, bool)
        is_real_image[random.permutation(image_count)[:real_image_count]] = True
        real_below = np.cumsum(is_real_image[sorted_image_ids])[last_of_equal]
        ours_below = last_of_equal + 1 - real_below
        distances.append(np.abs(real_below / real_below[-1] - ours_below / ours_below[-1]).max())
    return float(np.percentile(distances, CHANCE_PERCENTILE))


def range_coverage(statistic: str, class_name: str, ours: StatisticValues, real: StatisticValues) -> Coverage:
    """Return how far the range of our values contains the real values."""
    our_range, real_range = _percentile_range(ours), _percentile_range(real)
    return Coverage(
        statistic,
        class_name,
        our_range,
        real_range,
        real_inside=float(((real.values >= our_range[0]) & (real.values <= our_range[1])).mean()),
        ours_below=float((ours.values < real_range[0]).mean()),
        ours_above=float((ours.values > real_range[1]).mean()),
    )


def _percentile_range(values: StatisticValues) -> tuple[float, float]:
    low, high = np.percentile(values.values, RANGE_PERCENTILES)
    return float(low), float(high)


def describe_difference(difference: DistributionDifference, real_name: str) -> str:
    """Return a sentence: 25% of the pallet trucks in real are taller than 0.38 of the image, 3% of ours."""
    phrase, threshold = STATISTICS[difference.statistic].exceeds_phrase, difference.distance.threshold
    noun = f"{display_name(difference.class_name)}s" if difference.class_name else "images"
    if difference.statistic == "per_image":
        # Counts are integers: more than 1 is at least 2.
        counted = noun if threshold else display_name(difference.class_name)
        noun, phrase, threshold = "images", f"{phrase} {counted}", threshold + 1
    real, ours = format_percent(difference.distance.above_real), format_percent(difference.distance.above_ours)
    return f"{real} of the {noun} in {real_name} {phrase.format(threshold)}, {ours} of ours."
