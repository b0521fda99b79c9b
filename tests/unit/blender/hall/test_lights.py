# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.hall import lights
from blender.materials.common_materials import plain_material
from blender.mesh.solids import box, solids_to_mesh

STRIP = {
    "kind": "strip",
    "position_m": [0, 0, 4],
    "size_m": [1.5, 0.2],
    "yaw_deg": 90,
    "power_w": 60,
    "color_rgb": [1, 1, 1],
}
HIGH_BAY = {**STRIP, "kind": "high_bay", "size_m": [0.4, 0.4], "yaw_deg": 0}
DARK = {"color_rgb": [1, 1, 1], "strength": 0.0}
DIM = {"color_rgb": [1, 1, 1], "strength": 0.1}


def seen(lamps, ambient, asset_cache, tmp_path, view="down") -> np.ndarray:
    """Render a gray floor under the lamps, or the lamps from below, and return linear RGB."""
    scene = bpy.context.scene
    ground = bpy.data.objects.new(
        "floor", solids_to_mesh("floor", [box((9, 9, 0.1), (0, 0, -0.05))], [plain_material("grey", (0.25,) * 3, 1.0)])
    )
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    eye.location, eye.rotation_euler = ((0, 0, 3), (0, 0, 0)) if view == "down" else ((0, 0, 1), (np.pi, 0, 0))
    for thing in [ground, eye, *lights.build_lights(lamps, ambient, asset_cache)]:
        scene.collection.objects.link(thing)
    scene.camera = eye
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 4, False
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.image_settings.file_format, scene.render.filepath = "OPEN_EXR", str(tmp_path / "seen.exr")
    bpy.ops.render.render(write_still=True)
    return np.array(bpy.data.images.load(str(tmp_path / "seen.exr")).pixels).reshape(48, 64, 4)[..., :3]


# A high bay's spread of 140 degrees gathers light below it.
@pytest.mark.parametrize(("lamp", "gain"), [(STRIP, 1.0), (HIGH_BAY, 1.8)])
def test_a_lamp_lights_the_floor_as_a_lambertian_source(lamp, gain, asset_cache, tmp_path):
    below = seen([lamp], DARK, asset_cache, tmp_path)[20:28, 28:36].mean()
    # A small one-sided Lambertian source of power P: E = P / (pi h^2) below it, radiance = albedo * E / pi.
    expected = 0.25 * 60 / (np.pi * 4**2) / np.pi
    assert below == pytest.approx(gain * expected, rel=0.12)


def test_light_is_proportional_to_power(asset_cache, tmp_path):
    once = seen([STRIP], DARK, asset_cache, tmp_path).mean()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset_cache.meshes.clear(), asset_cache.materials.clear()
    assert seen([{**STRIP, "power_w": 120}], DARK, asset_cache, tmp_path).mean() == pytest.approx(2 * once, rel=0.02)


def test_ambient_light_alone_has_the_expected_radiance(asset_cache, tmp_path):
    # A plane under an even world of radiance L: E = pi L, so that it shines back albedo * L, and a little of its gloss.
    assert seen([], DIM, asset_cache, tmp_path).mean() == pytest.approx(0.25 * 0.1, rel=0.06)


def test_the_face_is_bright_for_the_camera_but_lights_nothing(asset_cache, tmp_path):
    image = seen([STRIP], DARK, asset_cache, tmp_path, view="up")
    assert image.max() == pytest.approx(lights.MAX_FACE_RADIANCE, rel=0.05)
    scene = bpy.context.scene
    for lamp in [thing for thing in scene.objects if thing.type == "LIGHT"]:
        bpy.data.objects.remove(lamp)
    eye = scene.camera
    eye.location, eye.rotation_euler = (0, 0, 3), (0, 0, 0)
    bpy.ops.render.render(write_still=True)
    bpy.data.images["seen.exr"].reload()
    assert np.array(bpy.data.images["seen.exr"].pixels).reshape(-1, 4)[:, :3].max() == 0


def test_a_lamp_without_power_is_a_fixture_without_light(asset_cache):
    parts = lights.build_lights([{**STRIP, "power_w": 0.0}], DARK, asset_cache)
    assert [part.type for part in parts] == ["MESH", "MESH"]


def test_equal_lamps_share_their_meshes(asset_cache):
    parts = lights.build_lights([STRIP, {**STRIP, "position_m": [2, 0, 4]}], DARK, asset_cache)
    assert len({part.data.name for part in parts if part.type == "MESH"}) == 2
    assert [tuple(part.location) for part in parts if part.type == "LIGHT"] == [(0, 0, 4), (2, 0, 4)]


def test_the_world_is_the_ambient_light(asset_cache):
    lights.build_lights([], {"color_rgb": [1, 0.5, 0.25], "strength": 0.2}, asset_cache)
    background = bpy.context.scene.world.node_tree.nodes["Background"]
    assert tuple(background.inputs["Color"].default_value)[:3] == (1, 0.5, 0.25)
    assert background.inputs["Strength"].default_value == pytest.approx(0.2)
