# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender in the test process: tests with the fixture `asset_cache` start from an empty file."""

import atexit

import bpy
import pytest

from blender.common.process_exit import exit_process
from blender.mesh.asset_cache import AssetCache


@pytest.fixture
def asset_cache() -> AssetCache:
    """Load an empty Blender file and return the asset cache of one image."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return AssetCache()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    atexit.register(exit_process, exitstatus)
