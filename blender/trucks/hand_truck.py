# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand pallet truck: four objects. Lifting moves the chassis, steering moves two, tilting moves the tiller."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.trucks.hand_chassis import chassis_parts, linkage_parts
from blender.trucks.hand_steering import hand_steering_parts, hand_tiller_parts
from blender.trucks.hand_style import draw_hand_style
from blender.trucks.truck_materials import hand_truck_materials
from blender.trucks.truck_objects import TruckObjects, appearance_key, check_lift
from blender.trucks.truck_parts import LOWERED_M

PIVOT_HEIGHT_M = 0.2
SHAPE_PARAMETERS = ("fork_length_m", "width_m", "fork_width_m", "tandem_rollers")


def build_hand_truck(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Build a hand pallet truck; `parameters` is the JSON dict of `HandPalletTruckParameters`.

    Returns new objects, neither linked to a collection nor parented. They are in the truck's frame, in meters: origin
    on the floor under the tiller's pivot, forks towards +x, z up.

    Raises:
        ValueError: `lift_m` is out of range.
    """
    check_lift(parameters["lift_m"], "a hand pallet truck")
    style = draw_hand_style(parameters["seed"], parameters["body_rgb"])
    shape = tuple(parameters[name] for name in SHAPE_PARAMETERS)
    objects = TruckObjects(
        "hand pallet truck",
        appearance_key(style, parameters),
        lambda: hand_truck_materials(style, parameters, cache),
        cache,
    )
    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])
    covers, grip = parameters["wheel_covers"], parameters["grip"]

    chassis = objects.make("chassis", lambda: chassis_parts(parameters, style), *shape)
    chassis.location.z = parameters["lift_m"] - LOWERED_M
    linkage = objects.make("linkage", lambda: linkage_parts(parameters, style), *shape, parameters["lift_m"])
    steering = objects.make("steering", lambda: hand_steering_parts(style, covers), covers)
    steering.rotation_euler.z = turn
    tiller = objects.make("tiller", lambda: hand_tiller_parts(style, grip), grip)
    tiller.location.z = PIVOT_HEIGHT_M
    tiller.rotation_euler = (0, -tilt, turn)
    return [chassis, linkage, steering, tiller]
