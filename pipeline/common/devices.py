# SPDX-License-Identifier: Apache-2.0
"""Which device torch computes on."""

import torch

from pipeline.common.errors import CaristeError


class DeviceError(CaristeError):
    """The device that was asked for is not there."""


def select_device(name: str) -> torch.device:
    """Return the device `auto`, `cpu`, `cuda` or `mps`; `auto` is the first of cuda, mps and cpu that is there.

    Raises:
        DeviceError: a GPU was asked for by name and this machine has none, or a name that is none of the four.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in found.items() if there))
    if name not in found:
        raise DeviceError(f"train.device = {name!r}: there is no such device; allowed: auto, {', '.join(found)}")
    if not found[name]:
        raise DeviceError(
            f"train.device = {name!r}: torch {torch.__version__} finds no {name} device on this machine; "
            "use cpu or auto, or install the driver and the torch build for it"
        )
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """Return the device's name for people, such as `cuda (NVIDIA L4)`."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def use_threads(threads: int | None) -> None:
    """Let torch compute with this many threads; None leaves it as it is."""
    if threads is not None:
        torch.set_num_threads(threads)
