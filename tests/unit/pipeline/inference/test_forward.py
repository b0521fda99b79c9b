# SPDX-License-Identifier: Apache-2.0
"""The network gets exactly what torchvision's transform makes of an image, with less memory."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from pipeline.inference import forward


class Received(Exception):
    """Carries what the backbone gets."""


def receive(tensors: torch.Tensor) -> None:
    raise Received(tensors)


@pytest.mark.parametrize("size", [(48, 64), (333, 517), (700, 90), (64, 64)], ids=str)
@pytest.mark.parametrize("fixed_size", [None, (96, 64)])
def test_pixels_are_those_of_torchvisions_transform_bit_for_bit(size, fixed_size):
    transform = GeneralizedRCNNTransform(96, 160, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], fixed_size=fixed_size)
    transform.eval()
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    before = image.clone()
    with pytest.raises(Received) as caught:
        forward.detect(SimpleNamespace(backbone=receive), transform, image, size)
    expected, _ = transform([before.permute(2, 0, 1).float() / 255])
    assert torch.equal(caught.value.args[0], expected.tensors)
    assert torch.equal(image, before)
