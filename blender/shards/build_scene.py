# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the Blender scene of a scene record."""

from dataclasses import dataclass

import bpy
import numpy as np

from blender.camera import camera
from blender.common.errors import CaristeError
from blender.cycles import exr_passes
from blender.goods import boxed_goods, furniture, pallets_and_cartons, round_goods, safety_markers
from blender.hall import columns, hall, lights, racks
from blender.mesh import custom_mesh
from blender.mesh.asset_cache import AssetCache
from blender.people import person
from blender.trucks import electric_truck, hand_truck
from blender.vehicles import carts, cleaning_machine, forklift, reach_truck, stacker

OBJECT_BUILDERS = {
    "carton": pallets_and_cartons.build_carton,
    "carton_stack": pallets_and_cartons.build_carton_stack,
    "column": columns.build_column,
    "eur_pallet": pallets_and_cartons.build_eur_pallet,
    "electric_pallet_truck": electric_truck.build_electric_truck,
    "hand_pallet_truck": hand_truck.build_hand_truck,
    "person": person.build_person,
    "rack": racks.build_rack,
    "cleaning_machine": cleaning_machine.build_cleaning_machine,
    "forklift": forklift.build_forklift,
    "hand_trolley": carts.build_hand_trolley,
    "platform_cart": carts.build_platform_cart,
    "reach_truck": reach_truck.build_reach_truck,
    "roll_cage": carts.build_roll_cage,
    "stacker": stacker.build_stacker,
    "bin": boxed_goods.build_bin,
    "bollard": safety_markers.build_bollard,
    "cable_reel": round_goods.build_cable_reel,
    "cone": safety_markers.build_cone,
    "conveyor": furniture.build_conveyor,
    "crate": boxed_goods.build_crate,
    "drum": round_goods.build_drum,
    "hanging_sign": safety_markers.build_hanging_sign,
    "ibc": round_goods.build_ibc,
    "ladder": furniture.build_ladder,
    "packing_table": furniture.build_packing_table,
    "stillage": boxed_goods.build_stillage,
}


class SceneError(CaristeError):
    """A record whose scene cannot be built."""


@dataclass(frozen=True)
class BuiltScene:
    """The parent of all parts of each labeled object, by instance id."""

    roots: dict[int, bpy.types.Object]


def build_scene(record: dict) -> BuiltScene:
    """Replace everything that Blender holds with the scene of a record.

    Raises:
        SceneError: an unknown asset, two objects with one name or instance id, a mesh file or a texture that cannot be
            used.
    """
    # Each image starts from an empty file, so that no memory accumulates. Preferences stay.
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    cache = AssetCache()
    hall_parts = hall.build_hall(record["hall"], cache)
    lamps = lights.build_lights(record["lamps"], record["ambient"], cache)
    for part in hall_parts + lamps:
        bpy.context.scene.collection.objects.link(part)
    roots: dict[int, bpy.types.Object] = {}
    for scene_object in record["objects"]:
        root = _place_object(scene_object, cache)
        if scene_object["instance_id"] in roots:
            raise SceneError(
                f"{scene_object['name']}: instance id {scene_object['instance_id']} is taken by another object"
            )
        if scene_object["instance_id"]:
            roots[scene_object["instance_id"]] = root
    camera.build_camera(record["camera"], record["render"]["width"], record["render"]["height"])
    bpy.context.view_layer.update()
    _check_textures()
    return BuiltScene(roots)


def _place_object(scene_object: dict, cache: AssetCache) -> bpy.types.Object:
    """Build one object and put all its parts under one root, whose name is the instance for Cryptomatte."""
    name = (
        exr_passes.instance_object_name(scene_object["instance_id"])
        if scene_object["instance_id"]
        else scene_object["name"]
    )
    root = bpy.data.objects.new(name, None)
    if root.name != name:
        raise SceneError(f"{scene_object['name']}: the name {name!r} is taken by another object")
    root.location = scene_object["position_m"]
    root.rotation_euler = (0.0, 0.0, np.radians(scene_object["yaw_deg"]))
    collection = bpy.context.scene.collection
    collection.objects.link(root)
    for part in _build_parts(scene_object, cache):
        if part.parent is None:
            part.parent = root
        collection.objects.link(part)
    return root


def _build_parts(scene_object: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return the unlinked parts of an object; only custom meshes have a file."""
    if "file" in scene_object["parameters"]:
        try:
            return custom_mesh.build_custom_mesh(scene_object["parameters"], cache)
        except custom_mesh.CustomMeshError as error:
            raise SceneError(f"{scene_object['name']}: {error}") from error
    if scene_object["asset"] not in OBJECT_BUILDERS:
        raise SceneError(
            f"{scene_object['name']}: unknown asset {scene_object['asset']!r}; there are {', '.join(OBJECT_BUILDERS)}"
        )
    return OBJECT_BUILDERS[scene_object["asset"]](scene_object["parameters"], cache)


def _check_textures() -> None:
    """Raise SceneError if a texture is missing; Cycles would render it in pink."""
    for image in bpy.data.images:
        if image.source == "FILE" and not image.has_data and image.size[0] == 0:
            raise SceneError(f"texture {image.filepath} is missing or cannot be read")
