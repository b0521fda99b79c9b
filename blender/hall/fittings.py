# SPDX-License-Identifier: GPL-3.0-or-later
"""Fittings of ceiling and walls: beams, trusses, purlins, sprinklers, doors, gates, cabinets, boards, signs, pipes."""

from collections.abc import Sequence
from itertools import pairwise

import bpy
import numpy as np

from blender.materials.common_materials import plain_material
from blender.materials.markings import BRANDS, FacePlane
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, box, cylinder, flat_bar

# Colors of the fittings, the openings and the litter. The order gives the material slots.
FITTING_COLORS = {
    "white": (0.6, 0.6, 0.58),
    "cardboard": (0.34, 0.23, 0.13),
    "grey": (0.3, 0.31, 0.32),
    "dark": (0.04, 0.042, 0.045),
    "steel": (0.2, 0.21, 0.22),
    "blue": (0.03, 0.08, 0.25),
    "red": (0.4, 0.02, 0.015),
    "yellow": (0.7, 0.42, 0.02),
    "green": (0.02, 0.2, 0.07),
    "concrete": (0.27, 0.265, 0.25),
    "film": (0.42, 0.44, 0.46),
    "wood": (0.36, 0.26, 0.14),
}
MATERIAL_SLOTS = {name: slot for slot, name in enumerate(FITTING_COLORS)}


def fitting_materials(cache: AssetCache) -> list[bpy.types.Material]:
    """Return plain materials in the order of `MATERIAL_SLOTS`."""
    return [
        cache.material(("fitting", name), lambda name=name, color=color: plain_material(f"fitting {name}", color, 0.5))
        for name, color in FITTING_COLORS.items()
    ]


def roof_beams(size: tuple[float, float, float], kind: str, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return the height of the ceiling and the beams below it, whose lower edges lie at the clear height `size[2]`.

    Concrete ceilings have concrete beams. Other ceilings have steel girders or trusses, with purlins across.
    """
    depth = rng.uniform(0.35, 0.8)
    hall_width, hall_length = min(size[:2]), max(size[:2])
    count = max(2, round(hall_length / rng.uniform(4, 6)))
    positions = (np.arange(count) + 0.5) * hall_length / count - hall_length / 2
    slot = (
        MATERIAL_SLOTS["concrete"]
        if kind == "concrete"
        else MATERIAL_SLOTS[str(rng.choice(["steel", "grey", "white", "blue"]))]
    )
    make_beam = _concrete_beam if kind == "concrete" else (_girder, _truss)[rng.integers(2)]
    solids = [part.moved((x, 0, size[2])) for x in positions for part in make_beam(hall_width, depth, slot)]
    if kind != "concrete":
        purlins = np.arange(-hall_width / 2 + 0.75, hall_width / 2, 1.5)
        solids += [box((hall_length, 0.07, 0.14), (0, y, size[2] + depth + 0.07), slot) for y in purlins]
        solids += _services(hall_length, hall_width, size[2], depth, rng)
    if size[1] > size[0]:
        solids = [solid.turned("z", 90) for solid in solids]
    return size[2] + depth + (0 if kind == "concrete" else 0.14), solids


def _concrete_beam(span: float, depth: float, slot: int) -> list[Solid]:
    return [box((0.35, span, depth), (0, 0, depth / 2), slot)]


def _girder(span: float, depth: float, slot: int) -> list[Solid]:
    """Return an I-beam along y: two flanges and a web."""
    flanges = [box((0.22, span, 0.025), (0, 0, z), slot) for z in (0.0125, depth - 0.0125)]
    return [*flanges, box((0.02, span, depth), (0, 0, depth / 2), slot)]


def _truss(span: float, depth: float, slot: int) -> list[Solid]:
    """Return a truss along y: two chords and a zigzag of diagonals."""
    chords = [box((0.12, span, 0.08), (0, 0, z), slot) for z in (0.04, depth - 0.04)]
    count = 2 * round(span / depth / 2.4)
    pitch = span / count
    knots = [(0.0, i * pitch - span / 2, depth - 0.04 if i % 2 else 0.04) for i in range(count + 1)]
    return [*chords, *(flat_bar(*ends, 0.05, 0.05, slot) for ends in pairwise(knots))]


def _services(
    hall_length: float, hall_width: float, clear: float, depth: float, rng: np.random.Generator
) -> list[Solid]:
    """Return what hangs between the beams, not below them: sprinkler pipes, a cable tray, a round duct."""
    solids, top = [], clear + depth
    if rng.random() < 0.6:
        pitch = rng.uniform(3, 4.5)
        for y in np.arange(-hall_width / 2 + pitch / 2, hall_width / 2, pitch):
            solids.append(
                cylinder(0.03, hall_length, 8, MATERIAL_SLOTS["red"]).turned("z", 90).moved((0, y, top - 0.12))
            )
    if rng.random() < 0.5:
        solids.append(
            box((hall_length, 0.3, 0.06), (0, rng.uniform(-0.3, 0.3) * hall_width, top - 0.25), MATERIAL_SLOTS["steel"])
        )
    if rng.random() < 0.3:
        radius = min(0.25, depth / 2 - 0.04)
        duct = cylinder(radius, hall_length, 14, MATERIAL_SLOTS["grey"]).turned("z", 90)
        solids.append(duct.moved((0, rng.uniform(-0.4, 0.4) * hall_width, top - radius - 0.04)))
    return solids


def wall_fittings(size: tuple[float, float, float], seed: int, openings: Sequence[dict] = ()) -> list[Solid]:
    """Return the fittings of all four walls, drawn from a seed; none where dock doors are."""
    rng = np.random.default_rng([seed, 1])
    solids = []
    for angle, length, distance in (
        (0, size[0], size[1]),
        (90, size[1], size[0]),
        (180, size[0], size[1]),
        (270, size[1], size[0]),
    ):
        for part in _wall_parts(length, size[2], rng):
            solids.append(part.moved((0, -distance / 2, 0)).turned("z", angle))
    doors = [opening for opening in openings if opening["kind"] == "dock_door"]
    return [solid for solid in solids if not any(_blocks_door(solid, door) for door in doors)]


def _blocks_door(solid: Solid, door: dict) -> bool:
    """Return whether a fitting overlaps a dock door or its seals; pipes above the door do not."""
    center, (width, height) = np.array(door["center_m"]), door["size_m"]
    across = np.array([0.7, 0.7]) + np.abs(np.sin(np.radians(door["yaw_deg"] + np.array([0, 90])))) * (width / 2 - 0.2)
    low, high = solid.vertices.min(axis=0), solid.vertices.max(axis=0)
    beside = (low[:2] > center[:2] + across).any() or (high[:2] < center[:2] - across).any()
    return not beside and low[2] < center[2] + height / 2 + 0.4


def _wall_parts(length: float, height: float, rng: np.random.Generator) -> list[Solid]:
    """Return the fittings of one wall: x along the wall from its middle, y into the hall, z up."""
    makers = (_door, _gate, _cabinet, _board, _extinguisher, _sign, _downpipe)
    solids = _pipes(length, height, rng)
    edge = -length / 2 + rng.uniform(0.5, 2.5)
    while edge < length / 2 - 5:
        make_fitting = makers[rng.choice(len(makers), p=[0.16, 0.14, 0.14, 0.14, 0.14, 0.14, 0.14])]
        width, parts = make_fitting(height, rng)
        solids += [part.moved((edge + width / 2, 0, 0)) for part in parts]
        edge += width + rng.uniform(0.4, 3.5)
    return solids


def _random_slot(rng: np.random.Generator, *names: str) -> int:
    return MATERIAL_SLOTS[names[rng.integers(len(names))]]


def _front_face(width: float, height: float, y: float, z: float) -> FacePlane:
    """Return the front face, at a distance `y` from the wall, of a fitting with its center at the height `z`."""
    return FacePlane(np.array([0, y, z]), np.array([-1.0, 0, 0]), np.array([0, 0, 1.0]), (width, height))


def _door(_: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a steel door with a frame, a handle and often an exit sign above it, and its width."""
    frame, leaf = (
        _random_slot(rng, "grey", "dark", "white"),
        _random_slot(rng, "grey", "blue", "white", "steel", "green", "red"),
    )
    parts = [box((1.12, 0.06, 2.15), (0, 0.03, 1.075), frame), box((0.98, 0.03, 2.06), (0, 0.06, 1.03), leaf)]
    parts.append(box((0.14, 0.05, 0.025), (0.38, 0.1, 1.05), MATERIAL_SLOTS["dark"]))
    if rng.random() < 0.5:
        parts.append(box((0.4, 0.04, 0.2), (0, 0.04, 2.4), MATERIAL_SLOTS["green"]))
        parts.append(_front_face(0.4, 0.2, 0.062, 2.4).arrow_up((0, 0), 0.15, MATERIAL_SLOTS["white"]))
    return 1.12, parts


def _gate(height: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a sectional gate of wide slats between yellow posts, and its width."""
    width, top = rng.uniform(2.8, 3.8), min(height - 0.4, rng.uniform(2.8, 4.2))
    slot = _random_slot(rng, "white", "grey", "steel", "blue")
    count = int(top / 0.5)
    slats = [box((width, 0.04, top / count - 0.015), (0, 0.03, (i + 0.5) * top / count), slot) for i in range(count)]
    hole = box((width, 0.01, top), (0, 0.005, top / 2), MATERIAL_SLOTS["dark"])
    posts = [box((0.14, 0.14, 1.0), (x * (width / 2 + 0.15), 0.12, 0.5), MATERIAL_SLOTS["yellow"]) for x in (-1, 1)]
    name = _front_face(width, top, 0.05, top - 0.75).text(
        str(rng.integers(1, 30)), (0, 0), 0.35, MATERIAL_SLOTS["dark"]
    )
    return width + 0.6, [hole, *slats, *posts, *name]


def _cabinet(_: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return lockers or a switch cabinet, and their width."""
    width, height, depth = rng.uniform(0.6, 1.6), rng.uniform(1.2, 2.0), rng.uniform(0.3, 0.5)
    body = box(
        (width, depth, height), (0, depth / 2, height / 2), _random_slot(rng, "grey", "blue", "white", "green", "red")
    )
    seams = [
        box((0.008, 0.004, height * 0.94), (x, depth, height / 2), MATERIAL_SLOTS["dark"])
        for x in np.arange(-width / 2 + 0.4, width / 2, 0.4)
    ]
    return width, [body, *seams]


def _board(_: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a notice board with sheets of paper, and its width."""
    width, height = rng.uniform(1.0, 2.2), rng.uniform(0.8, 1.2)
    board = box((width, 0.04, height), (0, 0.02, 1.6), _random_slot(rng, "green", "grey", "cardboard", "blue"))
    face = _front_face(width, height, 0.041, 1.6)
    reach = np.array((width / 2 - 0.2, height / 2 - 0.22))
    sheets = [
        face.rectangle(
            rng.uniform(-reach, reach), (0.21, 0.3), _random_slot(rng, "white", "white", "yellow"), rng.normal(0, 0.05)
        )
        for _ in range(rng.integers(3, 10))
    ]
    return width, [board, *sheets]


def _extinguisher(_: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a fire extinguisher with its sign, and their width."""
    bottle = cylinder(0.08, 0.5, 12, MATERIAL_SLOTS["red"]).turned("x", 90).moved((0, 0.1, 0.9))
    sign_z = rng.uniform(1.6, 2.2)
    sign = box((0.25, 0.01, 0.25), (0, 0.005, sign_z), MATERIAL_SLOTS["red"])
    return 0.3, [bottle, box((0.06, 0.08, 0.1), (0, 0.1, 1.2), MATERIAL_SLOTS["dark"]), sign]


def _sign(height: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a plate with a word, at eye level or higher, and its width."""
    brand = BRANDS[rng.integers(len(BRANDS))]
    letter = rng.uniform(0.12, 0.4)
    width, z = 0.8 * letter * len(brand) + letter, rng.uniform(1.8, min(4.0, height - 0.5))
    ground, ink = (("yellow", "dark"), ("blue", "white"), ("white", "blue"), ("red", "white"))[rng.integers(4)]
    plate = box((width, 0.02, 1.8 * letter), (0, 0.01, z), MATERIAL_SLOTS[ground])
    return width, [plate, *_front_face(width, 1.8 * letter, 0.021, z).text(brand, (0, 0), letter, MATERIAL_SLOTS[ink])]


def _downpipe(height: float, rng: np.random.Generator) -> tuple[float, list[Solid]]:
    """Return a pipe or cable duct from floor to ceiling, and its width."""
    pipe = cylinder(rng.uniform(0.03, 0.09), height, 10, _random_slot(rng, "white", "grey", "steel"))
    return 0.2, [pipe.turned("x", 90).moved((0, 0.12, height / 2))]


def _pipes(length: float, height: float, rng: np.random.Generator) -> list[Solid]:
    """Return up to three pipes along the wall, below the ceiling."""
    solids = []
    for pipe_number in range(rng.integers(0, 4)):
        z = height - 0.5 - 0.3 * pipe_number
        pipe = cylinder(rng.uniform(0.02, 0.08), length, 10, _random_slot(rng, "grey", "steel", "white", "red"))
        solids.append(pipe.turned("z", 90).moved((0, 0.15, z)))
    return solids
