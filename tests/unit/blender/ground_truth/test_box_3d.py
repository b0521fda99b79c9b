# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.ground_truth import box_3d
from tests.helpers import records

VIEW = records.record().camera.model_dump(mode="json")


def root_at(position_m, yaw_deg):
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    root.location, root.rotation_euler = position_m, (0, 0, np.radians(yaw_deg))
    bpy.context.view_layer.update()
    return root


def test_the_box_is_aligned_with_the_axes_of_the_object(asset_cache):
    root = root_at((3, 1, 0), 30)
    turn = np.array(root.matrix_world)[:3, :3]
    own = np.array([[-1, -0.5, 0], [2, 0.5, 1.5], [0, 0, 1]])
    corners = box_3d.box_corners_m(root, own @ turn.T + [3, 1, 0])
    expected = [(2 if k & 1 else -1, 0.5 if k & 2 else -0.5, 1.5 if k & 4 else 0) for k in range(8)]
    np.testing.assert_allclose((corners - [3, 1, 0]) @ turn, expected, atol=1e-6)


def test_corners_in_front_are_projected_and_those_behind_have_no_pixel(asset_cache):
    # The camera of the record stands at (0, -2.6, 0.7) and looks along +y.
    corners = np.array([[0, 0.4, 0.7], [1, 0.4, 0.2], [0, -3.6, 0.7]])
    ahead, beside, behind = box_3d.measure_corners(corners, VIEW)
    assert ahead == {"u_px": 48.0, "v_px": 36.0, "depth_m": 3.0}
    assert (beside["u_px"], beside["v_px"]) == pytest.approx((48 + 96 * 0.8 / 3, 36 + 96 * 0.8 / 6), abs=0.01)
    assert behind == {"u_px": None, "v_px": None, "depth_m": -1.0}
