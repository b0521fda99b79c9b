# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender in the test process: every test that asks for it starts from an empty file."""

import atexit

import bpy
import pytest

from blender.common.exit_now import leave
from blender.mesh.mesh_cache import Library


@pytest.fixture
def library() -> Library:
    """An empty Blender file and the library of one picture."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return Library()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    atexit.register(leave, exitstatus)
