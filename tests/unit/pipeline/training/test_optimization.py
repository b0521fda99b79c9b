# SPDX-License-Identifier: Apache-2.0
"""Groups of parameters, the learning rate of every step, and parameters that join later."""

import copy

import pytest
import torch
from torch import nn

from pipeline.config.training import RateFactorsSection, TrainSection
from pipeline.models import detectors
from pipeline.training import optimization
from tests.helpers.configs import SHORT_TRAINING


@pytest.fixture
def detector(tiny_settings, categories) -> nn.Module:
    torch.manual_seed(0)
    settings = tiny_settings.model.model_copy(update={"freeze": "none"})
    return detectors.build(settings, categories)


def names_of(optimizer) -> list[str]:
    return [name for group in optimizer.param_groups for name in group["names"]]


def test_every_trainable_parameter_is_in_one_group_and_decays_if_it_is_a_matrix(detector):
    settings = TrainSection(weight_decay=0.01, rate_factors=RateFactorsSection(heads=2, fpn=0.5, backbone=0.1))
    optimizer = optimization.build_optimizer(detector, settings)
    trainable = {name: parameter for name, parameter in detector.named_parameters() if parameter.requires_grad}
    assert sorted(names_of(optimizer)) == sorted(trainable)
    for group in optimizer.param_groups:
        assert [id(parameter) for parameter in group["params"]] == [id(trainable[name]) for name in group["names"]]
        for name in group["names"]:
            assert group["weight_decay"] == (0.01 if trainable[name].ndim > 1 else 0)
            wanted = 0.5 if ".fpn." in name else 0.1 if name.startswith("backbone.body.") else 2
            assert group["rate_factor"] == wanted


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_each_optimiser_moves_by_the_rate_of_the_group(name):
    """A first step of Adam is as long as the rate; one of SGD, as the rate times the gradient."""
    detector = nn.ModuleDict({"backbone": nn.ModuleDict({"fpn": nn.Linear(1, 1, bias=False)}), "rpn": nn.Linear(1, 1)})
    settings = TrainSection(
        optimizer=name,
        rate_factors=RateFactorsSection(fpn=0.25),
        weight_decay=0,
        learning_rate=0.1,
        warmup_iterations=0,
    )
    optimizer = optimization.build_optimizer(detector, settings)
    before = copy.deepcopy(detector.state_dict())
    for parameter in detector.parameters():
        parameter.grad = torch.ones_like(parameter)
    assert optimization.set_learning_rates(optimizer, 0, settings, 1) == 0.1
    optimizer.step()
    moved = {key: (before[key] - tensor).item() for key, tensor in detector.state_dict().items()}
    assert moved == pytest.approx({"backbone.fpn.weight": 0.025, "rpn.weight": 0.1, "rpn.bias": 0.1}, rel=1e-4)


@pytest.mark.parametrize(("step", "factor"), [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (60, 0.5), (109, 0.0)])
def test_the_learning_rate_goes_up_and_down(step, factor):
    settings = TrainSection(iterations=110, warmup_iterations=10, learning_rate=2)
    assert optimization.base_learning_rate(step, settings) == pytest.approx(2 * factor, abs=2e-3)


@pytest.mark.parametrize(("step", "factor"), [(0, 0.5), (1, 1), (69, 1), (70, 0.1), (89, 0.1), (90, 0.01), (99, 0.01)])
def test_the_learning_rate_goes_down_in_steps(step, factor):
    settings = TrainSection(iterations=100, warmup_iterations=2, learning_rate=1, schedule="steps")
    assert optimization.base_learning_rate(step, settings) == pytest.approx(factor)


def test_parameters_that_join_train_and_are_found_again_after_a_stop():
    """Train, let a frozen layer join at half the rate, train, stop; a second optimiser goes on as the first would."""
    settings = TrainSection(**SHORT_TRAINING | {"rate_factors": RateFactorsSection(backbone=0.2)})

    def toy():
        torch.manual_seed(1)
        network = nn.ModuleDict({"backbone": nn.ModuleDict({"body": nn.Linear(3, 3)}), "heads": nn.Linear(3, 1)})
        network["backbone"].requires_grad_(False)
        return network, optimization.build_optimizer(network, settings)

    def join(network, optimizer):
        network["backbone"].requires_grad_(True)
        named = [(f"backbone.{name}", parameter) for name, parameter in network["backbone"].named_parameters()]
        optimization.add_parameters(optimizer, named, 0.5, settings, 2)

    def steps(network, optimizer, first, count):
        for number in range(first, first + count):
            optimizer.zero_grad()
            features = network["backbone"]["body"](torch.full((2, 3), number + 1.0))
            network["heads"](features).sum().backward()
            optimization.set_learning_rates(optimizer, number, settings, 1)
            optimizer.step()

    network, optimizer = toy()
    frozen = network["backbone"]["body"].weight.detach().clone()
    steps(network, optimizer, 0, 2)
    assert torch.equal(frozen, network["backbone"]["body"].weight)
    join(network, optimizer)
    assert [group["rate_factor"] for group in optimizer.param_groups] == [1, 1, 0.1, 0.1]
    steps(network, optimizer, 2, 2)
    assert not torch.equal(frozen, network["backbone"]["body"].weight)
    saved = copy.deepcopy((network.state_dict(), optimizer.state_dict()))
    steps(network, optimizer, 4, 3)
    # Another process, which does not know yet that they have joined.
    again, other = toy()
    again.load_state_dict(saved[0])
    optimization.restore_optimizer(other, again, saved[1])
    steps(again, other, 4, 3)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in network.state_dict().items())
    assert [group["rate_factor"] for group in other.param_groups] == [1, 1, 0.1, 0.1]


def test_what_joins_late_warms_up():
    settings = TrainSection(
        learning_rate=1,
        warmup_iterations=4,
        schedule="steps",
        rate_drops=(),
        rate_factors=RateFactorsSection(backbone=0.5),
    )
    network = nn.ModuleDict({"backbone": nn.Linear(1, 1, bias=False), "heads": nn.Linear(1, 1, bias=False)})
    network["backbone"].requires_grad_(False)
    optimizer = optimization.build_optimizer(network, settings)
    rates = {}
    for step in range(12):
        if step == 6:
            named = [("backbone.weight", network["backbone"].weight)]
            optimization.add_parameters(optimizer, named, 0.2, settings, step)
        assert optimization.set_learning_rates(optimizer, step, settings, 0.5) == min(1, (step + 1) / 4) / 2
        rates[step] = [group["lr"] for group in optimizer.param_groups]
    assert rates[5] == [0.5]
    assert [rates[step][1] for step in range(6, 12)] == pytest.approx([0.0125, 0.025, 0.0375, 0.05, 0.05, 0.05])
    assert all(each[0] == 0.5 for step, each in rates.items() if step > 2)


def test_going_back_to_before_parameters_joined_freezes_them_again():
    settings = TrainSection(**SHORT_TRAINING | {"rate_factors": RateFactorsSection(backbone=0.1)})
    network = nn.ModuleDict({"backbone": nn.Linear(2, 2), "heads": nn.Linear(2, 1)})
    network["backbone"].requires_grad_(False)
    optimizer = optimization.build_optimizer(network, settings)
    before = copy.deepcopy(optimizer.state_dict())
    network["backbone"].requires_grad_(True)
    optimization.add_parameters(optimizer, [("backbone.weight", network["backbone"].weight)], 1, settings, 5)
    optimization.restore_optimizer(optimizer, network, before)
    assert names_of(optimizer) == ["heads.weight", "heads.bias"]
    assert [id(each) for each in optimization.optimized_parameters(optimizer)] == [
        id(each) for each in network["heads"].parameters()
    ]
    assert not network["backbone"].weight.requires_grad
