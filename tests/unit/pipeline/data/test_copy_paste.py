# SPDX-License-Identifier: Apache-2.0
"""Pasted instances bring their pixels and get new ids; the masks that they cover get smaller."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.data import copy_paste
from pipeline.data.augment import LabeledImage
from tests.helpers.search import examples

NO_BOXES = {"boxes": np.zeros((0, 4), np.float32), "box_labels": np.zeros(0, np.int64)}


@pytest.fixture
def paste_all(monkeypatch):
    monkeypatch.setattr(copy_paste, "PASTE_PROBABILITY", 1.0)


def shown(level: int, ids: np.ndarray, labels: list[int], boxes: list[list[float]] | None = None) -> LabeledImage:
    """An image whose pixels say what they belong to: `level` + id."""
    image = (level + ids[..., None]).repeat(3, axis=2).astype(np.uint8)
    given = {"boxes": np.array(boxes, np.float32), "box_labels": np.ones(len(boxes), np.int64)} if boxes else NO_BOXES
    return LabeledImage(image, ids.astype(np.int32), np.array(labels), **given)


def blocks(height: int, width: int, *places: tuple[slice, slice]) -> np.ndarray:
    ids = np.zeros((height, width), np.int32)
    for instance_id, place in enumerate(places, 1):
        ids[place] = instance_id
    return ids


maps = hnp.arrays(np.int32, (12, 15), elements=st.integers(0, 3), fill=st.just(0))


@settings(max_examples=examples(60))
@given(ours=maps, theirs=maps, seed=st.integers(0, 30))
def test_every_pixel_keeps_the_id_of_what_it_shows(ours, theirs, seed):
    base, other = shown(100, ours, [1, 2, 1]), shown(200, theirs, [2, 2, 1])
    pasted = copy_paste.paste(base, other, np.random.default_rng(seed))
    mapped = {}
    for level, instance_id in {
        (int(a), int(b)) for a, b in zip(pasted.image[..., 0].flat, pasted.ids.flat, strict=True)
    }:
        if level < 200:
            assert instance_id == level - 100
        else:
            assert level > 200  # nothing of the other's background
            assert instance_id > 3
            assert mapped.setdefault(instance_id, level - 200) == level - 200
            assert pasted.labels[instance_id - 1] == other.labels[level - 201]
    assert pasted.ids.max() <= len(pasted.labels)
    whole = [i for i in (1, 2, 3) if (theirs == i).any() and i in mapped.values()]
    assert all((pasted.image[theirs == i] == 200 + i).all() for i in whole)
    assert (base.ids == ours).all()


def test_covered_instances_are_cut_and_vanish(paste_all):
    ours = blocks(20, 20, np.s_[0:10, 0:10], np.s_[12:16, 12:16])
    theirs = blocks(20, 20, np.s_[5:18, 5:18])
    pasted = copy_paste.paste(shown(0, ours, [1, 2]), shown(50, theirs, [2]), np.random.default_rng(0))
    assert np.bincount(pasted.ids.ravel()).tolist() == [400 - 75 - 169, 75, 0, 169]
    assert pasted.labels.tolist() == [1, 2, 2]


def test_boxes_without_masks_are_not_pasted_and_go_when_covered(paste_all):
    nothing = blocks(20, 20)
    base = shown(0, nothing, [], boxes=[[0, 0, 8, 8], [10, 10, 20, 20]])
    other = shown(50, blocks(20, 20, np.s_[9:20, 9:18]), [1], boxes=[[1, 1, 5, 5]])
    pasted = copy_paste.paste(base, other, np.random.default_rng(0))
    assert pasted.boxes.tolist() == [[0, 0, 8, 8]]
    assert pasted.box_labels.tolist() == [1]
    assert pasted.labels.tolist() == [1]


@pytest.mark.parametrize("size", [(10, 30), (30, 10), (9, 9), (40, 40)])
def test_of_other_sizes_the_common_part_is_pasted(paste_all, size):
    theirs = np.ones(size, np.int32)
    pasted = copy_paste.paste(shown(0, blocks(20, 20), []), shown(50, theirs, [1]), np.random.default_rng(0))
    assert pasted.ids.shape == (20, 20)
    assert pasted.ids.sum() == min(20, size[0]) * min(20, size[1])
