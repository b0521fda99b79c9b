# SPDX-License-Identifier: Apache-2.0
"""Which image is drawn when: shares of the sources, rare classes more often, and the batches of each process.

The image of the n-th draw depends only on the seed and on n. So a run that resumes at iteration k draws the same images
as before, and the batches of several processes together are those of one process with larger batches.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from pipeline.common.randomness import rng


class Draw(NamedTuple):
    """The n-th image that training takes: `number` is n, counted from 0; `image_index` is its index in the data set."""

    number: int
    image_index: int


class SamplingSource(NamedTuple):
    """A set of images to draw from.

    Attributes:
        name: decides the random numbers of this source.
        share: of all draws.
        repeats: float64 (images,), how often each image is drawn in an epoch of this source.
    """

    name: str
    share: float
    repeats: np.ndarray


class DrawSequence:
    """All draws of a run, by number. Image indices count through the sources, in their order.

    Of any n consecutive draws, every source gets its share of n, rounded up or down. In an epoch of a source, every
    image is drawn as often as `repeats` says, rounded up or down so that the mean is right, in random order.
    """

    def __init__(self, sources: Sequence[SamplingSource], seed: int) -> None:
        self.sources = sources
        self.seed = seed
        sizes = [len(source.repeats) for source in sources]
        self.firsts = [sum(sizes[:index]) for index in range(len(sizes))]
        # The share of each source of what the sources before it leave.
        remaining = [max(1e-12, sum(source.share for source in sources[index:])) for index in range(len(sources))]
        self.shares = [source.share / rest for source, rest in zip(sources, remaining, strict=True)]
        self.phases = [rng(seed, index, "share").random() for index in range(len(sources))]
        self.orders: list[tuple[int, np.ndarray]] = [(-1, np.empty(0, int))] * len(sources)

    def __getitem__(self, number: int) -> Draw:
        index, source_draw = self._source_of(number)
        epoch, position = divmod(source_draw, epoch_length(self.sources[index].repeats))
        if self.orders[index][0] != epoch:
            self.orders[index] = epoch, epoch_order(self.sources[index], self.seed, epoch)
        return Draw(number, self.firsts[index] + int(self.orders[index][1][position]))

    def _source_of(self, number: int) -> tuple[int, int]:
        """Return the index of the source of a draw, and how many earlier draws were from this source.

        Each source takes its share of what the sources before it leave, evenly spaced: draw n belongs to it if
        floor((n + 1) * share + phase) > floor(n * share + phase). So no draws have to be counted.
        """
        for index, (share, phase) in enumerate(zip(self.shares[:-1], self.phases, strict=False)):
            drawn_before, drawn_after = (math.floor(n * share + phase) for n in (number, number + 1))
            if drawn_after > drawn_before:
                return index, drawn_before
            number -= drawn_before
        return len(self.shares) - 1, number


def epoch_length(repeats: np.ndarray) -> int:
    """Return the number of draws in an epoch of a source."""
    return math.ceil(round(float(repeats.sum()), 6))


def epoch_order(source: SamplingSource, seed: int, epoch: int) -> np.ndarray:
    """Return the indices of the images of an epoch, int64 (epoch_length,), in the order in which they are drawn.

    Systematic sampling: image i is drawn floor(c[i] + u) - floor(c[i - 1] + u) times, where c is the cumulative sum of
    the repeats and u is random. So every epoch has the same length. Rounding each image alone, as LVIS does, would not
    give that.
    """
    length = epoch_length(source.repeats)
    ends = np.cumsum(source.repeats) * (length / source.repeats.sum())
    # The half millionth rounds up sums that end slightly below a whole number.
    ends = np.floor(ends + rng(seed, epoch, f"repeats {source.name}").random() * 0.999 + 5e-7).astype(int)
    ends[-1] = length
    drawn = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return drawn[rng(seed, epoch, f"order {source.name}").permutation(length)]


def lvis_repeat_factors(present: np.ndarray, threshold: float) -> np.ndarray:
    """Return how often to draw each image in an epoch, float64 (images,), 1 or more.

    `present`: bool (images, classes), the classes that an image shows. A class in a share f of the images gets the
    factor max(1, sqrt(threshold / f)), and an image gets the largest factor of its classes. Images without classes get
    1. This is the repeat factor sampling of LVIS (Gupta, Dollár and Girshick 2019, arXiv 1908.03195, appendix B).
    """
    frequency = present.mean(axis=0)
    class_repeats = np.sqrt(np.maximum(1, threshold / np.where(frequency > 0, frequency, np.inf)))
    return np.where(present, class_repeats, 1.0).max(axis=1, initial=1.0)


class ProcessBatchSampler(Sampler[list[Draw]]):
    """The batches of the process number `rank` of `world`, from iteration `first` up to `iterations`.

    `batch_size` is the number of images that this process takes of each batch.
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
