# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene record becomes a Blender scene."""

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
    """A record that cannot be built."""


@dataclass(frozen=True)
class BuiltScene:
    """`roots`: the parent of all parts of each labelled object, by instance id."""

    roots: dict[int, bpy.types.Object]


def build_scene(record: dict) -> BuiltScene:
    """Replace whatever Blender holds with the scene of `record` (a dict of pipeline's scene record).

    Raises:
        SceneError: an asset that nobody builds, two objects with the same instance id, or a missing image file.
    """
    # Everything goes, so that the next image starts from the same memory as the first one; preferences stay.
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    cache = AssetCache()
    for part in hall.build_hall(record["hall"], cache) + lights.build_lights(
        record["lamps"], record["ambient"], cache
    ):
        bpy.context.scene.collection.objects.link(part)
    roots: dict[int, bpy.types.Object] = {}
    for thing in record["objects"]:
        root = _place(thing, cache)
        if thing["instance_id"] in roots:
            raise SceneError(f"{thing['name']}: instance id {thing['instance_id']} is taken by another object")
        if thing["instance_id"]:
            roots[thing["instance_id"]] = root
    camera.build_camera(record["camera"], record["render"]["width"], record["render"]["height"])
    bpy.context.view_layer.update()
    _check_textures()
    return BuiltScene(roots)


def _place(thing: dict, cache: AssetCache) -> bpy.types.Object:
    """Build one object and put all its parts under one root, which Cryptomatte takes for the instance."""
    name = exr_passes.instance_object_name(thing["instance_id"]) if thing["instance_id"] else thing["name"]
    root = bpy.data.objects.new(name, None)
    if root.name != name:
        raise SceneError(f"{thing['name']}: the name {name!r} is taken by another object")
    root.location = thing["position_m"]
    root.rotation_euler = (0.0, 0.0, np.radians(thing["yaw_deg"]))
    collection = bpy.context.scene.collection
    collection.objects.link(root)
    for part in _parts(thing, cache):
        if part.parent is None:
            part.parent = root
        collection.objects.link(part)
    return root


def _parts(thing: dict, cache: AssetCache) -> list[bpy.types.Object]:
    if "file" in thing["parameters"]:
        try:
            return custom_mesh.build_custom_mesh(thing["parameters"], cache)
        except custom_mesh.CustomMeshError as error:
            raise SceneError(f"{thing['name']}: {error}") from error
    if thing["asset"] not in OBJECT_BUILDERS:
        raise SceneError(f"{thing['name']}: unknown asset {thing['asset']!r}; there are {', '.join(OBJECT_BUILDERS)}")
    return OBJECT_BUILDERS[thing["asset"]](thing["parameters"], cache)


def _check_textures() -> None:
    """Cycles paints a missing texture pink and goes on; we do not."""
    for image in bpy.data.images:
        if image.source == "FILE" and not image.has_data and image.size[0] == 0:
            raise SceneError(f"texture {image.filepath} is missing or cannot be read")
