# SPDX-License-Identifier: GPL-3.0-or-later
"""Computed blur compared with the blur that Cycles renders."""

import bpy
import numpy as np
import pytest

from blender.camera import camera
from blender.cycles import exr_passes, render_settings
from blender.ground_truth import blur_extent
from tests.helpers import records

WIDTH, HEIGHT = 64, 48


def view(**changes):
    made = records.record(0, width=WIDTH, height=HEIGHT).model_dump(mode="json")
    return made["camera"] | {"position_m": (0.0, -3.0, 0.0)} | changes


def points(*places):
    return np.array(places, float)


def smear(camera_record, *places):
    return blur_extent.max_blur_px(camera_record, points(*places), WIDTH, HEIGHT)


def test_a_still_camera_without_defocus_has_no_blur():
    assert smear(view(), (0, 0, 0)) == 0


@pytest.mark.parametrize(
    ("motion", "expected_px"),
    [
        ({"motion_m": (0.06, 0, 0)}, 0.03 / 3 * WIDTH * 0.8),
        ({"motion_deg": (0, 1, 0)}, np.tan(np.radians(0.5)) * WIDTH * 0.8),
        ({"motion_m": (0, 0, 0.1)}, 0.0),
    ],
)
def test_motion_blur_is_half_of_the_motion_on_each_side(motion, expected_px):
    assert smear(view(**motion), (0, 0, 0)) == pytest.approx(expected_px, rel=0.01, abs=1e-6)


def test_the_nearest_point_near_the_frame_decides():
    moving = view(motion_m=(0.06, 0, 0))
    assert smear(moving, (0, 0, 0), (0, 3, 0)) == smear(moving, (0, 0, 0))
    assert smear(moving, (0, 0, 0), (30, 0, 0)) == smear(moving, (0, 0, 0))
    assert smear(moving, (0, -9, 0)) == 0, "behind the camera"


def test_defocus_blur_is_zero_in_focus_and_grows_with_the_distance_from_it():
    focused = view(aperture_f=2.0, focus_m=3.0)
    assert smear(focused, (0, 0, 0)) == pytest.approx(0, abs=1e-9)
    radius_m = 0.8 * 0.036 / (2 * 2.0)
    assert smear(focused, (0, -2, 0)) == pytest.approx(radius_m * (1 - 1 / 3) * WIDTH * 0.8, rel=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{"motion_m": (0.3, 0, 0)}, {"motion_deg": (0, 6, 0)}, {"aperture_f": 0.3, "focus_m": 1.0}],
    ids=["moved", "turned", "out of focus"],
)
def test_blur_agrees_with_cycles(asset_cache, tmp_path, changes):
    """At the edge of a wall, coverage falls over the width of the blur and of Cycles' pixel filter."""
    wall = bpy.data.meshes.new("wall")
    wall.from_pydata([(-9, 0, -9), (0, 0, -9), (0, 0, 9), (-9, 0, 9)], [], [(0, 1, 2, 3)])
    root = bpy.data.objects.new(exr_passes.instance_object_name(1), None)
    part = bpy.data.objects.new("part", wall)
    part.parent = root
    for each in (root, part):
        bpy.context.scene.collection.objects.link(each)
    bpy.context.scene.world = bpy.data.worlds.new("dark")
    eye = view(**changes)
    camera.build_camera(eye, WIDTH, HEIGHT)
    render = records.record(0, width=WIDTH, height=HEIGHT).render.model_dump(mode="json") | {"samples": 64}
    render_settings.configure(render, "cpu", 1)
    render_settings.render(tmp_path / "wall.exr")
    read = exr_passes.read_passes(tmp_path / "wall.exr", {1})
    covered = np.where(read.ids == 1, read.coverage, 1 - read.coverage).mean(0)
    reached = np.flatnonzero((covered > 0.004) & (covered < 0.996)) + 0.5 - WIDTH / 2
    expected_px = blur_extent.max_blur_px(eye, points((0, 0, 0)), WIDTH, HEIGHT)
    assert expected_px > 1.5
    assert -reached.min() == pytest.approx(expected_px, abs=1.3)
    assert reached.max() == pytest.approx(expected_px, abs=1.3)
