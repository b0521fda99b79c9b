# SPDX-License-Identifier: GPL-3.0-or-later
"""Safety markers: bollards, cones, hanging signs. `variant` picks a form of each kind.

The sizes, with their sources, come from pipeline/scenes/assets/prop_shapes.py.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import bpy
import numpy as np

from blender.goods.goods_object import GoodsMaterial, build_goods_object
from blender.materials.markings import ARROW, FacePlane
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import lathe, rod, rounded_rectangle, scaled_loft
from blender.mesh.solids import Solid, box, plate, round_corners, tube

BOLLARDS = ("post", "hoop", "flexible")
CONES = ("cone", "wet_floor")
SIGNS = ("aisle", "dock", "exit", "warning")
DOCK_WORDS = ("DOCK 1", "DOCK 2", "GATE 4", "GOODS IN", "GOODS OUT", "PACKING", "RETURNS", "QUALITY")
WIRE_LENGTH_M = 1.0


def build_bollard(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a striped post on a plate, a guard hoop along y, or a flexible post on a rubber foot."""
    makers = {"post": _post, "hoop": _hoop, "flexible": _flexible_post}
    return build_goods_object("bollard", parameters, cache, makers[pick_form(parameters["variant"], BOLLARDS)])


def _post(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    radius, count = 0.38 * min(length, width), 7
    edges = np.linspace(0.012, 0.97 * height, count + 1)
    solids = [box((length, width, 0.012), (0, 0, 0.006), GoodsMaterial.PAINT)]
    for number, (low, high) in enumerate(pairwise(edges)):
        slot = GoodsMaterial.PAINT_2 if number % 2 else GoodsMaterial.PAINT
        solids.append(lathe([(radius, low), (radius, high)], slot, 18))
    cap = [(radius, 0.97 * height), (0.8 * radius, 0.99 * height), (0.3 * radius, height)]
    bolts = [
        box((0.02, 0.02, 0.012), (x * (length / 2 - 0.018), y * (width / 2 - 0.018), 0.016), GoodsMaterial.STEEL)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return [*solids, lathe(cap, GoodsMaterial.PAINT, 18), *bolts]


def _hoop(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    radius = 0.3 * length
    reach = width / 2 - length / 2
    ends = [(-reach, 0.0), (-reach, height - radius), (reach, height - radius), (reach, 0.0)]
    path = round_corners(np.array(ends), 0.15, 5)
    hoop = tube(np.c_[np.zeros(len(path)), path], radius, 14, GoodsMaterial.STRIPES)
    feet = [box((length, length, 0.012), (0, y * reach, 0.006), GoodsMaterial.PAINT) for y in (-1, 1)]
    middle = rod((0, -reach, 0.5 * height), (0, reach, 0.5 * height), 0.8 * radius, GoodsMaterial.STRIPES, 12)
    return [hoop, *feet, middle]


def _flexible_post(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    radius = min(length, width) / 2
    foot = lathe([(radius, 0), (radius, 0.02), (0.5 * radius, 0.06)], GoodsMaterial.BLACK, 18)
    thin = 0.4 * radius
    bands = [
        lathe([(1.03 * thin, z * height), (1.03 * thin, (z + 0.1) * height)], GoodsMaterial.PLASTIC_2, 14)
        for z in (0.55, 0.75)
    ]
    return [foot, lathe([(thin, 0.05), (thin, 0.98 * height), (0.6 * thin, height)], GoodsMaterial.PLASTIC, 14), *bands]


def build_cone(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a traffic cone with bands in the accent color, or a wet-floor board that faces +x and -x."""
    makers = {"cone": _cone, "wet_floor": _wet_floor}
    return build_goods_object("cone", parameters, cache, makers[pick_form(parameters["variant"], CONES)])


def _cone(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    base = scaled_loft(rounded_rectangle(length, width, 0.04), [(1, 0), (1, 0.02), (0.93, 0.035)], GoodsMaterial.BLACK)
    wide, narrow = 0.38 * min(length, width), 0.022
    edges = (0.03, 0.36, 0.56, 0.7, 0.84, 1.0)
    solids = [base]
    for number, (low, high) in enumerate(pairwise(edges)):
        rings = [(wide + (narrow - wide) * share, share * height) for share in (low, high)]
        solids.append(lathe(rings, GoodsMaterial.PLASTIC_2 if number % 2 else GoodsMaterial.PLASTIC, 20))
    return solids


def _wet_floor(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return two boards that lean on each other, each with a triangle and a text."""
    length, width, height = parameters["size_m"]
    solids = []
    half, thick = length / 2, 0.012
    for side in (-1, 1):
        foot, head = np.array([side * (half - thick), 0.0]), np.array([side * 0.02, height - 0.01])
        up = (head - foot) / np.linalg.norm(head - foot)
        right, upward = np.array([0.0, side, 0.0]), np.array([up[0], 0.0, up[1]])
        long = np.linalg.norm(head - foot)
        middle = (foot + head) / 2
        face = FacePlane(np.array([middle[0], 0.0, middle[1]]), right, upward, (width, long))
        outline = np.array([(-0.5, -0.5), (0.5, -0.5), (0.32, 0.5), (-0.32, 0.5)]) * (width, long)
        leaf = face.polygon(outline, GoodsMaterial.PLASTIC, 0.0).vertices
        solids.append(plate(leaf, 0.008, GoodsMaterial.PLASTIC))
        triangle = np.array([(-0.5, -0.4), (0.5, -0.4), (0, 0.46)]) * 0.5 * width
        solids.append(face.polygon(triangle + np.array([0, 0.16 * long]), GoodsMaterial.INK_2, 0.0085))
        solids.append(face.polygon(0.72 * triangle + np.array([0, 0.158 * long]), GoodsMaterial.PLASTIC, 0.009))
        solids += face.text("!", (0, 0.15 * long), 0.2 * width, GoodsMaterial.INK_2, 0.0095)
        solids += face.text("WET FLOOR", (0, -0.16 * long), 0.1 * width, GoodsMaterial.INK_2, 0.0085)
    return solids


def build_hanging_sign(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a board that faces +x and -x, with a text or a pictogram in the accent color; its lower edge is at z = 0.

    Two wires hang it from the ceiling; they extend 1 m above its size.
    """
    makers = {
        "aisle": _draw_aisle_sign,
        "dock": _draw_dock_sign,
        "exit": _draw_exit_sign,
        "warning": _draw_warning_sign,
    }
    draw_side = makers[pick_form(parameters["variant"], SIGNS)]
    return build_goods_object("hanging_sign", parameters, cache, partial(_hanging_sign, draw_side))


def _hanging_sign(draw_side: Callable, parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return a sign whose sides `draw_side(face, rng)` draws, both from the same seed."""
    depth, width, height = parameters["size_m"]
    thick = max(depth - 0.004, 0.003)
    up = np.array([0.0, 0.0, 1.0])
    solids = [box((thick, width, height), (0, 0, height / 2), GoodsMaterial.PAINT)]
    side_seed = int(rng.integers(2**31))
    for side in (-1, 1):
        center = np.array([side * thick / 2, 0.0, height / 2])
        face = FacePlane(center, np.array([0.0, side, 0.0]), up, (width, height))
        solids += draw_side(face, np.random.default_rng(side_seed))
    wires = [
        rod((0, y * 0.4 * width, height), (0, y * 0.4 * width, height + WIRE_LENGTH_M), 0.002, GoodsMaterial.STEEL, 4)
        for y in (-1, 1)
    ]
    return solids + wires


def _fitted_text(face: FacePlane, text: str, room: tuple[float, float], height: float, slot: int) -> list[Solid]:
    """Return a text as large as fits between two shares of the width, measured from the center."""
    width = face.size_m[0]
    letter = min(height, (room[1] - room[0]) * width / (0.8 * len(text)))
    return face.text(text, (sum(room) / 2 * width, 0), letter, slot)


def _draw_aisle_sign(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    text = f"{'ABCDEFGHKL'[rng.integers(10)]}{rng.integers(1, 40):02d}"
    return _fitted_text(face, text, (-0.44, 0.44), 0.75 * face.size_m[1], GoodsMaterial.PAINT_2)


def _draw_dock_sign(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    height = face.size_m[1]
    arrow = (ARROW - (0, 0.5)) @ np.array([(0, -1), (1, 0)]) * (1 if rng.random() < 0.5 else -1)
    text = DOCK_WORDS[rng.integers(len(DOCK_WORDS))]
    size = min(0.6 * height, 0.18 * face.size_m[0])
    arrows = [face.polygon(arrow * size + (-0.37 * face.size_m[0], 0), GoodsMaterial.PAINT_2)]
    return [*arrows, *_fitted_text(face, text, (-0.25, 0.46), 0.55 * height, GoodsMaterial.PAINT_2)]


def _draw_exit_sign(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    """Return a door and an arrow, as on the escape signs of ISO 7010."""
    width, height = face.size_m
    door = face.rectangle((0.28 * width, 0), (0.2 * width, 0.72 * height), GoodsMaterial.PAINT_2)
    inner = face.rectangle((0.28 * width, -0.03 * height), (0.13 * width, 0.6 * height), GoodsMaterial.PAINT, 0, 0.0018)
    arrow = face.polygon((ARROW - (0, 0.5)) * (1, -1) * 0.6 * height, GoodsMaterial.PAINT_2)
    arrow = Solid(arrow.vertices, [face[::-1] for face in arrow.faces], arrow.slot)
    return [door, inner, arrow, *_fitted_text(face, "EXIT", (-0.46, -0.14), 0.45 * height, GoodsMaterial.PAINT_2)]


def _draw_warning_sign(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    """Return the warning triangle of ISO 7010 with an exclamation mark, and a word below."""
    width, height = face.size_m
    side = min(0.62 * height, 0.8 * width)
    triangle = np.array([(-0.55, -0.4), (0.55, -0.4), (0, 0.55)]) * side
    lift = 0.12 * height
    mark = face.text("!", (0, lift - 0.06 * side), 0.45 * side, GoodsMaterial.INK_2, 0.0019)
    text = ("FORKLIFTS", "SLOW", "STOP", "CAUTION")[rng.integers(4)]
    letter = min(0.16 * height, 0.85 * width / (0.8 * len(text)))
    return [
        face.polygon(triangle + np.array([0, lift]), GoodsMaterial.INK_2, 0.0012),
        face.polygon(0.8 * triangle + np.array([0, lift]), GoodsMaterial.PAINT_2, 0.0016),
        *mark,
        *face.text(text, (0, -0.36 * height), letter, GoodsMaterial.INK_2),
    ]
