# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that several vehicles have: wheels and castors, seats, lamps, overhead guards, makers' names.

A part is built in the frame of the vehicle (x forward, y left, z up, meters), or about the origin to be moved there.
"""

import numpy as np

from blender.materials.markings import BRANDS, DECAL_LIFT_M, FacePlane
from blender.mesh.shapes import Limits, bent_tube, box_between, lathe
from blender.mesh.solids import Solid, bevelled, box, cylinder, plate, revolve, tube, with_mirror_image
from blender.vehicles.vehicle_object import VehicleMaterial


def wheel(
    radius_m: float,
    width_m: float,
    slot: int = VehicleMaterial.TIRE,
    rim_slot: int = VehicleMaterial.RIM,
    rim_share: float = 0.6,
) -> list[Solid]:
    """Return a wheel about the y axis, centered on the origin: a tire with soft shoulders, a dished rim, a hub.

    `rim_share` is the radius of the rim as a share of the wheel's. 250 triangles.
    """
    half, rim_radius, edge = width_m / 2, rim_share * radius_m, 0.1 * radius_m
    right = [(rim_radius, -half), (radius_m - edge, -half), (radius_m, edge - half)]
    profile = right + [(r, -y) for r, y in reversed(right)]
    disc = cylinder(rim_radius + 0.002, 1.2 * half, 16, rim_slot)
    hub = cylinder(0.4 * rim_radius, 1.7 * half, 10, rim_slot)
    return [revolve(np.array(profile), 20, slot), disc, hub]


def castor(
    radius_m: float, width_m: float, height_m: float, swivel_deg: float, slot: int = VehicleMaterial.TIRE
) -> list[Solid]:
    """Return a castor under a mount at `height_m` above the origin; the wheel trails behind it. 130 triangles."""
    trail = 0.35 * radius_m
    side = width_m / 2 + 0.004
    fork_side = plate(
        [(0.03, side, height_m - 0.012), (-0.03, side, height_m - 0.012), (-trail - 0.015, side, 0.9 * radius_m),
         (-trail + 0.015, side, 0.9 * radius_m)], 0.003, VehicleMaterial.ZINC,
    )  # fmt: skip
    parts = [
        cylinder(radius_m, width_m, 16, slot).moved((-trail, 0, radius_m)),
        cylinder(0.35 * radius_m, width_m + 0.006, 10, VehicleMaterial.RIM).moved((-trail, 0, radius_m)),
        *with_mirror_image([fork_side]),
        box((0.09, 0.07, 0.012), (0, 0, height_m - 0.006), VehicleMaterial.ZINC),
    ]
    return [part.turned("z", swivel_deg) for part in parts]


def seat() -> list[Solid]:
    """Return a driver's seat that faces +x: 0.5 m wide, 0.75 m high, its foot on the origin."""
    slot = VehicleMaterial.DARK
    cushion = bevelled(box((0.48, 0.48, 0.13), (0.02, 0, 0.12), slot), 0.04, 2)
    back = bevelled(box((0.12, 0.46, 0.58), (0, 0, 0.29), slot), 0.045, 2).turned("y", -12).moved((-0.2, 0, 0.15))
    return [cushion, back, box((0.3, 0.3, 0.06), (0, 0, 0.03), slot)]


def steering_wheel(center_m: tuple[float, float, float], tilt_deg: float) -> list[Solid]:
    """Return a steering wheel of 0.34 m on a short column; `tilt_deg` tilts it from level towards a driver at -x."""
    slot = VehicleMaterial.DARK
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = tube(np.c_[0.16 * np.cos(angle), 0.16 * np.sin(angle), 0 * angle], 0.013, 6, slot, closed=True)
    spokes = box((0.3, 0.03, 0.012), (0, 0, 0), slot)
    column = lathe([(0.025, -0.3), (0.035, 0.012)], slot, 8)
    return [part.turned("y", -tilt_deg).moved(center_m) for part in (ring, spokes, column)]


def work_light(center_m: tuple[float, float, float], facing: int) -> list[Solid]:
    """Return a square lamp that faces +x (`facing` 1) or -x (`facing` -1)."""
    x, y, z = center_m
    glass = box((0.01, 0.1, 0.08), (x + 0.036 * facing, y, z), VehicleMaterial.LAMP)
    return [box((0.07, 0.12, 0.1), center_m, VehicleMaterial.DARK), glass]


def beacon(foot_m: tuple[float, float, float]) -> list[Solid]:
    """Return an amber warning light, 0.12 m high."""
    glass = lathe([(0.045, 0.02), (0.045, 0.08), (0.03, 0.115)], VehicleMaterial.BEACON, 12)
    base = lathe([(0.055, 0), (0.055, 0.02)], VehicleMaterial.DARK, 12)
    return [glass.moved(foot_m), base.moved(foot_m)]


def overhead_guard(
    x_m: Limits, half_width_m: float, top_m: float, feet_m: tuple[Limits, Limits], slot: int
) -> list[Solid]:
    """Return a roof of bars on two pairs of posts.

    `x_m` are the roof's limits; `feet_m` holds (x, z) of the rear and of the front foot.
    """
    radius = 0.032
    y = half_width_m - radius
    rear, front = feet_m
    roof = top_m - radius
    side = [(rear[0], y, rear[1]), (x_m[0], y, roof), (x_m[1], y, roof), (front[0], y, front[1])]
    rails = with_mirror_image([bent_tube(side, radius, 0.14, slot)])
    bars = [
        box_between((x - 0.012, x + 0.012), (-y, y), (roof - 0.03, roof + 0.025), slot)
        for x in np.linspace(x_m[0] + 0.08, x_m[1] - 0.08, 7)
    ]
    return [*rails, *bars]


def maker_name(seed: int, x: float, y: float, z: float, height_m: float) -> list[Solid]:
    """Return an invented maker's name in letters of `height_m` on both sides of a body, around x and z.

    The body ends at +y and -y. The faces that carry the letters lie just inside it, so that the letters end with it.
    """
    word = BRANDS[seed % len(BRANDS)]
    up = np.array([0.0, 0.0, 1.0])
    sides = [
        FacePlane(np.array([x, sign * (y - DECAL_LIFT_M), z]), np.array([-sign, 0.0, 0.0]), up, (1, 1))
        for sign in (1.0, -1.0)
    ]
    return [letter for face in sides for letter in face.text(word, (0, 0), height_m, VehicleMaterial.PAPER)]
