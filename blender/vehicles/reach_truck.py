# SPDX-License-Identifier: GPL-3.0-or-later
"""Reach trucks: a tall mast between two support legs; the driver sits sideways behind it, under a guard."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import box_between
from blender.mesh.solids import Solid, bevelled, box, prism, with_mirror_image
from blender.vehicles.masts import Mast, fork_carriage, mast_fork
from blender.vehicles.vehicle_object import VehicleMaterial, build_vehicle_object
from blender.vehicles.vehicle_parts import beacon, maker_name, overhead_guard, seat, steering_wheel, wheel, work_light

REACH_TRUCKS = ("mast_drawn_back", "mast_reached_out")
LEG_WHEEL_RADIUS_M = 0.15
BODY_LENGTH_M = 1.22
GUARD_HEIGHT_M = 2.2


def build_reach_truck(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a reach truck from `PropParameters`, its forks at +x; the mast is drawn back or reached out."""
    return build_vehicle_object("reach_truck", parameters, cache, lambda: reach_truck_solids(parameters))


def reach_truck_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    rng = np.random.default_rng(parameters["seed"])
    half, rear, tip = width / 2, -length / 2, length / 2
    front = rear + BODY_LENGTH_M  # of the body, where the legs begin
    reached_out = pick_form(parameters["variant"], REACH_TRUCKS) == "mast_reached_out"
    shank_x = tip - (1.1 if reached_out else 0.95)
    leg_end = shank_x + 0.05 if reached_out else tip - 0.3
    roof = min(height - 0.14, GUARD_HEIGHT_M)
    lift = float(rng.uniform(0.02, 0.06)) if reached_out or rng.random() < 0.5 else float(rng.uniform(0.3, 0.8))
    return [
        *_mast_and_forks(shank_x, tip, half, height, lift),
        *_legs(front, leg_end, half),
        *_body(rear, front, half),
        *_cab(rear, front, half, roof),
        *with_mirror_image(work_light((front - 0.06, half - 0.17, roof - 0.12), 1)),
        *beacon((rear + 0.3, 0.25, roof - 0.005)),
        *maker_name(parameters["seed"], rear + 0.66, half, 0.3, 0.13),
    ]


def _mast_and_forks(shank_x: float, tip: float, half: float, height: float, lift: float) -> list[Solid]:
    mast = Mast((shank_x - 0.26, shank_x - 0.085), min(0.42, half - 0.16), (0.05, height))
    forks = with_mirror_image([mast_fork((shank_x - 0.04, tip), 0.24, lift)])
    return [
        *mast.solids(),
        *fork_carriage((shank_x - 0.09, shank_x - 0.04), min(0.4, half - 0.17), lift, lift + 1.0),
        *forks,
    ]


def _legs(front: float, end: float, half: float) -> list[Solid]:
    """Return the support legs with their load wheels."""
    reach = end - LEG_WHEEL_RADIUS_M * 0.7
    outline = [
        *[(front - 0.3, 0.08), (reach - 0.34, 0.08), (reach - 0.2, 0.2), (reach, 0.2), (reach + 0.06, 0.24)],
        *[(reach + 0.02, 0.33), (reach - 0.4, 0.36), (front - 0.3, 0.36)],
    ]
    leg = bevelled(prism(np.array(outline), 0.14, VehicleMaterial.PAINT), 0.012, 1).moved((0, half - 0.07, 0))
    wheels = [
        part.moved((reach - 0.1, half - 0.07, LEG_WHEEL_RADIUS_M))
        for part in wheel(LEG_WHEEL_RADIUS_M, 0.11, VehicleMaterial.PALE_TIRE)
    ]
    return with_mirror_image([leg, *wheels])


def _body(rear: float, front: float, half: float) -> list[Solid]:
    """Return chassis, battery in front of the driver, motor housing on the right, console on the left."""
    chassis = [(rear + 0.06, 0.07), (front, 0.07), (front, 0.46), (rear, 0.46), (rear, 0.2)]
    motor = [(rear, 0.44), (rear + 0.84, 0.44), (rear + 0.84, 0.94), (rear + 0.74, 1.06), (rear + 0.06, 1.06)]
    console = [(rear + 0.1, 0.44), (rear + 0.46, 0.44), (rear + 0.36, 0.98), (rear + 0.02, 0.98)]
    return [
        bevelled(prism(np.array(chassis), 2 * half - 0.004, VehicleMaterial.PAINT), 0.04, 2),
        bevelled(prism(np.array(motor), half - 0.06, VehicleMaterial.PAINT), 0.04, 2).moved((0, -half / 2 - 0.01, 0)),
        bevelled(prism(np.array(console), 0.34, VehicleMaterial.DARK), 0.03, 2).moved((0, half - 0.2, 0)),
        bevelled(
            box_between((front - 0.36, front - 0.01), (0.03 - half, half - 0.03), (0.44, 0.9), VehicleMaterial.ACCENT),
            0.02,
            1,
        ),
        box_between((rear + 0.5, front - 0.4), (half - 0.12, half - 0.004), (0.455, 0.475), VehicleMaterial.DARK),
        box((0.02, 0.3, 0.12), (rear + 0.012, -half / 2, 0.8), VehicleMaterial.DARK),
    ]


def _cab(rear: float, front: float, half: float, roof: float) -> list[Solid]:
    chair = [part.turned("z", 90).moved((rear + 0.5, -0.12, 0.62)) for part in seat()]
    seat_base = box_between((rear + 0.3, rear + 0.72), (-0.35, 0.1), (0.44, 0.63), VehicleMaterial.DARK)
    guard = overhead_guard(
        (rear + 0.1, front - 0.06), half - 0.05, roof, ((rear + 0.08, 0.9), (front - 0.04, 0.86)), VehicleMaterial.MAST
    )
    return [*guard, *chair, seat_base, *steering_wheel((rear + 0.26, half - 0.24, 1.05), 15)]
