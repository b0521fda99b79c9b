# SPDX-License-Identifier: Apache-2.0
"""The one source of randomness: a generator per (data set, image, stage)."""

import zlib
from collections.abc import Mapping

import numpy as np


def rng(dataset_seed: int, image_index: int, stage_name: str) -> np.random.Generator:
    """Return the generator of one stage of one image.

    Streams of different (seed, index, stage) are independent, so a new stage or one more image changes nothing
    that was there before. Seed 0 is a seed like any other.

    Raises:
        ValueError: a negative seed or index.
    """
    if dataset_seed < 0 or image_index < 0:
        raise ValueError(f"seed and image index must not be negative, got {dataset_seed} and {image_index}")
    stage = zlib.crc32(stage_name.encode())
    return np.random.default_rng(np.random.SeedSequence([dataset_seed, image_index, stage]))


def choose_weighted(random: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Return one of the names, each drawn in proportion to its share."""
    names, weights = list(shares), np.array(list(shares.values()), float)
    return names[random.choice(len(names), p=weights / weights.sum())]


def draw_seed(random: np.random.Generator) -> int:
    """Draw a seed for whatever is built later from the record: an integer in 0 .. 2**31 - 1."""
    return int(random.integers(2**31))
