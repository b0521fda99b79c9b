# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand pallet truck: four objects, of which lifting moves one, steering two and the tiller's tilt one."""

from collections.abc import Callable

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh
from blender.trucks.hand_chassis import LOWERED_M, chassis_parts, linkage_parts
from blender.trucks.hand_steering import GRIP_DISTANCE_M, hand_steering_parts, hand_tiller_parts
from blender.trucks.hand_style import draw_hand_style, hand_truck_materials

PIVOT_HEIGHT_M = 0.2
LIFT_RANGE_M = (0.08, 0.22)


def build_hand_truck(parameters: dict, library: AssetCache) -> list[bpy.types.Object]:
    """Make a hand pallet truck from the fields of `HandPalletTruckParameters` (pipeline/things.py).

    Returns new objects, unlinked and unparented, placed in the truck's own frame: origin on the floor under the tiller
    pivot, forks towards +x, z up, metres. Raises ValueError if the load rollers cannot reach the floor.
    """
    low, high = LIFT_RANGE_M
    if not low <= parameters["lift_m"] <= high:
        raise ValueError(f"lift_m of a hand pallet truck is {parameters['lift_m']}: choose {low} to {high}")
    style = draw_hand_style(parameters["seed"], parameters["body_rgb"])
    looks = (style, tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"]), parameters["wear"])
    plan = tuple(parameters[key] for key in ("fork_length_m", "width_m", "fork_width_m", "tandem_rollers"))

    def part(name: str, solids: Callable[[], list[Solid]], *form: float | str) -> bpy.types.Object:
        name = f"hand pallet truck {name}"
        mesh = library.mesh(
            (name, looks, *form),
            lambda: solids_to_mesh(name, solids(), hand_truck_materials(style, parameters, library)),
        )
        return bpy.data.objects.new(name, mesh)

    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])
    lifted = part("chassis", lambda: chassis_parts(parameters, style), *plan)
    lifted.location.z = parameters["lift_m"] - LOWERED_M
    links = part("linkage", lambda: linkage_parts(parameters, style), *plan, parameters["lift_m"])
    turned = part(
        "steering", lambda: hand_steering_parts(style, parameters["wheel_covers"]), parameters["wheel_covers"]
    )
    turned.rotation_euler.z = turn
    tilted = part("tiller", lambda: hand_tiller_parts(style, parameters["grip"]), parameters["grip"])
    tilted.location.z = PIVOT_HEIGHT_M
    tilted.rotation_euler = (0, -tilt, turn)
    return [lifted, links, turned, tilted]


def grip_center_m(parameters: dict) -> tuple[float, float, float]:
    """Return the middle of the grip bar in the truck's own frame."""
    turn, tilt = np.radians([parameters["tiller_turn_deg"], parameters["tiller_tilt_deg"]])
    reach = GRIP_DISTANCE_M * np.sin(tilt)
    return (-reach * np.cos(turn), -reach * np.sin(turn), PIVOT_HEIGHT_M + GRIP_DISTANCE_M * np.cos(tilt))
