# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender in the test process: every test that asks for it starts from an empty file."""

import bpy
import pytest

from blender.library import Library


@pytest.fixture
def library() -> Library:
    """An empty Blender file and the library of one picture."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return Library()
