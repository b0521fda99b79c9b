# SPDX-License-Identifier: GPL-3.0-or-later
"""Counterbalance forklifts: electric, with a gas bottle on the counterweight, or an old one."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import box_between, lathe, rod
from blender.mesh.solids import Solid, bevelled, box, prism, round_corners, with_mirror_image
from blender.vehicles.masts import Mast, fork_carriage, mast_fork
from blender.vehicles.vehicle_object import VehicleMaterial, build_vehicle_object
from blender.vehicles.vehicle_parts import beacon, maker_name, overhead_guard, seat, steering_wheel, wheel, work_light

FORKLIFTS = ("electric", "gas", "old")
TIRE_WIDTH_M = 0.2
BEACON_HEIGHT_M = 0.13


def build_forklift(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a forklift from `PropParameters`, its forks at +x: electric, gas or old."""
    return build_vehicle_object("forklift", parameters, cache, lambda: forklift_solids(parameters))


def forklift_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], FORKLIFTS)
    rng = np.random.default_rng(parameters["seed"])
    half, rear, tip = width / 2, -length / 2, length / 2
    shank_x = tip - 0.32 * length  # the front of the forks' upright parts
    body_front = shank_x - 0.27  # behind the mast
    lift = float(rng.choice([0.03, rng.uniform(0.05, 0.3)]))
    roof = height - BEACON_HEIGHT_M
    return [
        *_mast_and_forks(shank_x, tip, half, height, lift),
        *_wheels(rear, body_front, half),
        *_body(rear, body_front, half, form),
        *_cab(rear, body_front, half, roof, form),
        *_lights(rear, body_front, half, roof),
        *(_gas_bottle(rear, half) if form == "gas" else []),
        *maker_name(parameters["seed"], rear + 0.36, half, 0.87, 0.085),
    ]


def _mast_and_forks(shank_x: float, tip: float, half: float, height: float, lift: float) -> list[Solid]:
    mast = Mast((shank_x - 0.25, shank_x - 0.085), 0.31, (0.08, height))
    forks = with_mirror_image([mast_fork((shank_x - 0.04, tip), 0.26, lift, 0.11)])
    return [
        *mast.solids(),
        *fork_carriage((shank_x - 0.09, shank_x - 0.04), min(0.52, half), lift, lift + 1.15),
        *forks,
    ]


def _wheels(rear: float, body_front: float, half: float) -> list[Solid]:
    """Return drive wheels beside the mast, and smaller steer wheels in the arches of the counterweight."""
    front, back = (
        wheel(0.32, TIRE_WIDTH_M, rim_slot=VehicleMaterial.ACCENT),
        wheel(0.235, 0.17, rim_slot=VehicleMaterial.ACCENT),
    )
    parts = [part.moved((body_front - 0.12, half - TIRE_WIDTH_M / 2, 0.32)) for part in front]
    return with_mirror_image(parts + [part.moved((rear + 0.5, half - 0.115, 0.235)) for part in back])


def _body(rear: float, body_front: float, half: float, form: str) -> list[Solid]:
    """Return frame, steps, mudguards, dashboard, the hood under the seat and the counterweight."""
    inner = half - TIRE_WIDTH_M - 0.02
    ballast = VehicleMaterial.PAINT if form == "old" else VehicleMaterial.DARK
    sill = box_between((rear + 0.7, body_front - 0.48), (half - 0.28, half - 0.03), (0.2, 0.5), VehicleMaterial.PAINT)
    tread_plate = box_between(
        (rear + 0.8, body_front - 0.55), (half - 0.2, half - 0.028), (0.27, 0.4), VehicleMaterial.DARK
    )
    cowl = prism(
        round_corners(
            [(body_front - 0.28, 0.5), (body_front - 0.01, 0.5), (body_front - 0.01, 1.0), (body_front - 0.2, 1.12)],
            0.03,
            2,
            closed=True,
        ),
        2 * inner + 0.1,
        VehicleMaterial.DARK,
    )
    hood = [(rear + 0.62, 0.45), (body_front - 0.72, 0.45), (body_front - 0.78, 0.98), (rear + 0.62, 0.98)]
    return [
        box_between((rear + 0.6, body_front - 0.02), (-inner, inner), (0.16, 0.52), VehicleMaterial.DARK),
        *with_mirror_image([bevelled(sill, 0.02), tread_plate, _mudguard(body_front - 0.12, half)]),
        bevelled(cowl, 0.015, 1),
        bevelled(prism(np.array(hood), 2 * half - 0.12, VehicleMaterial.PAINT), 0.035, 2),
        bevelled(_counterweight(rear, half, form, ballast), 0.035, 2),
        box((0.04, 0.16, 0.1), (rear + 0.035, 0, 0.42), VehicleMaterial.MAST),
    ]


def _counterweight(rear: float, half: float, form: str, slot: int) -> Solid:
    """Return the counterweight behind the rear axle, with arches for the steer wheels."""
    angle = np.radians(np.linspace(0, 180, 9))
    arch = np.c_[rear + 0.5 - 0.28 * np.cos(angle), 0.2 + 0.32 * np.sin(angle)]
    top = 1.02
    back = [(rear + 0.06, top), (rear, 0.8), (rear, 0.5), (rear + 0.1, 0.2)]
    if form == "old":
        back = [(rear + 0.02, top), (rear, 0.95), (rear, 0.22)]
    front = [(rear + 0.84, 0.2), (rear + 0.84, 0.5), (rear + 0.66, 0.62), (rear + 0.66, top)]
    return prism(np.concatenate([arch, front, np.array(back)]), 2 * half - 0.004, slot)


def _mudguard(axle: float, half: float) -> Solid:
    """Return a sheet bent over the left drive wheel."""
    angle = np.radians(np.linspace(35, 160, 7))
    rings = [np.c_[axle + r * np.cos(a), 0.32 + r * np.sin(a)] for r, a in ((0.375, angle), (0.35, angle[::-1]))]
    return prism(np.concatenate(rings), TIRE_WIDTH_M, VehicleMaterial.PAINT).moved((0, half - TIRE_WIDTH_M / 2, 0))


def _cab(rear: float, body_front: float, half: float, roof: float, form: str) -> list[Solid]:
    """Return overhead guard, seat, steering wheel and levers."""
    slot = VehicleMaterial.PAINT if form == "old" else VehicleMaterial.DARK
    guard = overhead_guard(
        (rear + 0.55, body_front - 0.42), half - 0.07, roof, ((rear + 0.3, 1.0), (body_front - 0.05, 0.62)), slot
    )
    levers = [
        rod((body_front - 0.22, y, 1.05), (body_front - 0.3, y, 1.22), 0.008, VehicleMaterial.DARK)
        for y in (-0.3, -0.24, -0.18)
    ]
    chair = [part.moved((rear + 0.9, 0, 0.98)) for part in seat()]
    return [*guard, *levers, *chair, *steering_wheel((body_front - 0.42, 0.05, 1.26), 35)]


def _lights(rear: float, body_front: float, half: float, roof: float) -> list[Solid]:
    """Return two work lights under the roof, two rear lights on the counterweight, a beacon on the roof."""
    work = work_light((body_front - 0.3, half - 0.16, roof - 0.13), 1)
    tail = box((0.03, 0.07, 0.16), (rear + 0.28, half - 0.09, 1.1), VehicleMaterial.RED)
    return [*with_mirror_image([*work, tail]), *beacon((rear + 0.75, -0.2, roof - 0.005))]


def _gas_bottle(rear: float, half: float) -> list[Solid]:
    """Return an 11 kg gas bottle that lies across the counterweight, held by two straps."""
    radius, reach = 0.155, min(0.4, half - 0.05)
    rings = [(0.05, -reach), (0.13, -reach + 0.05), (radius, -reach + 0.12), (radius, reach - 0.12)]
    bottle = lathe([*rings, (0.13, reach - 0.05), (0.06, reach)], VehicleMaterial.ACCENT, 16)
    strap = lathe([(radius + 0.008, -0.02), (radius + 0.008, 0.02)], VehicleMaterial.DARK, 16)
    lying = [
        part.turned("x", 90).moved((rear + 0.24, 0, 1.18))
        for part in (bottle, *_copies_at_heights(strap, (-0.18, 0.18)))
    ]
    return [*lying, box_between((rear + 0.1, rear + 0.38), (-0.3, 0.3), (1.0, 1.05), VehicleMaterial.DARK)]


def _copies_at_heights(part: Solid, heights_m: tuple[float, ...]) -> list[Solid]:
    return [part.moved((0, 0, z)) for z in heights_m]
