# SPDX-License-Identifier: GPL-3.0-or-later
"""What things on wheels share: their materials, wheels and castors, seats, lamps, guards, and how they become objects.

Every part is in the frame of the whole (x forward, z up, metres) or centred on the origin and to be moved there.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum, auto

import bpy
import numpy as np

from blender.materials.common_materials import cardboard, painted_metal, plain_material, wood
from blender.materials.markings import BRANDS, DECAL_LIFT_M, FacePlane
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import (
    Solid,
    bevelled,
    box,
    cylinder,
    loft,
    plate,
    revolve,
    round_corners,
    solids_to_mesh,
    tube,
)
from blender.trucks.hand_style import fork_paint_material, tyre_material

Limits = tuple[float, float]
BLACK, DARK, MAST = (0.02, 0.02, 0.022), (0.035, 0.036, 0.04), (0.055, 0.057, 0.062)
GREY, ZINC = (0.2, 0.2, 0.2), (0.45, 0.46, 0.47)


class VehicleMaterial(IntEnum):
    """What a part is made of."""

    PAINT = 0  # color_rgb
    ACCENT = auto()  # accent_rgb
    DARK = auto()  # dark plastic and paint
    MAST = auto()
    FORK = auto()
    TYRE = auto()
    PALE_TYRE = auto()
    RIM = auto()
    ZINC = auto()
    CHROME = auto()
    LAMP = auto()
    BEACON = auto()
    RED = auto()
    PAPER = auto()
    WOOD = auto()
    BOARD = auto()


def prop_object(
    kind: str, parameters: dict, library: AssetCache, make: Callable[[], list[Solid]]
) -> list[bpy.types.Object]:
    """Make the object of a prop (`PropParameters`) from solids with slots of `VehicleMaterial`; equal props share a mesh."""
    names = ("size_m", "color_rgb", "accent_rgb")
    key = (kind, *(tuple(parameters[name]) for name in names), *(parameters[n] for n in ("wear", "variant", "seed")))

    def mesh() -> bpy.types.Mesh:
        solids = make()
        used = sorted({solid.slot for solid in solids})
        placed = [replace(solid, slot=used.index(solid.slot)) for solid in solids]
        return solids_to_mesh(kind, placed, [_material(VehicleMaterial(slot), parameters, library) for slot in used])

    made = bpy.data.objects.new(kind, library.mesh(key, mesh))
    made.color = (0.4, 0.26, 0.13, 1.0)  # of the cartons on it
    return [made]


def _material(slot: VehicleMaterial, parameters: dict, library: AssetCache) -> bpy.types.Material:
    maker, *arguments = _recipe(slot, parameters)
    return library.material((maker, *arguments), lambda: maker(*arguments))


def _recipe(slot: VehicleMaterial, parameters: dict) -> tuple:
    """The function that makes a slot's material, and its arguments."""
    wear = round(parameters["wear"], 1)
    match slot:
        case VehicleMaterial.PAINT:
            return painted_metal, "vehicle paint", tuple(parameters["color_rgb"]), 0.7 * wear
        case VehicleMaterial.ACCENT:
            return painted_metal, "vehicle accent", tuple(parameters["accent_rgb"]), 0.7 * wear
        case VehicleMaterial.DARK:
            return painted_metal, "vehicle dark", DARK, 0.5 * wear, 0.55
        case VehicleMaterial.MAST:
            return painted_metal, "mast", MAST, wear, 0.4
        case VehicleMaterial.FORK:
            return fork_paint_material, "bare forks", BLACK, wear
        case VehicleMaterial.TYRE:
            return tyre_material, "tyre", BLACK, wear
        case VehicleMaterial.PALE_TYRE:
            return tyre_material, "pale tyre", (0.32, 0.3, 0.27), wear
        case VehicleMaterial.RIM:
            return plain_material, "rim", GREY, 0.5
        case VehicleMaterial.ZINC:
            return plain_material, "zinc", ZINC, 0.38, 0.8
        case VehicleMaterial.CHROME:
            return plain_material, "chrome", (0.7, 0.7, 0.72), 0.15, 1.0
        case VehicleMaterial.LAMP:
            return plain_material, "lamp glass", (0.75, 0.77, 0.78), 0.1
        case VehicleMaterial.BEACON:
            return plain_material, "beacon", (0.8, 0.2, 0.01), 0.2
        case VehicleMaterial.RED:
            return plain_material, "red plastic", (0.5, 0.012, 0.01), 0.3
        case VehicleMaterial.PAPER:
            return plain_material, "vehicle lettering", (0.72, 0.72, 0.68), 0.5
        case VehicleMaterial.WOOD:
            return wood, "deck boards", "x", round(0.3 + 0.5 * wear, 1)
        case VehicleMaterial.BOARD:
            return cardboard, "cardboard", False


def pick_form(variant: float, forms: int) -> int:
    """Return which of `forms` equally wide parts of 0..1 the variant falls into."""
    return min(int(variant * forms), forms - 1)


def box_between(x_m: Limits, y_m: Limits, z_m: Limits, slot: int = VehicleMaterial.PAINT) -> Solid:
    """A cuboid from its limits along each axis."""
    limits = np.array([x_m, y_m, z_m])
    return box(tuple(np.ptp(limits, axis=1)), tuple(limits.mean(axis=1)), slot)


def with_mirror_image(parts: list[Solid]) -> list[Solid]:
    """Return the parts and their mirror images."""
    return [*parts, *(part.mirrored() for part in parts)]


def lathe(rings_m: list[Limits], segments: int = 12, slot: int = VehicleMaterial.DARK) -> Solid:
    """A round body about the z axis from (radius, height) of its rings, bottom to top."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    circle = np.c_[np.cos(angle), np.sin(angle)]
    sections = [np.c_[radius * circle, np.full(segments, height)] for radius, height in rings_m]
    return replace(loft(np.array(sections), slot), smooth=True)


def rod(start_m: tuple, end_m: tuple, radius_m: float, slot: int, segments: int = 6) -> Solid:
    """A straight round bar."""
    return tube(np.array([start_m, end_m]), radius_m, segments, slot)


def bent_tube(points_m: list, radius_m: float, bend_m: float, slot: int, segments: int = 8) -> Solid:
    """A tube through points (N, 3) with bends of radius `bend_m`."""
    return tube(round_corners(np.array(points_m, float), bend_m, 4), radius_m, segments, slot)


def wheel(
    radius_m: float,
    width_m: float,
    slot: int = VehicleMaterial.TYRE,
    rim: int = VehicleMaterial.RIM,
    share: float = 0.6,
) -> list[Solid]:
    """A wheel about the y axis, centred: a tyre with soft shoulders and a dished rim with a hub; 250 triangles."""
    half, inner, edge = width_m / 2, share * radius_m, 0.1 * radius_m
    right = [(inner, -half), (radius_m - edge, -half), (radius_m, edge - half)]
    profile = right + [(r, -y) for r, y in reversed(right)]
    disc, hub = cylinder(inner + 0.002, 1.2 * half, 16, rim), cylinder(0.4 * inner, 1.7 * half, 10, rim)
    return [revolve(np.array(profile), 20, slot), disc, hub]


def castor(
    radius_m: float, width_m: float, height_m: float, turn_deg: float, slot: int = VehicleMaterial.TYRE
) -> list[Solid]:
    """A castor with its mount at `height_m` over the origin; a swivelled one trails its wheel; 130 triangles."""
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
    return [part.turned("z", turn_deg) for part in parts]


def seat(slot: int = VehicleMaterial.DARK) -> list[Solid]:
    """A driver's seat that looks towards +x: 0.5 m wide, its foot on the origin, 0.75 m high."""
    cushion = bevelled(box((0.48, 0.48, 0.13), (0.02, 0, 0.12), slot), 0.04, 2)
    back = bevelled(box((0.12, 0.46, 0.58), (0, 0, 0.29), slot), 0.045, 2).turned("y", -12).moved((-0.2, 0, 0.15))
    return [cushion, back, box((0.3, 0.3, 0.06), (0, 0, 0.03), slot)]


def steering_wheel(center_m: tuple, tilt_deg: float, slot: int = VehicleMaterial.DARK) -> list[Solid]:
    """A wheel of 0.34 m on a short column, seen from -x; `tilt_deg` from level towards the driver."""
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = tube(np.c_[0.16 * np.cos(angle), 0.16 * np.sin(angle), 0 * angle], 0.013, 6, slot, closed=True)
    spokes = [box((0.3, 0.03, 0.012), (0, 0, 0), slot), lathe([(0.025, -0.3), (0.035, 0.012)], 8, slot)]
    return [part.turned("y", -tilt_deg).moved(center_m) for part in (ring, *spokes)]


def work_light(center_m: tuple, facing: int) -> list[Solid]:
    """A square lamp that shines towards +x (`facing` 1) or -x (-1)."""
    x, y, z = center_m
    glass = box((0.01, 0.1, 0.08), (x + 0.036 * facing, y, z), VehicleMaterial.LAMP)
    return [box((0.07, 0.12, 0.1), center_m, VehicleMaterial.DARK), glass]


def beacon(foot_m: tuple) -> list[Solid]:
    """An amber warning light, 0.12 m high."""
    glass = lathe([(0.045, 0.02), (0.045, 0.08), (0.03, 0.115)], 12, VehicleMaterial.BEACON)
    return [glass.moved(foot_m), lathe([(0.055, 0), (0.055, 0.02)], 12).moved(foot_m)]


def overhead_guard(x_m: Limits, half_m: float, top_m: float, feet_m: tuple[tuple, tuple], slot: int) -> list[Solid]:
    """A roof of bars over x limits, `half_m` to each side, on two pairs of posts; `feet_m`: (x, z) rear and front."""
    radius = 0.032
    y = half_m - radius
    rear, front = feet_m
    low = top_m - radius
    side = [(rear[0], y, rear[1]), (x_m[0], y, low), (x_m[1], y, low), (front[0], y, front[1])]
    rails = with_mirror_image([bent_tube(side, radius, 0.14, slot)])
    places = np.linspace(x_m[0] + 0.08, x_m[1] - 0.08, 7)
    bars = [box_between((x - 0.012, x + 0.012), (-y, y), (low - 0.03, low + 0.025), slot) for x in places]
    return [*rails, *bars]


def maker_name(
    text_seed: int, x: float, y: float, z: float, height_m: float, slot: int = VehicleMaterial.PAPER
) -> list[Solid]:
    """A made-up maker's name on both sides of a body, centred on x and z: letters at +y and -y, faces just inside."""
    word = BRANDS[text_seed % len(BRANDS)]
    up = np.array([0.0, 0.0, 1.0])
    sides = [
        FacePlane(np.array([x, sign * (y - DECAL_LIFT_M), z]), np.array([-sign, 0.0, 0.0]), up, (1, 1))
        for sign in (1.0, -1.0)
    ]
    return [stroke for face in sides for stroke in face.text(word, (0, 0), height_m, slot)]
