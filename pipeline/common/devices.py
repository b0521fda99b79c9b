# SPDX-License-Identifier: Apache-2.0
"""The device that torch computes on."""

import logging

import torch
from torch import nn

from pipeline.common.errors import CaristeError

LOG = logging.getLogger(__name__)

CPU_HINT = (
    "A CPU takes many times as long as a GPU. To use a GPU, run on a machine with an NVIDIA driver (`nvidia-smi` lists "
    "the GPU) and name the device cuda; on a cluster, the job requests a GPU only if the config names it"
)


class DeviceError(CaristeError):
    """The device that was named is missing."""


def select_device(name: str) -> torch.device:
    """Return the device `auto`, `cpu`, `cuda` or `mps`, and log which one it is.

    `auto` is the first of cuda, mps and cpu that is available.

    Raises:
        DeviceError: a GPU was named and is not available, or the name is none of the four.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        device = torch.device(next(kind for kind, is_available in available.items() if is_available))
    elif name not in available:
        raise DeviceError(f"device {name!r} (train.device or --device): must be auto, {', '.join(available)}")
    elif not available[name]:
        raise DeviceError(
            f"device {name!r} (train.device or --device): torch {torch.__version__} finds no {name} device on this "
            "machine; use cpu or auto, or install the driver and the torch build for it"
        )
    else:
        device = torch.device(name)
    reason = " (auto: no GPU found)" if name == "auto" and device.type == "cpu" else ""
    LOG.info("device: %s%s%s", device_name(device), reason, f". {CPU_HINT}" if device.type == "cpu" else "")
    return device


def device_name(device: torch.device) -> str:
    """Return the name of the device for readers, such as `cuda (NVIDIA L4)`."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def device_of(model: nn.Module) -> torch.device:
    """Return the device of the parameters of a model."""
    return next(model.parameters()).device


def use_threads(threads: int | None) -> None:
    """Let torch compute with this many threads. None changes nothing."""
    if threads is not None:
        torch.set_num_threads(threads)
