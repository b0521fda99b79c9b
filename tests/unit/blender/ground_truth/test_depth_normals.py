# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth and normals: files read by other libraries, and renders compared with the geometry of their scene."""

import cv2
import numpy as np
import OpenEXR
import pytest

from blender.cycles import exr_passes, render_settings
from blender.ground_truth import depth_normals
from blender.shards import build_scene
from tests.helpers import records

SIZE = (48, 64)


def read_exr(path):
    (part,) = OpenEXR.File(str(path), separate_channels=True).parts
    return {name: channel.pixels for name, channel in part.channels.items()}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Return (record, passes) of a truck on the floor, seen by a rotated and tilted camera."""
    made = records.record(0, width=SIZE[1], height=SIZE[0]).model_dump(mode="json")
    made["render"] |= {"depth": "png", "normals": "png", "samples": 1}
    yaw, tilt = np.radians([25, 20])
    right = np.array([np.cos(yaw), np.sin(yaw), 0])
    ahead = np.array([-np.sin(yaw) * np.cos(tilt), np.cos(yaw) * np.cos(tilt), -np.sin(tilt)])
    made["camera"]["rotation"] = np.c_[right, np.cross(ahead, right), ahead].tolist()
    made["objects"] = []
    built = build_scene.build_scene(made)
    render_settings.configure(made["render"], "cpu", 1)
    path = tmp_path_factory.mktemp("maps") / "passes.exr"
    render_settings.render(path)
    return made, exr_passes.read_passes(path, set(built.roots))


def floor_depth_m(made):
    """Return the floor's depth along the optical axis at each pixel center, and where it is nearer than the walls."""
    view = made["camera"]
    v, u = np.mgrid[0.5 : SIZE[0], 0.5 : SIZE[1]]
    ray = np.stack([(u - view["cx_px"]) / view["fx_px"], (v - view["cy_px"]) / view["fy_px"], np.ones(SIZE)], -1)
    world = ray @ np.array(view["rotation"]).T  # of depth 1
    depth_m = -view["position_m"][2] / np.where(world[..., 2] < -0.05, world[..., 2], np.nan)
    place = view["position_m"] + world * depth_m[..., None]
    half = np.array(made["hall"]["size_m"][:2]) / 2 - 0.3
    return depth_m, (np.abs(place[..., :2]) < half).all(-1) & (depth_m < 4)


def test_depth_is_along_the_optical_axis(rendered, tmp_path):
    made, read = rendered
    expected_m, on_floor = floor_depth_m(made)
    assert on_floor.sum() > 800
    depth_normals.write_depth(tmp_path / "depth.exr", read.depth_m)
    depth_normals.write_depth(tmp_path / "depth.png", read.depth_m)
    depth_m = read_exr(tmp_path / "depth.exr")["Z"]
    # The sample lies anywhere in the pixel, so a row's worth of slope is what it may differ by.
    slope_m = np.abs(np.gradient(expected_m, axis=0)) + np.abs(np.gradient(expected_m, axis=1))
    error_m = np.abs(depth_m - expected_m)[on_floor]
    assert (error_m <= slope_m[on_floor] * 1.1 + 0.005).all()
    millimeters = cv2.imread(str(tmp_path / "depth.png"), cv2.IMREAD_UNCHANGED)
    assert millimeters.dtype == np.uint16
    assert np.abs(millimeters / 1000 - depth_m).max() <= 0.0005 + 1e-6
    # Along the ray it would be longer towards the corners: that is told apart.
    v, u = np.mgrid[0.5 : SIZE[0], 0.5 : SIZE[1]]
    view = made["camera"]
    along_ray = np.hypot(np.hypot((u - view["cx_px"]) / view["fx_px"], (v - view["cy_px"]) / view["fy_px"]), 1)
    assert np.median(error_m) < 0.2 * np.median(((along_ray - 1) * expected_m)[on_floor])


def test_normals_are_in_camera_axes(rendered, tmp_path):
    made, read = rendered
    _, on_floor = floor_depth_m(made)
    rotation = made["camera"]["rotation"]
    depth_normals.write_normals(tmp_path / "normals.exr", read.normals, rotation)
    depth_normals.write_normals(tmp_path / "normals.png", read.normals, rotation)
    exr = read_exr(tmp_path / "normals.exr")
    normals = np.stack([exr[axis] for axis in "XYZ"], -1)
    assert np.abs(np.linalg.norm(normals, axis=-1) - 1).max() < 1e-4
    up = np.array(rotation).T @ [0, 0, 1]
    assert up[1] < -0.9, "up is -y in the axes of a camera that looks ahead"
    assert (normals[on_floor] @ up).mean() > 0.97
    assert np.median(normals[on_floor], axis=0) == pytest.approx(up, abs=0.06)
    rgb = cv2.imread(str(tmp_path / "normals.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert rgb.dtype == np.uint16
    assert np.abs(rgb / 65535 * 2 - 1 - normals).max() < 1e-4


def test_visible_surfaces_face_the_camera(rendered):
    made, read = rendered
    seen = read.normals.astype(float) @ np.array(made["camera"]["rotation"])
    v, u = np.mgrid[0.5 : SIZE[0], 0.5 : SIZE[1]]
    view = made["camera"]
    ray = np.stack([(u - view["cx_px"]) / view["fx_px"], (v - view["cy_px"]) / view["fy_px"], np.ones(SIZE)], -1)
    assert ((seen * ray).sum(-1) < 0).mean() > 0.98


def test_no_surface_and_too_far_surfaces_have_depth_zero(tmp_path):
    depth_m = np.array([[0.001, 65.535, 65.5356, 150.0, 1e10]], np.float32)
    depth_normals.write_depth(tmp_path / "d.png", depth_m)
    depth_normals.write_depth(tmp_path / "d.exr", depth_m)
    assert cv2.imread(str(tmp_path / "d.png"), cv2.IMREAD_UNCHANGED).tolist() == [[1, 65535, 0, 0, 0]]
    assert read_exr(tmp_path / "d.exr")["Z"].tolist() == [pytest.approx([0.001, 65.535, 65.5356, 150.0, 0])]
    depth_normals.write_normals(tmp_path / "n.exr", np.zeros((1, 1, 3), np.float32), np.eye(3).tolist())
    assert [pixels.item() for pixels in read_exr(tmp_path / "n.exr").values()] == [0, 0, 0]


def test_passes_that_the_record_does_not_ask_for_are_absent(tmp_path):
    made = records.record(0, width=16, height=12).model_dump(mode="json")
    build_scene.build_scene(made)
    render_settings.configure(made["render"], "cpu", 1)
    render_settings.render(tmp_path / "passes.exr")
    read = exr_passes.read_passes(tmp_path / "passes.exr", {1})
    assert read.depth_m is None
    assert read.normals is None
