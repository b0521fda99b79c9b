# SPDX-License-Identifier: GPL-3.0-or-later
"""Material trees are complete, and materials look as their parameters say in small renders."""

from functools import partial

import bpy
import numpy as np
import pytest

from blender.materials import common_materials, hall_materials
from blender.mesh.solids import box, solids_to_mesh

SURFACE = {"color_rgb": [0.3, 0.2, 0.1], "roughness": 0.6, "wear": 0.5, "seed": 3}
MAKERS = {
    "wood x": lambda: common_materials.wood("m", "x", 0.3),
    "wood y": lambda: common_materials.wood("m", "y", 1.0),
    "cardboard": lambda: common_materials.cardboard("m"),
    "wrapped": lambda: common_materials.cardboard("m", wrapped=True),
    "milky film": lambda: common_materials.opaque_film("m", (0.6, 0.6, 0.6)),
    "black film": lambda: common_materials.opaque_film("m", (0.01, 0.01, 0.01)),
    "label": lambda: common_materials.paper_label("m"),
    "perforated": lambda: common_materials.perforated_upright("m", (0.1, 0.1, 0.4), 0.5, 0.5, -0.25, 0.1),
    "stripes": common_materials.hazard_stripes,
}
HALL_MAKERS = {
    "floor": hall_materials.floor_material,
    "wall": hall_materials.wall_material,
    "ceiling": hall_materials.ceiling_material,
}
MAKERS |= {
    f"{kind} {part}": partial(maker, {**SURFACE, "kind": kind})
    for kind in ("concrete", "painted", "brick", "sheet_metal")
    for part, maker in HALL_MAKERS.items()
}
MAKERS["wet floor"] = partial(hall_materials.floor_material, {**SURFACE, "kind": "concrete", "wet": 0.5})


def rendered(target: bpy.types.Object, tmp_path) -> np.ndarray:
    """Render an object of half a meter from above in uniform light; return linear RGB (32, 32, 3)."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale, camera.location = "ORTHO", 0.45, (0, 0, 2)
    for part in (target, camera):
        scene.collection.objects.link(part)
    scene.camera, scene.world = camera, bpy.data.worlds.new("even")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 4, False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.image_settings.file_format, scene.render.filepath = "OPEN_EXR", str(tmp_path / "render.exr")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(tmp_path / "render.exr"), check_existing=False)
    return np.array(image.pixels).reshape(32, 32, 4)[..., :3]


def slab(material: bpy.types.Material, color: tuple[float, float, float] = (0.4, 0.3, 0.2)) -> bpy.types.Object:
    target = bpy.data.objects.new("slab", solids_to_mesh("slab", [box((0.5, 0.5, 0.5))], [material]))
    target.color = (*color, 1)
    return target


@pytest.mark.parametrize("name", MAKERS)
def test_every_node_of_a_material_reaches_its_output(name, asset_cache):
    material = MAKERS[name]()
    tree = material.node_tree
    assert all(link.is_valid for link in tree.links)
    assert tree.nodes["Principled BSDF"].inputs["Base Color"].is_linked
    reached, pending = set(), [tree.nodes["Material Output"]]
    while pending:
        node = pending.pop()
        reached.add(node.name)
        pending += [
            link.from_node for socket in node.inputs for link in socket.links if link.from_node.name not in reached
        ]
    assert reached == {node.name for node in tree.nodes}, "nodes without effect on the output cost build time"


def test_cardboard_has_the_color_of_its_object(asset_cache, tmp_path):
    material = common_materials.cardboard("board")
    brown = rendered(slab(material, (0.4, 0.2, 0.1)), tmp_path).mean(axis=(0, 1))
    assert brown[0] == pytest.approx(2 * brown[1], rel=0.15)
    assert 0.25 < brown[0] < 0.55


def test_old_wood_is_grayer_and_darker(asset_cache, tmp_path):
    new = rendered(slab(common_materials.wood("new", "x", 0.0)), tmp_path).mean(axis=(0, 1))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    old = rendered(slab(common_materials.wood("old", "x", 1.0)), tmp_path).mean(axis=(0, 1))
    assert old.mean() < 0.7 * new.mean()
    assert old[0] / old[2] < 0.7 * new[0] / new[2]


def test_wood_grain_runs_along_the_board(asset_cache, tmp_path):
    image = rendered(slab(common_materials.wood("wood", "x", 0.3)), tmp_path).mean(axis=2)
    # Rows of the image run along the grain, columns across it.
    assert image.mean(axis=1).std() > 2 * image.mean(axis=0).std()


def test_only_a_worn_floor_line_shows_the_floor(asset_cache, tmp_path):
    floor = {**SURFACE, "kind": "concrete", "color_rgb": [0.2, 0.2, 0.2]}
    shares = []
    for wear in (0.0, 1.0):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        image = rendered(slab(hall_materials.floor_line_material(floor, (0.7, 0.5, 0.02), wear)), tmp_path)
        shares.append((image[..., 2] < 0.5 * image[..., 0]).mean())
    assert shares[0] > 0.97
    assert 0.05 < shares[1] < 0.85


def test_an_emissive_face_is_not_sampled_as_a_light(asset_cache):
    assert common_materials.emissive_face("glow", (1, 1, 1), 5.0).cycles.emission_sampling == "NONE"
