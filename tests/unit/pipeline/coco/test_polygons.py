# SPDX-License-Identifier: Apache-2.0
"""COCO's rasterizer turns the polygons back into exactly the mask, also with holes and single pixels."""

import cv2
import numpy as np
import pytest
import shapely
from faster_coco_eval import mask as coco_mask
from hypothesis import given
from hypothesis.extra import numpy as arrays

from pipeline.coco import polygons

masks = arrays.array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(lambda shape: arrays.arrays(bool, shape))


def drawn(outlines: list[list[int]], shape: tuple[int, int]) -> np.ndarray:
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(outlines, *shape))).astype(bool)


@given(masks)
def test_the_polygons_give_exactly_the_mask(mask):
    outlines = polygons.mask_to_polygons(mask)
    if not mask.any():
        assert outlines == []
        return
    assert all(len(outline) >= 8 and len(outline) % 2 == 0 for outline in outlines)
    assert np.array_equal(drawn(outlines, mask.shape), mask)


@pytest.mark.parametrize("seed", range(5))
def test_the_polygons_of_large_ragged_shapes_with_holes_give_exactly_the_mask(seed):
    noise = np.random.default_rng(seed).normal(size=(120, 160))
    mask = cv2.GaussianBlur(noise, (0, 0), 4) > 0
    assert mask.sum() > 400
    assert np.array_equal(drawn(polygons.mask_to_polygons(mask), mask.shape), mask)


def test_a_rectangle_has_four_corners_on_the_edges_of_its_pixels():
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    (outline,) = polygons.mask_to_polygons(mask)
    assert sorted(zip(outline[::2], outline[1::2], strict=True)) == [(2, 1), (2, 4), (7, 1), (7, 4)]


def test_a_ring_becomes_two_polygons_without_holes():
    mask = np.ones((7, 9), bool)
    mask[2:5, 3:6] = False
    shapes = [shapely.Polygon(np.reshape(outline, (-1, 2))) for outline in polygons.mask_to_polygons(mask)]
    assert len(shapes) == 2
    assert all(shape.is_valid for shape in shapes)
    assert sum(shape.area for shape in shapes) == mask.sum()
