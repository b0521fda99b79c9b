# SPDX-License-Identifier: Apache-2.0
"""Run lengths straight from a box's part of a mask, against the library's from the whole mask."""

import tracemalloc

import numpy as np
import torch
from faster_coco_eval import mask as coco_mask
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torchvision.models.detection.roi_heads import paste_masks_in_image

from pipeline.benchmarks.training import TensorBytes
from pipeline.coco import reader
from pipeline.coco.paste_masks import encode_mask_at, paste_masks_to_rle
from tests.helpers.search import examples


@settings(max_examples=examples(300))
@given(
    part=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)),
    margins=st.tuples(*[st.integers(0, 5)] * 4),
)
def test_the_text_is_that_of_the_whole_mask(part, margins):
    """Whatever touches: full columns that run on, first and last pixels, nothing at all."""
    top, bottom, left, right = margins
    whole = np.pad(part, ((top, bottom), (left, right)))
    if 0 in whole.shape:
        return
    encoded = encode_mask_at(part, top, left, whole.shape)
    assert encoded == reader.encode_mask(whole)
    np.testing.assert_array_equal(coco_mask.decode(encoded), whole)


ends = st.floats(-8, 70, width=32)


@settings(max_examples=examples(100))
@given(
    boxes=st.lists(st.tuples(ends, ends, ends, ends), min_size=0, max_size=5),
    seed=st.integers(0, 1000),
    smooth=st.booleans(),
)
def test_pixels_are_torchvisions(boxes, seed, smooth):
    """In boxes that reach out of the image, fill it, or are thinner than a pixel."""
    size = (50, 60)
    corners = torch.tensor(boxes).view(-1, 2, 2).sort(dim=1).values.view(-1, 4)
    # Boxes that do not touch the image are no detections, and torchvision fails at them.
    corners[:, :2] = torch.minimum(corners[:, :2], torch.tensor([size[1], size[0]]))
    corners[:, 2:] = corners[:, 2:].clamp(min=0)
    masks = torch.rand(len(boxes), 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    if smooth:
        masks = torch.nn.functional.avg_pool2d(masks, 9, stride=1, padding=4)
    expected = paste_masks_in_image(masks, corners, size)[:, 0] >= 0.5
    found = list(paste_masks_to_rle(masks, corners, size))
    assert found == [reader.encode_mask(mask.numpy()) for mask in expected]


def test_memory_is_that_of_the_box_in_a_large_photograph():
    size = (3000, 4000)
    masks, boxes = torch.rand(40, 1, 28, 28), torch.tensor([[900.0, 800, 1100, 1000]]).repeat(40, 1)
    tracemalloc.start()
    with TensorBytes() as made:
        for _ in paste_masks_to_rle(masks, boxes, size):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.peak + peak < 3_000_000
