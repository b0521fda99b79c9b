# SPDX-License-Identifier: Apache-2.0
"""In mixed precision, features have 16 bits and coordinates of boxes have 32."""

import copy

import pytest
import torch

from pipeline.config import training
from pipeline.models import detectors, mixed_precision
from tests.helpers.configs import SMALL_MODEL


@pytest.fixture
def detector(categories):
    settings = training.ModelSection(**SMALL_MODEL | {"min_size": 64, "max_size": 1024})
    torch.manual_seed(0)
    return detectors.build(settings, categories)


def recorded(detector, precise: bool):
    """Run a step in bf16 on a wide image; return what the network decoded and the features' and losses' types."""
    if precise:
        mixed_precision.keep_boxes_fp32(detector)
    seen = {"decoded": [], "features": set()}
    for coder in (detector.rpn.box_coder, detector.roi_heads.box_coder):
        original = coder.decode
        coder.decode = lambda codes, boxes, decode=original: (
            seen["decoded"].append(decode(codes, boxes)) or decode(codes, boxes)
        )
    detector.backbone.register_forward_hook(
        lambda _, __, outputs: seen["features"].update(each.dtype for each in outputs.values())
    )
    images = [torch.rand(3, 64, 1024)]
    target = {
        "boxes": torch.tensor([[900.0, 10.0, 931.0, 60.0]]),
        "labels": torch.tensor([1]),
        "ids": torch.ones(64, 1024, dtype=torch.int32),
        "mask_ids": torch.tensor([1], dtype=torch.int32),
    }
    with mixed_precision.autocast("bf16", torch.device("cpu")):
        losses = detector.train()(images, [target])
        detector.eval()
        with torch.no_grad():
            detector(images)
    return seen, losses


def test_boxes_are_decoded_and_losses_taken_in_fp32_from_features_in_bf16(detector):
    seen, losses = recorded(detector, precise=True)
    assert seen["features"] == {torch.bfloat16}
    assert len(seen["decoded"]) == 3  # proposals in training and in looking, detections in looking
    assert {boxes.dtype for boxes in seen["decoded"]} == {torch.float32}
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    right = torch.cat([boxes.reshape(-1, 4)[:, 2] for boxes in seen["decoded"]])
    right = right[(right > 520) & (right < 1000)]
    # In bf16 every number there would be a multiple of 4.
    assert len(right) > 100
    assert (right % 4 != 0).float().mean() > 0.9


def test_without_it_boxes_would_step_by_four_pixels(detector):
    seen, _ = recorded(detector, precise=False)
    right = torch.cat([boxes.reshape(-1, 4)[:, 2].float() for boxes in seen["decoded"][:1]])
    right = right[(right > 520) & (right < 1000)]
    assert len(right) > 100
    assert (right % 4 == 0).all()


def test_proposals_in_fp32_are_those_of_the_same_features(detector):
    """The network outside autocast gives bit for bit what it gives without any autocast."""
    mixed_precision.keep_boxes_fp32(detector)
    detector.eval()
    features = {str(level): torch.rand(1, 16, 32 >> level, 32 >> level) for level in range(5)}
    images = torch.nn.Module()
    images.tensors, images.image_sizes = torch.rand(1, 3, 128, 128), [(128, 128)]
    with torch.no_grad():
        (plain,), _ = detector.rpn(images, features)
        with mixed_precision.autocast("bf16", torch.device("cpu")):
            (mixed,), _ = detector.rpn(images, features)
    assert torch.equal(plain, mixed)


def test_a_copy_of_the_model_proposes_with_its_own_network(detector):
    mixed_precision.keep_boxes_fp32(detector)
    twin = copy.deepcopy(detector)
    assert twin.rpn.forward.__self__ is twin.rpn
    assert detector.state_dict().keys() == twin.state_dict().keys()
