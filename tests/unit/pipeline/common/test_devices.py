# SPDX-License-Identifier: Apache-2.0
"""The device that is chosen, what the log says about it, and what is refused."""

import logging

import pytest
import torch
from torch import nn

from pipeline.common import devices


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA L4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def test_auto_is_the_gpu_if_there_is_one(one_gpu, caplog):
    caplog.set_level(logging.INFO)
    assert devices.select_device("auto") == torch.device("cuda")
    assert caplog.messages == ["device: cuda (NVIDIA L4)"]


def test_auto_without_a_gpu_is_the_cpu_and_the_log_says_how_to_get_a_gpu(no_gpu, caplog):
    caplog.set_level(logging.INFO)
    assert devices.select_device("auto") == torch.device("cpu")
    (message,) = caplog.messages
    assert message.startswith(
        "device: cpu (auto: no GPU found). A CPU takes many times as long as a GPU. To use a GPU,"
    )


def test_a_device_that_is_named_is_never_replaced(one_gpu):
    assert devices.select_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_gpu_that_is_named_and_missing_is_an_error(no_gpu, name):
    with pytest.raises(devices.DeviceError, match=rf"device '{name}' .*finds no {name} device"):
        devices.select_device(name)


@pytest.mark.parametrize(
    "name", ["gpu", "", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:1:1", "cuda:²", "cpu:0", "mps:0"]
)
def test_an_unknown_name_is_an_error_that_lists_the_names(name):
    with pytest.raises(devices.DeviceError, match=rf"device '{name}' .*must be auto, cuda, mps, cpu"):
        devices.select_device(name)


def test_a_certain_gpu_can_be_named(one_gpu):
    assert devices.select_device("cuda:0") == torch.device("cuda", 0)


def test_a_gpu_with_too_high_a_number_is_an_error_that_says_how_many_there_are(one_gpu):
    with pytest.raises(devices.DeviceError, match="has 1 cuda device, the first is cuda:0"):
        devices.select_device("cuda:1")


def test_the_device_of_a_model_is_that_of_its_parameters():
    assert devices.device_of(nn.Linear(1, 1)) == torch.device("cpu")
