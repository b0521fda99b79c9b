# SPDX-License-Identifier: Apache-2.0
"""Masks of the network pasted into their boxes: the pixels of torchvision, in a fraction of its memory."""

import tracemalloc

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection.roi_heads import paste_masks_in_image

from pipeline.benchmarks.training import TensorBytes
from pipeline.coco import reader
from pipeline.coco.paste_masks import paste_masks_to_rle
from tests.helpers.search import examples

ends = st.floats(-8, 70, width=32)


@settings(max_examples=examples(100))
@given(
    boxes=st.lists(st.tuples(ends, ends, ends, ends), min_size=0, max_size=5),
    seed=st.integers(0, 1000),
    smooth=st.booleans(),
)
def test_the_pixels_are_those_of_torchvision(boxes, seed, smooth):
    """Also in boxes that reach outside the image, fill it, or are thinner than a pixel."""
    size = (50, 60)
    corners = torch.tensor(boxes).view(-1, 2, 2).sort(dim=1).values.view(-1, 4)
    # torchvision fails for boxes outside the image, and the network never returns one.
    corners[:, :2] = torch.minimum(corners[:, :2], torch.tensor([size[1], size[0]]))
    corners[:, 2:] = corners[:, 2:].clamp(min=0)
    masks = torch.rand(len(boxes), 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    if smooth:
        masks = torch.nn.functional.avg_pool2d(masks, 9, stride=1, padding=4)
    expected = paste_masks_in_image(masks, corners, size)[:, 0] >= 0.5
    found = list(paste_masks_to_rle(masks, corners, size))
    assert found == [reader.encode_mask(mask.numpy()) for mask in expected]


def test_in_a_large_image_the_memory_depends_on_the_boxes_only():
    size = (3000, 4000)
    masks, boxes = torch.rand(40, 1, 28, 28), torch.tensor([[900.0, 800, 1100, 1000]]).repeat(40, 1)
    tracemalloc.start()
    with TensorBytes() as tensors:
        for _ in paste_masks_to_rle(masks, boxes, size):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tensors.peak + peak < 3_000_000
