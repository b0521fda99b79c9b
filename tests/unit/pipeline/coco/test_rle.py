# SPDX-License-Identifier: Apache-2.0
"""Runs give the bytes of faster_coco_eval's own encoder, of whole id maps and of crops at any place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.coco import reader, rle

shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=16)
maps = shapes.flatmap(lambda shape: arrays.arrays(np.uint16, shape, elements=st.sampled_from([0, 1, 2, 500, 65535])))
places = st.integers(-20, 20)


@given(maps)
def test_all_instances_of_an_id_map(ids):
    found = rle.pixel_ranges_by_instance(ids)
    assert found.keys() == set(np.unique(ids).tolist()) - {0}
    assert rle.encode_rles(found, *ids.shape) == {number: reader.encode_mask(ids == number) for number in found}
    assert {number: rle.pixel_count(each) for number, each in found.items()} == {n: (ids == n).sum() for n in found}


@given(shapes.flatmap(lambda shape: arrays.arrays(bool, shape)), places, places, shapes)
def test_a_crop_that_may_reach_outside_the_image(mask, x, y, shape):
    canvas = np.zeros((64, 64), bool)
    canvas[24 + y : 24 + y + mask.shape[0], 24 + x : 24 + x + mask.shape[1]] = mask
    inside = canvas[24 : 24 + shape[0], 24 : 24 + shape[1]]
    assert rle.encode_rles({1: rle.pixel_ranges_of_crop(mask, x, y, *shape)}, *shape) == {1: reader.encode_mask(inside)}


def test_no_mask_at_all():
    assert rle.encode_rles({}, 4, 5) == {}
