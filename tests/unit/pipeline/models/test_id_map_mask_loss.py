# SPDX-License-Identifier: Apache-2.0
"""Mask targets, losses and gradients from id maps against torchvision's own from a mask per instance."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.roi_heads import RoIHeads, project_masks_on_boxes

from pipeline.benchmarks.training import TensorBytes
from pipeline.data.dataset import make_target
from pipeline.models import detectors
from pipeline.models.id_map_mask_loss import IdMapHeads, mask_targets_in_boxes, roi_heads_arguments
from tests.helpers.search import examples

SIZE = (80, 110)


def blocks(seed: int, count: int, size: tuple[int, int] = SIZE) -> Tensor:
    """Return an id map of blocks with ragged edges, some hidden by later ones."""
    random = np.random.default_rng(seed)
    ids = np.zeros(size, np.int32)
    for value in range(1, count + 1):
        top, left = random.integers(0, size[0] - 12), random.integers(0, size[1] - 12)
        block = ids[top : top + random.integers(6, 40), left : left + random.integers(6, 40)]
        block[random.random(block.shape) < 0.8] = value
    return torch.from_numpy(ids)


def dense(target: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the target that torchvision wants."""
    masks = (target["ids"] == target["mask_ids"][:, None, None]).to(torch.uint8)
    return {"boxes": target["boxes"], "labels": target["labels"], "masks": masks}


def targets_of(*counts: int) -> list[dict[str, Tensor]]:
    return [make_target(blocks(seed, count), torch.arange(count) % 2 + 1) for seed, count in enumerate(counts)]


def images(count: int) -> list[Tensor]:
    return list(torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def network(tiny_settings, categories) -> MaskRCNN:
    torch.manual_seed(0)
    return detectors.build(tiny_settings.model, categories)


def torchvisions(network: MaskRCNN) -> MaskRCNN:
    """Return a copy with torchvision's own heads."""
    reference = copy.deepcopy(network)
    reference.roi_heads = RoIHeads(*roi_heads_arguments(reference.roi_heads))
    return reference.train()


def step(network: MaskRCNN, seen: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Run a step; the same boxes are sampled each time."""
    torch.manual_seed(5)
    losses = network(seen, targets)
    torch.stack(list(losses.values())).sum().backward()
    return losses


coordinates = st.floats(-3, 130, width=32)


@settings(max_examples=examples(60))
@given(
    seed=st.integers(0, 99),
    size=st.tuples(st.integers(20, 130), st.integers(20, 130)),
    boxes=st.lists(st.tuples(*[coordinates] * 4), min_size=1, max_size=8),
)
def test_targets_are_torchvisions(seed, size, boxes):
    """For any resize and any boxes: fractions, less than a pixel, half outside."""
    ids = blocks(seed, 5)
    limit = torch.tensor([size[1], size[0]] * 2)
    ends = torch.tensor(boxes).view(-1, 2, 2).sort(dim=1).values.view(-1, 4)
    ends = torch.minimum(ends, limit + 2.0)
    wanted = torch.arange(len(ends)) % 5 + 1
    masks = (ids == torch.arange(1, 6)[:, None, None]).to(torch.uint8)
    # The line of torchvision's transform.
    resized = functional.interpolate(masks[:, None].float(), size=size)[:, 0].byte()
    expected = project_masks_on_boxes(resized, ends, wanted - 1, 28)
    torch.testing.assert_close(mask_targets_in_boxes(ids, size, ends, wanted, 28), expected, atol=2e-4, rtol=0)


def test_losses_and_gradients_are_torchvisions(network):
    targets = targets_of(6, 9)
    reference = torchvisions(network)
    expected = step(reference, images(2), [dense(target) for target in targets])
    losses = step(network, images(2), targets)
    assert losses.keys() == expected.keys()
    assert losses["loss_mask"] > 0
    for name, loss in losses.items():
        torch.testing.assert_close(loss, expected[name], rtol=1e-5, atol=0)
    learned = 0
    for (name, ours), theirs in zip(network.named_parameters(), reference.parameters(), strict=True):
        assert (ours.grad is None) == (theirs.grad is None), name
        if ours.grad is not None:
            assert (ours.grad - theirs.grad).norm() <= 1e-4 * theirs.grad.norm(), name
            learned += 1
    assert learned > 30


def test_boxes_without_masks_teach_the_box_head_alone(network):
    """The box losses are those with masks; the mask loss is the mean over the boxes that have one."""
    with_masks, without = targets_of(6, 9), targets_of(6, 9)
    without[1]["mask_ids"] = torch.zeros_like(without[1]["mask_ids"])
    whole = step(copy.deepcopy(network), images(2), with_masks)
    partly = step(copy.deepcopy(network), images(2), without)
    for name in whole.keys() - {"loss_mask"}:
        assert torch.equal(whole[name], partly[name])
    counted = {}

    def mask_loss(features, proposals, shapes, labels, maps, mask_ids):
        counted["first"] = original(features, proposals, shapes, [labels[0], labels[1] * 0], maps, mask_ids)
        return original(features, proposals, shapes, labels, maps, mask_ids)

    original, network.roi_heads.mask_loss = network.roi_heads.mask_loss, mask_loss
    step(network, images(2), with_masks)
    torch.testing.assert_close(partly["loss_mask"], counted["first"])
    assert not torch.equal(partly["loss_mask"], whole["loss_mask"])


@pytest.mark.parametrize("counts", [(0, 0), (0, 4), (4, 4)])
def test_a_batch_without_any_mask_has_no_mask_loss_and_can_go_back(network, counts):
    targets = targets_of(*counts)
    for target in targets:
        target["mask_ids"] = torch.zeros_like(target["mask_ids"])
    losses = step(network, images(2), targets)
    assert losses["loss_mask"] == 0
    assert all(torch.isfinite(loss) for loss in losses.values())
    for parameter in network.roi_heads.mask_predictor.parameters():
        assert torch.equal(parameter.grad, torch.zeros_like(parameter))


def test_a_image_without_objects_and_one_class_missing(network):
    targets = [make_target(torch.zeros(SIZE, dtype=torch.int32), torch.zeros(0, dtype=torch.int64))]
    targets += [make_target(blocks(3, 4), torch.ones(4, dtype=torch.int64))]
    losses = step(network, images(2), targets)
    assert losses["loss_mask"] > 0
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_detections_are_torchvisions(network):
    reference = torchvisions(network).eval()
    with torch.no_grad():
        (expected,), (found,) = reference(images(1)), network.eval()(images(1))
    assert len(found["boxes"]) > 0
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_target_of_another_kind_is_refused(network):
    with pytest.raises(ValueError, match="a target lacks ids, mask_ids"):
        step(network, images(1), [dense(target) for target in targets_of(3)])


def test_parts_of_made_heads_make_the_same_heads(network):
    again = IdMapHeads(network.roi_heads)
    assert list(again.state_dict()) == list(network.roi_heads.state_dict())
    assert roi_heads_arguments(again) == roi_heads_arguments(network.roi_heads)


def test_nothing_of_the_size_of_all_masks_is_made():
    """Forty masks would take 40 bytes a pixel, and 160 where torchvision resizes them."""
    size = (240, 320)
    ids = blocks(0, 40, size)
    with TensorBytes() as made:
        target = make_target(ids, torch.ones(40, dtype=torch.int64))
    assert made.peak < 20 * ids.numel()
    with TensorBytes() as made:
        mask_targets_in_boxes(ids, (300, 400), target["boxes"] * 1.25, target["mask_ids"], 28)
    assert made.peak < 4 * ids.numel()
