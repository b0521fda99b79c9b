# SPDX-License-Identifier: Apache-2.0
"""How far a set is from a real one: Kolmogorov-Smirnov distances, what chance alone would give, and what is covered."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.common.randomness import rng
from pipeline.reports.dataset_statistics import STATISTICS, DatasetStatistics, StatisticValues
from pipeline.viz.charts import display_name

PERMUTATIONS = 1000
CHANCE_PERCENTILE = 95
RANGE_PERCENTILES = (5, 95)


class KsDistance(NamedTuple):
    """`above_ours` and `above_real`: the shares of both samples above `threshold`, where they differ most."""

    threshold: float
    above_ours: float
    above_real: float

    @property
    def size(self) -> float:
        return abs(self.above_ours - self.above_real)


@dataclass(frozen=True)
class DistributionDifference:
    """Of one quantity of one class (ALL: of images) between a set and a real one.

    `chance_distance`: the distance that 95 of 100 random divisions of the same images into two such sets stay below. A gap
    below it may be due to the few images.
    """

    quantity: str
    kind: str
    distance: KsDistance
    chance: float
    median_ours: float
    median_real: float

    @property
    def excess(self) -> float:
        """How far the gap reaches beyond chance; rounded, for both are differences of shares that may be equal."""
        return round(self.distance.size - self.chance, 9)


@dataclass(frozen=True)
class Coverage:
    """`ours`, `real`: 5th and 95th percentile. `inside`: share of the real values within `ours`.

    `below`, `above`: shares of our values below the real 5th and above the real 95th percentile.
    """

    quantity: str
    kind: str
    ours: tuple[float, float]
    real: tuple[float, float]
    inside: float
    below: float
    above: float

    @property
    def whole(self) -> bool:
        """Our 5th to 95th percentile holds the real one's."""
        return self.ours[0] <= self.real[0] and self.real[1] <= self.ours[1]


@dataclass(frozen=True)
class Comparison:
    """Between a set and a real one, of every quantity that both tell. `gaps`: those most beyond chance first.

    `coverages`: of all that is more than a yes or no.
    """

    real: DatasetStatistics
    gaps: tuple[DistributionDifference, ...]
    coverages: tuple[Coverage, ...]


def compare_datasets(ours: DatasetStatistics, real: DatasetStatistics) -> Comparison:
    """Compare what can be compared: quantities that do not depend on the images' size, of which both sets tell."""
    comparable = [key for key in ours.values if STATISTICS[key[0]].exceeds and real.tells(*key)]
    shared = [(key, ours.values[key], real.values[key]) for key in comparable]
    gaps = [_gap(*key, *both) for key, *both in shared]
    coverages = [range_coverage(*key, *both) for key, *both in shared if STATISTICS[key[0]].edges is not None]
    return Comparison(real, tuple(sorted(gaps, key=lambda gap: -gap.excess)), tuple(coverages))


def _gap(quantity: str, kind: str, ours: StatisticValues, real: StatisticValues) -> DistributionDifference:
    return DistributionDifference(
        quantity,
        kind,
        measure_distance(ours.figures, real.figures),
        chance_distance(ours, real, rng(0, 0, f"{quantity} {kind}")),
        float(np.median(ours.figures)),
        float(np.median(real.figures)),
    )


def measure_distance(ours: np.ndarray, real: np.ndarray) -> KsDistance:
    """Return where the shares of (n,) and (m,) values above a threshold differ most, as Kolmogorov and Smirnov do.

    Its size is 0 for equal distributions, 1 where one lies above the other, and the same in any unit.
    """
    thresholds = np.unique(np.concatenate([ours, real]))
    above = [1 - np.searchsorted(np.sort(each), thresholds, side="right") / len(each) for each in (ours, real)]
    most = int(np.argmax(np.abs(above[0] - above[1])))
    return KsDistance(float(thresholds[most]), float(above[0][most]), float(above[1][most]))


def chance_distance(ours: StatisticValues, real: StatisticValues, random: np.random.Generator) -> float:
    """Return what the distance stays below in 95 of 100 shuffles of the images between the two sets.

    Whole images are shuffled, for what is in one image is alike: a permutation test over clusters.
    """
    figures = np.concatenate([ours.figures, real.figures])
    _, image = np.unique(np.concatenate([ours.images, real.images + ours.images.max() + 1]), return_inverse=True)
    images, real_images = image.max() + 1, len(np.unique(real.images))
    order = np.argsort(figures, kind="stable")
    image_in_order = image[order]
    # Equal values step together: shares are compared behind the last of them.
    last = np.flatnonzero(np.diff(figures[order], append=np.inf))
    found = []
    for _ in range(PERMUTATIONS):
        shuffled = np.zeros(images, bool)
        shuffled[random.permutation(images)[:real_images]] = True
        is_real = shuffled[image_in_order]
        real_below = np.cumsum(is_real)[last]
        ours_below = last + 1 - real_below
        found.append(np.abs(real_below / real_below[-1] - ours_below / ours_below[-1]).max())
    return float(np.percentile(found, CHANCE_PERCENTILE))


def range_coverage(quantity: str, kind: str, ours: StatisticValues, real: StatisticValues) -> Coverage:
    """Return how far the range of our values holds the real ones."""
    our_ends, real_ends = (_range(values) for values in (ours, real))
    inside = (real.figures >= our_ends[0]) & (real.figures <= our_ends[1])
    below, above = ours.figures < real_ends[0], ours.figures > real_ends[1]
    ends = (our_ends, real_ends)
    return Coverage(quantity, kind, *ends, float(inside.mean()), float(below.mean()), float(above.mean()))


def _range(values: StatisticValues) -> tuple[float, float]:
    low, high = np.percentile(values.figures, RANGE_PERCENTILES)
    return float(low), float(high)


def describe_difference(gap: DistributionDifference, real_name: str) -> str:
    """Return a sentence: 25 % of the pallet trucks in real are taller than 0.38 of the image, 3 % of ours."""
    exceeds, threshold = STATISTICS[gap.quantity].exceeds, gap.distance.threshold
    things = f"{display_name(gap.kind)}s" if gap.kind else "images"
    if gap.quantity == "per_image":
        # Whole numbers: more than 1 is at least 2.
        counted = things if threshold else display_name(gap.kind)
        things, exceeds, threshold = "images", f"{exceeds} {counted}", threshold + 1
    real, ours = format_percent(gap.distance.above_real), format_percent(gap.distance.above_ours)
    return f"{real} of the {things} in {real_name} {exceeds.format(threshold)}, {ours} of ours."


def format_percent(share: float) -> str:
    """Return a share in per cent: whole from 10 on, else with two digits."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"
