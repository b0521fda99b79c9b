# SPDX-License-Identifier: Apache-2.0
"""Which image is drawn when depends only on the seed and the number of the draw, for any number of processes."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.sampler import DrawSequence, ProcessBatchSampler, SamplingSource, lvis_repeat_factors
from tests.helpers.search import examples


def draws(*images: int, shares=(1.0,), seed: int = 0) -> DrawSequence:
    strata = [
        SamplingSource(f"s{place}", share, np.ones(n))
        for place, (n, share) in enumerate(zip(images, shares, strict=True))
    ]
    return DrawSequence(strata, seed)


def test_an_epoch_shows_every_image_once():
    drawn = list(itertools.chain(*ProcessBatchSampler(draws(5), batch_size=2, iterations=10)))
    assert [draw.number for draw in drawn] == list(range(20))
    epochs = [[draw.image_index for draw in drawn[start : start + 5]] for start in range(0, 20, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_batches_may_be_larger_than_the_data_set():
    batches = list(ProcessBatchSampler(draws(1), batch_size=3, iterations=2))
    assert [[draw.image_index for draw in batch] for batch in batches] == [[0, 0, 0], [0, 0, 0]]


def test_the_order_depends_on_the_seed_alone():
    first, again, other = (list(ProcessBatchSampler(draws(50, seed=seed), 2, 25)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_longer_training_starts_like_a_shorter_one():
    assert list(ProcessBatchSampler(draws(7), 2, 30))[:10] == list(ProcessBatchSampler(draws(7), 2, 10))


MIXED = {"shares": (0.55, 0.25, 0.2)}


@settings(max_examples=examples(30))
@given(first=st.integers(0, 60), seed=st.integers(0, 5))
def test_a_resumed_run_draws_the_same_images(first, seed):
    whole = list(ProcessBatchSampler(draws(7, 3, 2, seed=seed, **MIXED), 3, 60))
    rest = ProcessBatchSampler(draws(7, 3, 2, seed=seed, **MIXED), 3, 60, first=first)
    assert len(rest) == 60 - first
    assert list(rest) == whole[first:]


def test_batches_of_several_processes_are_together_those_of_one():
    one = list(ProcessBatchSampler(draws(7, 3, 2, **MIXED), 6, 20))
    ranks = [ProcessBatchSampler(draws(7, 3, 2, **MIXED), 2, 20, rank=rank, world=3) for rank in range(3)]
    assert [list(itertools.chain(*parts)) for parts in zip(*ranks, strict=True)] == one


@settings(max_examples=examples(40))
@given(
    weights=st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(any),
    seed=st.integers(0, 20),
    count=st.integers(1, 400),
)
def test_every_stratum_gets_its_share_of_any_number_of_draws(weights, seed, count):
    shares = [weight / sum(weights) for weight in weights]
    drawn = draws(*[3] * len(shares), shares=shares, seed=seed)
    taken = Counter(drawn[number].image_index // 3 for number in range(count))
    for place, share in enumerate(shares):
        assert abs(taken[place] - share * count) <= len(shares)
        assert share > 0 or taken[place] == 0


def test_within_its_share_every_image_of_a_set_comes_once_an_epoch():
    drawn = [draw.image_index for draw in map(draws(10, 4, shares=(0.8, 0.2)).__getitem__, range(200))]
    real = [image for image in drawn if image >= 10]
    assert len(real) == 40
    assert all(sorted(real[start : start + 4]) == [10, 11, 12, 13] for start in range(0, 40, 4))


def test_rare_classes_repeat_as_in_lvis():
    present = np.zeros((100, 3), bool)
    present[:, 0] = True
    present[:4, 1] = True  # a share of 0.04: sqrt(0.25 / 0.04) = 2.5
    factors = lvis_repeat_factors(present, 0.25)
    assert factors == pytest.approx([2.5] * 4 + [1] * 96)
    assert (lvis_repeat_factors(present, 0) == 1).all()
    assert (lvis_repeat_factors(np.zeros((3, 2), bool), 0.5) == 1).all()


@settings(max_examples=examples(40))
@given(st.lists(st.floats(1, 6), min_size=1, max_size=30), st.integers(0, 50))
def test_repeats_come_rounded_up_or_down_and_right_on_average(repeats, seed):
    drawn = DrawSequence([SamplingSource("a", 1.0, np.array(repeats))], seed)
    length = int(np.ceil(round(sum(repeats), 6)))
    epochs = [Counter(drawn[epoch * length + place].image_index for place in range(length)) for epoch in range(40)]
    for image, asked in enumerate(repeats):
        counts = [epoch[image] for epoch in epochs]
        scaled = asked * length / sum(repeats)
        assert np.floor(asked) <= min(counts)
        assert max(counts) <= np.floor(scaled) + 1
        assert np.mean(counts) == pytest.approx(scaled, abs=0.4)
