# SPDX-License-Identifier: Apache-2.0
"""RLE from ranges has the bytes of faster_coco_eval's encoder, for id maps and for crops at any position."""

import numpy as np
from faster_coco_eval import mask as coco_mask
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.coco import reader, rle
from tests.helpers.search import examples

shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=16)
maps = shapes.flatmap(lambda shape: arrays.arrays(np.uint16, shape, elements=st.sampled_from([0, 1, 2, 500, 65535])))
positions = st.integers(-20, 20)


@given(maps)
def test_all_instances_of_an_id_map(ids):
    found = rle.pixel_ranges_by_instance(ids)
    assert found.keys() == set(np.unique(ids).tolist()) - {0}
    assert rle.encode_rles(found, *ids.shape) == {number: reader.encode_mask(ids == number) for number in found}
    assert {number: rle.pixel_count(each) for number, each in found.items()} == {n: (ids == n).sum() for n in found}


@settings(max_examples=examples(300))
@given(shapes.flatmap(lambda shape: arrays.arrays(bool, shape)), positions, positions, shapes)
def test_a_crop_that_may_reach_outside_the_image(mask, x, y, shape):
    canvas = np.zeros((64, 64), bool)
    canvas[24 + y : 24 + y + mask.shape[0], 24 + x : 24 + x + mask.shape[1]] = mask
    inside = canvas[24 : 24 + shape[0], 24 : 24 + shape[1]]
    encoded = rle.encode_rle(rle.pixel_ranges_of_crop(mask, x, y, *shape), *shape)
    assert encoded == reader.encode_mask(inside)
    np.testing.assert_array_equal(coco_mask.decode(encoded), inside)


def test_an_image_without_masks():
    assert rle.encode_rles({}, 4, 5) == {}
