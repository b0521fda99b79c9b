# SPDX-License-Identifier: GPL-3.0-or-later
"""The electric walkie pallet truck: five objects, of which lifting moves one, steering two, the tiller's tilt one."""

from collections.abc import Callable

import bpy
import numpy as np

from blender.mesh.mesh_cache import Library
from blender.mesh.meshes import Solid, to_mesh
from blender.trucks.electric_chassis import base, lifted, linkage
from blender.trucks.electric_style import FORMS, draw_style, palette
from blender.trucks.electric_tiller import HINGE_HEIGHT_M, steering, tiller
from blender.trucks.hand_chassis import LOWERED_M
from blender.trucks.hand_truck import LIFT_RANGE_M

PLAN = ("battery", "fork_length_m", "width_m", "fork_width_m", "heel_to_rear_m", "chassis_width_m", "chassis_height_m")


def build(parameters: dict, library: Library) -> list[bpy.types.Object]:
    """Make an electric pallet truck from the fields of `ElectricPalletTruckParameters` (pipeline/things.py).

    Returns new objects, unlinked and unparented, in the truck's own frame: origin on the floor under the steering's
    axis, forks towards +x, z up, metres. Raises ValueError if the load rollers cannot reach the floor.
    """
    low, high = LIFT_RANGE_M
    if not low <= parameters["lift_m"] <= high:
        raise ValueError(f"lift_m of an electric pallet truck is {parameters['lift_m']}: choose {low} to {high}")
    style, form = draw_style(parameters["seed"], parameters["body_rgb"]), FORMS[parameters["battery"]]
    looks = (style, tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"]), parameters["wear"])
    plan = tuple(parameters[key] for key in (*PLAN, "tandem_rollers", "backrest"))

    def part(name: str, solids: Callable[[], list[Solid]], *plan: float | str) -> bpy.types.Object:
        name = f"electric pallet truck {name}"
        mesh = library.mesh((name, looks, *plan), lambda: to_mesh(name, solids(), palette(style, parameters, library)))
        return bpy.data.objects.new(name, mesh)

    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])
    body = part("body", lambda: lifted(parameters, style), *plan)
    body.location.z = parameters["lift_m"] - LOWERED_M
    links = part("linkage", lambda: linkage(parameters), *plan, parameters["lift_m"])
    below = part("base", lambda: base(parameters, style), *plan)
    turned = part("steering", lambda: steering(style, form), parameters["battery"])
    turned.rotation_euler.z = turn
    tilted = part("tiller", lambda: tiller(style))
    tilted.location = (-form.hinge_m * np.cos(turn), -form.hinge_m * np.sin(turn), HINGE_HEIGHT_M)
    tilted.rotation_euler = (0, -tilt, turn)
    return [body, links, below, turned, tilted]
