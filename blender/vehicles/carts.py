# SPDX-License-Identifier: GPL-3.0-or-later
"""Carts without a motor: hand trolleys, platform carts and roll cages. `variant` picks a form of each kind."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import bent_tube, box_between, rod
from blender.mesh.solids import Solid, bevelled, box, cylinder, flat_bar, with_mirror_image
from blender.vehicles.vehicle_object import VehicleMaterial, build_vehicle_object
from blender.vehicles.vehicle_parts import castor, wheel

HAND_TROLLEYS = ("grips", "hoop", "aluminum")
PLATFORM_CARTS = ("one_handle", "two_handles", "shelf")
ROLL_CAGES = ("two_sides", "three_sides", "loaded")


def build_hand_trolley(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a hand trolley from `PropParameters`, its toe plate at +x: with two grips, a hoop, or of aluminum."""
    return build_vehicle_object("hand_trolley", parameters, cache, lambda: hand_trolley_solids(parameters))


def hand_trolley_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], HAND_TROLLEYS)
    slot = VehicleMaterial.ZINC if form == "aluminum" else VehicleMaterial.PAINT
    radius = 0.13 if form != "aluminum" else 0.1
    axle = -length / 2 + radius + (0.0 if form == "hoop" else 0.06)  # grips extend behind the wheels
    foot = axle + 0.1  # x of the uprights at the floor; they lean back
    y = width / 2 - 0.1
    lean = (foot - axle) * 0.9 / height
    toe = [box_between((foot - 0.01, length / 2), (-y - 0.04, y + 0.04), (0.0, 0.006), slot)]
    toe += [box_between((foot - 0.01, foot), (-y - 0.04, y + 0.04), (0.0, 0.14), slot)]
    wheels = [
        part.moved((axle, width / 2 - 0.036, radius))
        for part in wheel(radius, 0.07, rim_slot=VehicleMaterial.ACCENT, rim_share=0.55)
    ]
    bracket = flat_bar((foot - 0.03, y - 0.01, 0.3), (axle, y - 0.01, radius), 0.006, 0.05, slot)
    skid = flat_bar((foot - 0.02, y - 0.01, 0.08), (axle, y - 0.01, radius), 0.006, 0.04, slot)
    return [
        *toe,
        *with_mirror_image([*wheels, bracket, skid]),
        cylinder(0.01, width - 0.02, 8, VehicleMaterial.ZINC).moved((axle, 0, radius)),
        *_cross_bars(foot, y, lean, height, form, slot),
        *_uprights_and_grips(foot, y, lean, height, -length / 2, form, slot),
    ]


def _cross_bars(foot: float, y: float, lean: float, height: float, form: str, slot: int) -> list[Solid]:
    """Return cross bars between the uprights; on aluminum trolleys they are bent backwards to hold drums."""
    bow = 0.05 if form == "aluminum" else 0.0
    solids = []
    for z in np.linspace(0.3, height - 0.35, 4):
        x = foot - 0.014 - lean * z
        path = [(x, -y, z), (x - bow, -0.4 * y, z), (x - bow, 0.4 * y, z), (x, y, z)]
        solids.append(bent_tube(path, 0.011, 0.1, slot, 6) if bow else rod(path[0], path[-1], 0.012, slot))
    if form == "grips":
        x = foot - 0.014
        low, high = (x - lean * 0.2, 0, 0.14), (x - lean * (height - 0.35) + 0.001, 0, height - 0.35)
        solids.append(flat_bar(low, high, 0.03, 0.006, slot))
    return solids


def _uprights_and_grips(
    foot: float, y: float, lean: float, height: float, rear: float, form: str, slot: int
) -> list[Solid]:
    """Return the uprights with their handles: bent backwards as two grips, or joined at the top."""
    tube_radius = 0.015
    x = foot - tube_radius - lean * height
    if form == "hoop":
        path = [
            (foot - tube_radius, -y, 0.02),
            (x, -y, height - tube_radius),
            (x, y, height - tube_radius),
            (foot - tube_radius, y, 0.02),
        ]
        grip = cylinder(tube_radius + 0.004, 1.1 * y, 8, VehicleMaterial.DARK).moved(
            (x, 0, height - tube_radius - 0.004)
        )
        return [bent_tube(path, tube_radius, 0.1, slot), grip]
    end = max(x - 0.2, rear + 0.005)
    low = height - 0.09
    upright = bent_tube(
        [(foot - tube_radius, y, 0.02), (x, y, height - 0.04), (end + 0.06, y, low + 0.03)], tube_radius, 0.07, slot
    )
    if form == "grips":
        grip = rod((end + 0.13, y, low + 0.045), (end, y, low + 0.02), 0.019, VehicleMaterial.DARK, 8)
        return with_mirror_image([upright, grip])
    loop = [(x - 0.01, y, height - 0.1), (end + 0.01, y, low), (end + 0.01, y, low - 0.13), (x + 0.03, y, low - 0.25)]
    return with_mirror_image([upright, bent_tube(loop, 0.013, 0.03, VehicleMaterial.DARK)])


def build_platform_cart(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a platform cart from `PropParameters`: with a handle at +x, one at each end, or also with a shelf."""
    return build_vehicle_object("platform_cart", parameters, cache, lambda: platform_cart_solids(parameters))


def platform_cart_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], PLATFORM_CARTS)
    rng = np.random.default_rng(parameters["seed"])
    wheel_m = float(rng.uniform(0.0625, 0.1))
    deck = 2 * wheel_m + 0.055
    swivel = rng.uniform(-150, 150, 2)
    at_x, at_y = length / 2 - 1.6 * wheel_m - 0.02, width / 2 - 1.4 * wheel_m
    turns = [((at_x, at_y), swivel[0]), ((at_x, -at_y), swivel[1]), ((-at_x, at_y), 0.0), ((-at_x, -at_y), 0.0)]
    pale = VehicleMaterial.PALE_TIRE if rng.random() < 0.5 else VehicleMaterial.TIRE
    castors = [part.moved((*p, 0)) for p, turn in turns for part in castor(wheel_m, 0.04, deck, turn, pale)]
    handle = _push_handle(length, width, deck, height, form)
    ends = handle + ([part.turned("z", 180) for part in handle] if form != "one_handle" else [])
    shelf = _deck(length - 0.04, width - 0.06, 0.62 * height) if form == "shelf" else []
    goods = _cartons(rng, (length - 0.16, width - 0.1), deck + 0.03, 0.9 * height) if rng.random() < 0.3 else []
    return [*castors, *_deck(length, width, deck), *shelf, *ends, *(goods if form != "shelf" else [])]


def _deck(length: float, width: float, low: float) -> list[Solid]:
    """Return a board 20 mm thick in a frame of angle steel; its lower side is at `low`."""
    frame = [
        box_between(
            (-length / 2, length / 2), (width / 2 - 0.012, width / 2), (low - 0.01, low + 0.025), VehicleMaterial.PAINT
        )
    ]
    cross = box_between(
        (length / 2 - 0.012, length / 2), (-width / 2, width / 2), (low - 0.01, low + 0.025), VehicleMaterial.PAINT
    )
    edge = 0.011
    board = box_between(
        (edge - length / 2, length / 2 - edge),
        (edge - width / 2, width / 2 - edge),
        (low, low + 0.02),
        VehicleMaterial.ACCENT,
    )
    return [*with_mirror_image(frame), cross, cross.turned("z", 180), board]


def _push_handle(length: float, width: float, deck: float, height: float, form: str) -> list[Solid]:
    tube_radius = 0.0165
    x, y = length / 2 - tube_radius - 0.015, width / 2 - tube_radius - 0.015
    path = [(x, -y, deck), (x, -y, height - tube_radius), (x, y, height - tube_radius), (x, y, deck)]
    bars = [
        rod((x, -y, z), (x, y, z), 0.011, VehicleMaterial.PAINT)
        for z in ((0.45 * height, 0.62 * height)[: 1 + (form != "one_handle")])
    ]
    return [bent_tube(path, tube_radius, 0.12, VehicleMaterial.PAINT), *bars]


def build_roll_cage(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a roll cage from `PropParameters`, open at +x: with two sides, three sides, or three and loaded."""
    return build_vehicle_object("roll_cage", parameters, cache, lambda: roll_cage_solids(parameters))


def roll_cage_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], ROLL_CAGES)
    rng = np.random.default_rng(parameters["seed"])
    floor = 0.19
    turns = rng.uniform(-150, 150, 2)
    at = (length / 2 - 0.12, width / 2 - 0.12)
    places = [((at[0], at[1]), turns[0]), ((at[0], -at[1]), turns[1]), ((-at[0], at[1]), 0.0), ((-at[0], -at[1]), 0.0)]
    castors = [part.moved((*p, 0)) for p, turn in places for part in castor(0.0625, 0.036, floor, turn)]
    side = _mesh_wall(length, floor, height, int(rng.integers(5, 8)), int(rng.integers(4, 7)))
    sides = with_mirror_image([part.moved((0, width / 2 - 0.0125, 0)) for part in side])
    back = [
        part.turned("z", 90).moved((0.0125 - length / 2, 0, 0))
        for part in _mesh_wall(width - 0.05, floor, height, 6, 5)
    ]
    strap = box_between(
        (length / 2 - 0.02, length / 2 - 0.014),
        (0.02 - width / 2, width / 2 - 0.02),
        (0.6 * height, 0.6 * height + 0.045),
        VehicleMaterial.DARK,
    )
    goods = _cartons(rng, (length - 0.08, width - 0.08), floor + 0.02, rng.uniform(0.5, 0.95) * height)
    return [
        *castors,
        *_cage_floor(length, width, floor),
        *sides,
        *(back if form != "two_sides" else []),
        *(goods if form == "loaded" else []),
        *([strap] if rng.random() < 0.5 else []),
    ]


def _cage_floor(length: float, width: float, floor: float) -> list[Solid]:
    """Return a colored plastic tray."""
    tray = box_between(
        (-length / 2 + 0.02, length / 2 - 0.005),
        (0.03 - width / 2, width / 2 - 0.03),
        (floor - 0.03, floor + 0.02),
        VehicleMaterial.PAINT,
    )
    return [bevelled(tray, 0.012, 1)]


def _mesh_wall(length: float, low: float, high: float, upright: int, level: int) -> list[Solid]:
    """Return a wall of wire mesh along x at y = 0, in a hoop of zinc-plated tube."""
    tube_radius = 0.0125
    x, top = length / 2 - tube_radius, high - tube_radius
    hoop = bent_tube(
        [(-x, 0, low - 0.02), (-x, 0, top), (x, 0, top), (x, 0, low - 0.02)], tube_radius, 0.06, VehicleMaterial.ZINC
    )
    wire = 0.0035
    wires = [
        box((2 * wire, 2 * wire, top - low), (px, 0, (top + low) / 2), VehicleMaterial.ZINC)
        for px in np.linspace(-x, x, upright + 2)[1:-1]
    ]
    rails = np.linspace(low + 0.05, top, level + 2)[:-1]
    return [hoop, *wires, *(box((2 * x, 2 * wire, 2 * wire), (0, 0.003, z), VehicleMaterial.ZINC) for z in rails)]


def _cartons(rng: np.random.Generator, floor_m: tuple[float, float], low: float, high: float) -> list[Solid]:
    """Return cartons in layers of 2 x 1 or 2 x 2 between the heights; some of the top layer are missing."""
    nx, ny = 2, int(rng.integers(1, 3))
    cell = np.array([floor_m[0] / nx, floor_m[1] / ny])
    step = float(rng.uniform(0.2, 0.34))
    layers = max(1, int((high - low) / step))
    solids = []
    for layer in range(layers):
        for i, j in np.ndindex(nx, ny):
            if layer == layers - 1 and rng.random() < 0.4:
                continue
            size = (*(cell * rng.uniform(0.88, 0.97, 2)), step * rng.uniform(0.9, 0.98))
            middle = (np.array([i, j]) + 0.5) * cell - np.array(floor_m) / 2
            solids.append(box(size, (*middle, low + layer * step + size[2] / 2), VehicleMaterial.BOARD))
    return solids
