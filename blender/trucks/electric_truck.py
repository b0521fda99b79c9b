# SPDX-License-Identifier: GPL-3.0-or-later
"""The electric pallet truck: five objects. Lifting moves the body, steering moves two, tilting moves the tiller."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.trucks.electric_chassis import base_parts, lifted_parts, linkage_parts
from blender.trucks.electric_style import BATTERY_LAYOUTS, draw_electric_style
from blender.trucks.electric_tiller import HINGE_HEIGHT_M, electric_steering_parts, electric_tiller_parts
from blender.trucks.truck_materials import electric_truck_materials
from blender.trucks.truck_objects import TruckObjects, appearance_key, check_lift
from blender.trucks.truck_parts import LOWERED_M

SHAPE_PARAMETERS = (
    "battery",
    "fork_length_m",
    "width_m",
    "fork_width_m",
    "heel_to_rear_m",
    "chassis_width_m",
    "chassis_height_m",
    "tandem_rollers",
    "backrest",
)


def build_electric_truck(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Build an electric pallet truck; `parameters` is the JSON dict of `ElectricPalletTruckParameters`.

    Returns new objects, neither linked to a collection nor parented. They are in the truck's frame, in meters: origin
    on the floor under the steering axis, forks towards +x, z up.

    Raises:
        ValueError: `lift_m` is out of range.
    """
    check_lift(parameters["lift_m"], "an electric pallet truck")
    style = draw_electric_style(parameters["seed"], parameters["body_rgb"])
    layout = BATTERY_LAYOUTS[parameters["battery"]]
    shape = tuple(parameters[name] for name in SHAPE_PARAMETERS)
    objects = TruckObjects(
        "electric pallet truck",
        appearance_key(style, parameters),
        lambda: electric_truck_materials(style, style.cover_rgb, parameters, cache),
        cache,
    )
    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])

    body = objects.make("body", lambda: lifted_parts(parameters, style), *shape)
    body.location.z = parameters["lift_m"] - LOWERED_M
    linkage = objects.make("linkage", lambda: linkage_parts(parameters), *shape, parameters["lift_m"])
    base = objects.make("base", lambda: base_parts(parameters, style), *shape)
    steering = objects.make("steering", lambda: electric_steering_parts(style, layout), parameters["battery"])
    steering.rotation_euler.z = turn
    tiller = objects.make("tiller", lambda: electric_tiller_parts(style))
    hinge = layout.hinge_distance_m
    tiller.location = (-hinge * np.cos(turn), -hinge * np.sin(turn), HINGE_HEIGHT_M)
    tiller.rotation_euler = (0, -tilt, turn)
    return [body, linkage, base, steering, tiller]
