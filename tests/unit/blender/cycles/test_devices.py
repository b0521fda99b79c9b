# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import pytest

from blender.cycles import devices


def test_cpu_is_used_if_requested(asset_cache):
    assert devices.select_device("cpu") == "CPU"
    assert bpy.context.scene.cycles.device == "CPU"


def test_a_gpu_that_this_build_has_no_kernels_for_is_an_error(asset_cache):
    absent = "metal"  # Metal exists on macOS alone; there, no CUDA does
    if bpy.app.build_platform == b"Darwin":
        absent = "cuda"
    with pytest.raises(devices.DeviceError, match=f"render.device = {absent}"):
        devices.select_device(absent)


def test_auto_returns_the_name_of_the_device(asset_cache):
    assert devices.select_device("auto").startswith(("CPU", *(kind.upper() for kind in devices.GPU_KINDS)))
