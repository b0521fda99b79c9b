# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Euler, Vector

from blender.camera import camera
from tests.helpers.search import examples

WIDTH, HEIGHT = 384, 288


def record(angles_rad, position_m=(1.0, -2.0, 1.5), fx_px=300.0, fy_px=300.0, cx_px=192.0, cy_px=144.0):
    rotation = np.array(Euler(angles_rad).to_matrix())
    return {
        "fx_px": fx_px,
        "fy_px": fy_px,
        "cx_px": cx_px,
        "cy_px": cy_px,
        "position_m": position_m,
        "rotation": rotation.tolist(),
        "distortion": (0, 0, 0, 0, 0),
        "motion_m": (0, 0, 0),
        "motion_deg": (0, 0, 0),
        "aperture_f": None,
    }


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    angles_rad=st.tuples(*[st.floats(-3, 3)] * 3),
    center_px=st.tuples(st.floats(150, 230), st.floats(100, 190)),
    fy_px=st.sampled_from([300.0, 330.0, 270.0]),
)
def test_projection_agrees_with_blender(asset_cache, angles_rad, center_px, fy_px):
    view = record(angles_rad, fy_px=fy_px, cx_px=center_px[0], cy_px=center_px[1])
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    made = camera.build_camera(view, WIDTH, HEIGHT)
    bpy.context.view_layer.update()
    # Points in front of the camera, given in its own frame.
    seen = np.array([[0, 0, 2], [0.5, -0.3, 3], [-0.8, 0.6, 4]])
    points = seen @ np.array(view["rotation"]).T + np.array(view["position_m"])
    pixels, depth_m = camera.world_to_pixels(view, points)
    assert np.allclose(depth_m, seen[:, 2])
    for point, pixel in zip(points, pixels, strict=True):
        x, y, _ = world_to_camera_view(scene, made, Vector(point.tolist()))
        assert pixel == pytest.approx((x * WIDTH, (1 - y) * HEIGHT), abs=0.01)
    bpy.data.objects.remove(made)


def test_points_behind_the_camera_have_no_positive_depth():
    view = record((0, 0, 0), position_m=(0.0, 0.0, 0.0))
    _, depth_m = camera.world_to_pixels(view, np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]))
    assert depth_m.tolist() == [-1.0, 1.0]
