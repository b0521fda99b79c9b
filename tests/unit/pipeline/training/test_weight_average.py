# SPDX-License-Identifier: Apache-2.0
"""The average of the weights follows its formula, and can be swapped with the weights of the model."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pipeline.training.weight_average import WeightAverage


def single(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(value)
    return layer


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0.1, 0.99))
def test_the_average_follows_the_formula(values, decay):
    layer = single(0)
    average = WeightAverage(layer, decay)
    wanted = values[0]
    for step, value in enumerate(values):
        layer.weight.data.fill_(value)
        average.update()
        share = min(decay, (1 + step) / (10 + step))
        wanted = share * wanted + (1 - share) * value if step else value
    with average.averaged_weights():
        assert layer.weight.item() == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    assert layer.weight.item() == pytest.approx(values[-1])


def test_the_model_gets_its_own_weights_back_bit_for_bit_even_after_an_error():
    layer = single(0.1)
    average = WeightAverage(layer, 0.9)
    average.update()
    layer.weight.data.fill_(0.3)
    average.update()
    before = layer.weight.detach().clone()
    averaged = average.averaged["weight"].clone()
    with average.averaged_weights():
        assert not torch.equal(layer.weight, before)
    with pytest.raises(ZeroDivisionError), average.averaged_weights():
        layer.weight.data.fill_(1 / 0)
    assert torch.equal(layer.weight, before)
    assert torch.equal(average.averaged["weight"], averaged)


def test_frozen_weights_are_not_averaged_and_begin_when_they_join():
    network = nn.Sequential(single(1), single(2)).requires_grad_(False)
    network[0].requires_grad_(True)
    average = WeightAverage(network, 0.9)
    average.update()
    assert set(average.averaged) == {"0.weight"}
    network[1].requires_grad_(True)
    network[1].weight.data.fill_(5)
    average.update()
    assert average.averaged["1.weight"].item() == 5


def test_a_saved_average_continues_like_the_original():
    first, second = single(1), single(1)
    average = WeightAverage(first, 0.9)
    average.update()
    other = WeightAverage(second, 0.9)
    other.load_state_dict(average.state_dict())
    for each, layer in ((average, first), (other, second)):
        layer.weight.data.fill_(3)
        each.update()
    assert torch.equal(average.averaged["weight"], other.averaged["weight"])
    assert average.steps == other.steps == 2
