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

KINDS = ("cuda", "mps", "cpu")


class DeviceError(CaristeError):
    """The device that was named is missing."""


def select_device(name: str) -> torch.device:
    """Return the device `auto`, `cpu`, `cuda`, `cuda:1` (the second GPU) or `mps`, and log which one it is.

    `auto` is the first of cuda, mps and cpu that is available.

    Raises:
        DeviceError: a GPU was named and is not available, or the name is none of these.
    """
    require_device(name)
    device = torch.device(_available_kinds()[0] if name == "auto" else name)
    reason = " (auto: no GPU found)" if name == "auto" and device.type == "cpu" else ""
    LOG.info("device: %s%s%s", device_name(device), reason, f". {CPU_HINT}" if device.type == "cpu" else "")
    return device


def require_device(name: str) -> None:
    """Do nothing if `select_device` would return a device.

    Raises:
        DeviceError: it would not.
    """
    kind, _, number = name.partition(":")
    where = f"device {name!r} (train.device or --device)"
    is_numbered_gpu = kind == "cuda" and number.isdecimal() and number.isascii()
    if kind not in ("auto", *KINDS) or (":" in name and not is_numbered_gpu):
        raise DeviceError(f"{where}: must be auto, {', '.join(KINDS)}, or a certain GPU, such as cuda:0")
    if kind not in ("auto", *_available_kinds()):
        raise DeviceError(
            f"{where}: torch {torch.__version__} finds no {kind} device on this machine; use cpu or auto, or install "
            "the driver and the torch build for it"
        )
    if number and int(number) >= (count := torch.cuda.device_count()):
        raise DeviceError(f"{where}: this machine has {count} cuda device{'s' * (count != 1)}, the first is cuda:0")


def _available_kinds() -> list[str]:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind in KINDS if available[kind]]


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
