# SPDX-License-Identifier: GPL-3.0-or-later
"""The electric walkie pallet truck: five objects, of which lifting moves one, steering two, the tiller's tilt one."""

from collections.abc import Callable

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh
from blender.trucks.electric_chassis import base_parts, lifted_parts, linkage_parts
from blender.trucks.electric_style import BATTERY_LAYOUTS, draw_electric_style, electric_truck_materials
from blender.trucks.electric_tiller import HINGE_HEIGHT_M, electric_steering_parts, electric_tiller_parts
from blender.trucks.hand_chassis import LOWERED_M
from blender.trucks.hand_truck import LIFT_RANGE_M

PLAN = ("battery", "fork_length_m", "width_m", "fork_width_m", "heel_to_rear_m", "chassis_width_m", "chassis_height_m")


def build_electric_truck(parameters: dict, library: AssetCache) -> list[bpy.types.Object]:
    """Make an electric pallet truck from the fields of `ElectricPalletTruckParameters` (pipeline/things.py).

    Returns new objects, unlinked and unparented, in the truck's own frame: origin on the floor under the steering's
    axis, forks towards +x, z up, metres. Raises ValueError if the load rollers cannot reach the floor.
    """
    low, high = LIFT_RANGE_M
    if not low <= parameters["lift_m"] <= high:
        raise ValueError(f"lift_m of an electric pallet truck is {parameters['lift_m']}: choose {low} to {high}")
    style, form = (
        draw_electric_style(parameters["seed"], parameters["body_rgb"]),
        BATTERY_LAYOUTS[parameters["battery"]],
    )
    looks = (style, tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"]), parameters["wear"])
    plan = tuple(parameters[key] for key in (*PLAN, "tandem_rollers", "backrest"))

    def part(name: str, solids: Callable[[], list[Solid]], *plan: float | str) -> bpy.types.Object:
        name = f"electric pallet truck {name}"
        mesh = library.mesh(
            (name, looks, *plan),
            lambda: solids_to_mesh(name, solids(), electric_truck_materials(style, parameters, library)),
        )
        return bpy.data.objects.new(name, mesh)

    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])
    body = part("body", lambda: lifted_parts(parameters, style), *plan)
    body.location.z = parameters["lift_m"] - LOWERED_M
    links = part("linkage", lambda: linkage_parts(parameters), *plan, parameters["lift_m"])
    below = part("base", lambda: base_parts(parameters, style), *plan)
    turned = part("steering", lambda: electric_steering_parts(style, form), parameters["battery"])
    turned.rotation_euler.z = turn
    tilted = part("tiller", lambda: electric_tiller_parts(style))
    tilted.location = (-form.hinge_m * np.cos(turn), -form.hinge_m * np.sin(turn), HINGE_HEIGHT_M)
    tilted.rotation_euler = (0, -tilt, turn)
    return [body, links, below, turned, tilted]
