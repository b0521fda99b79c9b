# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the device that Cycles renders on. If a requested GPU is missing, that is an error: no silent CPU render."""

import bpy

from blender.common.errors import CaristeError
from blender.cycles.gpu_kinds import GPU_KINDS


class DeviceError(CaristeError):
    """The requested device is missing."""


def select_device(device: str) -> str:
    """Make Cycles render on `device` ("cpu", "auto" or one of GPU_KINDS) and return the device's name.

    Raises:
        DeviceError: this machine or this build of Blender lacks the requested GPU.
    """
    scene = bpy.context.scene
    if device == "cpu":
        scene.cycles.device = "CPU"
        return "CPU"
    kinds = GPU_KINDS if device == "auto" else (device,)
    for kind in kinds:
        if names := _enable_gpus(kind.upper()):
            scene.cycles.device = "GPU"
            return f"{kind.upper()}: {', '.join(names)}"
    if device == "auto":
        scene.cycles.device = "CPU"
        return "CPU (auto: no GPU found)"
    raise DeviceError(
        f"render.device = {device}: Cycles finds no such GPU here; use cpu or auto, or install its driver"
    )


def _enable_gpus(kind: str) -> list[str]:
    """Enable all GPUs of a kind and return their names; the list is empty if there are none."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    try:
        preferences.compute_device_type = kind
    except TypeError:  # this build of Blender has no kernels of the kind (Metal on Linux)
        return []
    gpus = [gpu for gpu in preferences.get_devices_for_type(kind) if gpu.type == kind]
    for gpu in gpus:
        gpu.use = True
    return [gpu.name for gpu in gpus]
