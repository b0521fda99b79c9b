# SPDX-License-Identifier: Apache-2.0
"""Which image is drawn when: shares of sources, images of rare classes more often, batches of one process.

What the `number`-th draw of a run is depends on the seed and that number alone. So a run that goes on at iteration k
draws what it would have drawn, and the batches of several processes are together those of one with larger batches.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from pipeline.common.randomness import rng


class Draw(NamedTuple):
    """The `number`-th image that training takes is the data set's `image_index`-th."""

    number: int
    image_index: int


class SamplingSource(NamedTuple):
    """One source: `repeats` float64 (images,), how often each of its images is drawn in one of its epochs.

    `share`: of all draws; `name` decides its random numbers.
    """

    name: str
    share: float
    repeats: np.ndarray


class DrawSequence:
    """All draws of a run, by number. Images are counted through the strata, in their order.

    Of n draws in a row every stratum gets its share of n, rounded up or down. In an epoch of a stratum every image
    of it comes as often as `repeats` says, rounded up or down so that it is right on average, in random order.
    """

    def __init__(self, strata: Sequence[SamplingSource], seed: int) -> None:
        self.strata = strata
        self.seed = seed
        sizes = [len(stratum.repeats) for stratum in strata]
        self.firsts = [sum(sizes[:place]) for place in range(len(sizes))]
        left = [max(1e-12, sum(stratum.share for stratum in strata[place:])) for place in range(len(strata))]
        self.shares = [stratum.share / whole for stratum, whole in zip(strata, left, strict=True)]
        self.phases = [rng(seed, place, "share").random() for place in range(len(strata))]
        self.orders: list[tuple[int, np.ndarray]] = [(-1, np.empty(0, int))] * len(strata)

    def __getitem__(self, number: int) -> Draw:
        place, nth = self._stratum_of(number)
        epoch, within = divmod(nth, epoch_length(self.strata[place].repeats))
        if self.orders[place][0] != epoch:
            self.orders[place] = epoch, epoch_order(self.strata[place], self.seed, epoch)
        return Draw(number, self.firsts[place] + int(self.orders[place][1][within]))

    def _stratum_of(self, number: int) -> tuple[int, int]:
        """Return which stratum the draw is taken from, and how many draws before it were.

        Each stratum takes its share of what those before it leave, evenly spread: draw n is its own if
        floor((n + 1) * share + phase) > floor(n * share + phase). So nothing needs to be counted.
        """
        for place, (share, phase) in enumerate(zip(self.shares[:-1], self.phases, strict=False)):
            taken, after = (math.floor(n * share + phase) for n in (number, number + 1))
            if after > taken:
                return place, taken
            number -= taken
        return len(self.shares) - 1, number


def epoch_length(repeats: np.ndarray) -> int:
    return math.ceil(round(float(repeats.sum()), 6))


def epoch_order(stratum: SamplingSource, seed: int, epoch: int) -> np.ndarray:
    """Return the places of the images that this epoch draws, int64 (epoch_length,), in the order of drawing.

    Systematic sampling: of image i come floor(c[i] + u) - floor(c[i - 1] + u), c the cumulated repeats, u random.
    So every epoch has the same length, which a rounding of its own for each image, as in LVIS, would not give.
    """
    length = epoch_length(stratum.repeats)
    ends = np.cumsum(stratum.repeats) * (length / stratum.repeats.sum())
    # Half a millionth: sums of whole repeats, which may end a hair below a whole number, are whole.
    ends = np.floor(ends + rng(seed, epoch, f"repeats {stratum.name}").random() * 0.999 + 5e-7).astype(int)
    ends[-1] = length
    drawn = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return drawn[rng(seed, epoch, f"order {stratum.name}").permutation(length)]


def lvis_repeat_factors(present: np.ndarray, threshold: float) -> np.ndarray:
    """Return how often each image is to be drawn in an epoch, float64 (images,), 1 or more.

    `present`: bool (images, classes), the classes that an image shows. A class in a share f of the images asks
    for max(1, sqrt(threshold / f)), and an image gets what its rarest class asks for: repeat factor sampling of
    LVIS (Gupta, Dollár and Girshick 2019, arXiv 1908.03195, appendix B). Images without any class get 1.
    """
    frequency = present.mean(axis=0)
    asked = np.sqrt(np.maximum(1, threshold / np.where(frequency > 0, frequency, np.inf)))
    return np.where(present, asked, 1.0).max(axis=1, initial=1.0)


class ProcessBatchSampler(Sampler[list[Draw]]):
    """The batches of one process of `world`, from iteration `first` up to `iterations`; its draws are this `rank`'s.

    `batch_size` is that of one process.
    """

    def __init__(
        self, draws: DrawSequence, batch_size: int, iterations: int, first: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        self.draws = draws
        self.batch_size = batch_size
        self.iterations = range(first, iterations)
        self.rank = rank
        self.world = world

    def __len__(self) -> int:
        return len(self.iterations)

    def __iter__(self) -> Iterator[list[Draw]]:
        for iteration in self.iterations:
            start = (iteration * self.world + self.rank) * self.batch_size
            yield [self.draws[number] for number in range(start, start + self.batch_size)]
