# SPDX-License-Identifier: Apache-2.0
"""Frozen parts stay as they are, bit for bit, whatever the rest does."""

import copy

import pytest
import torch
from torch import nn

from pipeline import freezing, model
from pipeline.config_learning import ModelSection


def step(detector: nn.Module) -> None:
    """Take one step with a learning rate that moves everything that can move."""
    detector.train()
    target = {
        "boxes": torch.tensor([[10.0, 10.0, 40.0, 80.0]]),
        "labels": torch.tensor([1]),
        "masks": torch.ones(1, 96, 96, dtype=torch.uint8),
    }
    optimizer = torch.optim.SGD(freezing.trainable(detector), 0.1, weight_decay=0.1)
    losses = detector([torch.rand(3, 96, 96)], [target])
    torch.stack(list(losses.values())).sum().backward()
    optimizer.step()


@pytest.fixture
def settings(tiny_settings) -> ModelSection:
    return tiny_settings.model


@pytest.fixture
def detector(settings, categories) -> nn.Module:
    torch.manual_seed(0)
    return model.build(settings, categories)


def test_a_frozen_backbone_keeps_every_bit_and_the_rest_moves(detector):
    before = copy.deepcopy(detector.state_dict())
    step(detector)
    after = detector.state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert not {name for name in moved if name.startswith("backbone.body.")}
    assert {name for name in before if not name.startswith("backbone.body.")} == moved


def test_train_mode_reaches_the_fpn_and_not_the_frozen_body(detector):
    detector.eval()
    detector.train()
    assert detector.backbone.fpn.training
    assert not any(part.training for part in detector.backbone.body.modules())


def test_frozen_features_cost_no_backward(detector):
    assert not any(feature.requires_grad for feature in detector.backbone.body(torch.rand(1, 3, 96, 96)))


def test_the_optimiser_gets_no_frozen_parameter(detector):
    frozen = {id(parameter) for parameter in detector.backbone.body.parameters()}
    assert not frozen & {id(parameter) for parameter in freezing.trainable(detector)}
    assert 0 < freezing.count(freezing.trainable(detector)) < freezing.count(list(detector.parameters()))


def test_an_unfrozen_pretrained_body_learns_but_keeps_its_normalisation(settings, categories):
    detector = model.build(settings.model_copy(update={"freeze_backbone": False}), categories)
    before = copy.deepcopy(detector.state_dict())
    step(detector)
    after = detector.state_dict()
    moved = {name for name in after if name.startswith("backbone.body.") and not torch.equal(before[name], after[name])}
    assert moved == {name for name in after if name.startswith("backbone.body.") and ".conv" in f".{name}"}


def test_a_body_that_starts_random_and_unfrozen_trains_its_normalisation_too(settings, categories):
    loose = settings.model_copy(update={"freeze_backbone": False, "weights": "none"})
    detector = model.build(loose, categories)
    before = detector.backbone.body.state_dict()["bn1.running_mean"].clone()
    step(detector)
    assert not torch.equal(before, detector.backbone.body.state_dict()["bn1.running_mean"])


def test_batch_statistics_would_have_moved_without_eval():
    """The reason for eval mode: without it this test's opposite would hold for every frozen backbone."""
    norm = nn.BatchNorm2d(3).requires_grad_(False)
    norm(torch.rand(2, 3, 4, 4))
    assert not torch.equal(norm.running_mean, torch.zeros(3))
    freezing.freeze(norm)
    before = norm.running_mean.clone()
    norm(torch.rand(2, 3, 4, 4))
    assert torch.equal(norm.running_mean, before)
