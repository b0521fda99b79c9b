# SPDX-License-Identifier: GPL-3.0-or-later
"""The device that Cycles renders on. A GPU that was asked for and is not there is an error, never a silent CPU run."""

import bpy

from blender.common.errors import CaristeError
from blender.cycles.gpu_kinds import GPU_KINDS


class DeviceError(CaristeError):
    """The device that was asked for is not there."""


def select_device(device: str) -> str:
    """Make Cycles render on `device` ("cpu", "auto" or one of GPU_KINDS) and return what it is called.

    Raises:
        DeviceError: a GPU was asked for that this machine or this build of Blender does not have.
    """
    scene = bpy.context.scene
    if device == "cpu":
        scene.cycles.device = "CPU"
        return "CPU"
    kinds = GPU_KINDS if device == "auto" else (device,)
    for kind in kinds:
        if names := _enable(kind.upper()):
            scene.cycles.device = "GPU"
            return f"{kind.upper()}: {', '.join(names)}"
    if device == "auto":
        scene.cycles.device = "CPU"
        return "CPU (auto: no GPU found)"
    raise DeviceError(
        f"render.device = {device}: Cycles finds no such GPU here; use cpu or auto, or install its driver"
    )


def _enable(kind: str) -> list[str]:
    """Switch on all GPUs of a kind and return their names; none if the build or the machine has none."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    try:
        preferences.compute_device_type = kind
    except TypeError:  # this build of Blender has no kernels of the kind (Metal on Linux)
        return []
    gpus = [found for found in preferences.get_devices_for_type(kind) if found.type == kind]
    for found in gpus:
        found.use = True
    return [found.name for found in gpus]
