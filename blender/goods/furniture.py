# SPDX-License-Identifier: GPL-3.0-or-later
"""Furniture: ladders, packing tables, conveyors. `variant` picks a form of each kind."""

from itertools import pairwise

import bpy
import numpy as np

from blender.goods.goods_object import GoodsMaterial, build_goods_object
from blender.goods.goods_parts import wall_faces
from blender.materials.printed_labels import LabelSlots, shipping_label
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import lathe, rod
from blender.mesh.solids import Solid, box, flat_bar

LADDERS = ("step", "stairs")
TABLES = ("bare", "shelf")
CONVEYORS = ("rollers", "belt")
LABEL_SLOTS = LabelSlots(GoodsMaterial.PAPER, GoodsMaterial.BARCODE, GoodsMaterial.INK_2)


def build_ladder(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a stepladder, or stairs on castors with a platform and hand rails; both rise towards -x."""
    makers = {"step": _step_ladder, "stairs": _stairs}
    return build_goods_object("ladder", parameters, cache, makers[pick_form(parameters["variant"], LADDERS)])


def _step_ladder(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    top, half = 0.97 * height, length / 2 - 0.03
    solids = []
    for y in (-1, 1):
        foot, head = y * (width / 2 - 0.03), y * (width / 2 - 0.1)
        solids.append(flat_bar((half, foot, 0.03), (-0.05, head, top), 0.03, 0.06, GoodsMaterial.STEEL))
        solids.append(flat_bar((-half, foot, 0.03), (-0.12, head, top - 0.05), 0.025, 0.04, GoodsMaterial.STEEL))
        solids += [box((0.06, 0.06, 0.06), (x * half, foot, 0.03), GoodsMaterial.PLASTIC) for x in (-1, 1)]
    count = max(int(height / 0.27), 3)
    for share in (np.arange(count - 1) + 1) / count:
        across = width - 0.08 - 0.14 * share
        solids.append(
            box((0.09, across, 0.03), (half - share * (half + 0.05), 0, 0.03 + share * top), GoodsMaterial.STEEL)
        )
    for share in (0.25, 0.6):
        position = (-half + share * (half - 0.12), 0, share * top)
        solids.append(box((0.02, width - 0.08 - 0.14 * share, 0.03), position, GoodsMaterial.STEEL))
    platform = box((0.26, width - 0.12, 0.04), (-0.06, 0, height - 0.02), GoodsMaterial.PLASTIC)
    return [*solids, platform]


def _stairs(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return stairs up to a platform 1.05 m below the top of the hand rail, on four castors."""
    length, width, height = parameters["size_m"]
    floor = max(height - 1.05, 0.45 * height)
    half, side, back = length / 2, width / 2 - 0.03, 0.25 * length
    tube = 0.02
    solids = [box((back + 0.1, width - 0.08, 0.03), ((back + 0.1) / 2 - half, 0, floor - 0.015), GoodsMaterial.BLACK)]
    count = max(round(floor / 0.22), 2)
    front = back - half
    for share in np.arange(1, count) / count:
        x = half - 0.1 - share * (half - 0.1 - front)
        solids.append(box((0.2, width - 0.08, 0.03), (x, 0, share * floor), GoodsMaterial.BLACK))
    for y in (-side, side):
        solids.append(flat_bar((half - 0.06, y, 0.07), (front, y, floor - 0.05), 0.03, 0.1, GoodsMaterial.PAINT))
        rail = [(half - 0.2, 0.95), (front, height - tube), (tube - half, height - tube), (tube - half, 0.12)]
        points = [(x, y, min(z, height - tube)) for x, z in rail]
        points = [(half - 0.12, y, 0.12), *points]
        solids += [rod(a, b, tube * 0.9, GoodsMaterial.PAINT) for a, b in pairwise(points)]
        solids.append(rod((front, y, 0.1), (front, y, height - tube), tube * 0.9, GoodsMaterial.PAINT))
        solids.append(rod((tube - half, y, floor + 0.5), (front, y, floor + 0.5), tube * 0.9, GoodsMaterial.PAINT))
        solids.append(rod((tube - half, y, 0.14), (half - 0.12, y, 0.14), tube * 0.9, GoodsMaterial.PAINT))
        for x in (0.08 - half, half - 0.1):
            wheel = lathe([(0.05, -0.015), (0.05, 0.015)], GoodsMaterial.BLACK, 16).turned("x", 90)
            solids.append(wheel.moved((x, y, 0.05)))
    solids.append(
        rod((tube - half, -side, floor + 0.5), (tube - half, side, floor + 0.5), tube * 0.9, GoodsMaterial.PAINT)
    )
    solids.append(
        rod((tube - half, -side, height - tube), (tube - half, side, height - tube), tube * 0.9, GoodsMaterial.PAINT)
    )
    return solids


def build_packing_table(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a steel table along y, to be used from +x: bare, or with a shelf, a screen and a roll of paper."""
    return build_goods_object("packing_table", parameters, cache, _packing_table)


def _packing_table(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    depth, width, height = parameters["size_m"]
    shelved = pick_form(parameters["variant"], TABLES) == "shelf"
    top = min(0.9, 0.55 * height) if shelved else 0.8 * height
    solids = [box((depth, width, 0.035), (0, 0, top - 0.0175), GoodsMaterial.PLASTIC_2)]
    for x in (-1, 1):
        for y in (-1, 1):
            foot = (x * (depth / 2 - 0.05), y * (width / 2 - 0.06), (top - 0.035) / 2)
            solids.append(box((0.05, 0.05, top - 0.035), foot, GoodsMaterial.PAINT))
    solids += [box((depth - 0.1, 0.04, 0.04), (0, y * (width / 2 - 0.06), 0.2), GoodsMaterial.PAINT) for y in (-1, 1)]
    solids.append(box((0.5 * depth, width - 0.12, 0.025), (-0.2 * depth, 0, 0.25), GoodsMaterial.PAINT))
    solids.append(box((0.4, 0.45, 0.16), (depth / 2 - 0.24, 0.3 * width, top - 0.115), GoodsMaterial.PAINT))
    solids += _carton((0.32, 0.26, min(0.2 * height, 0.24)), (-0.1 * depth, -0.22 * width, top))
    solids += _carton((0.3, 0.4, 0.22), (-0.2 * depth, 0.2 * width, 0.2625))
    if shelved:
        solids += _table_shelf(depth, width, top, height, rng)
    else:
        room = height - top
        tape = lathe([(0.05, 0), (0.05, 0.05)], GoodsMaterial.BOARD, 14).moved((0.2 * depth, 0.05 * width, top))
        solids += [
            tape,
            box((0.2, 0.28, min(room, 0.08)), (0, 0.3 * width, top + min(room, 0.08) / 2), GoodsMaterial.PAPER),
        ]
    return solids


def _carton(size: tuple[float, float, float], position_m: tuple[float, float, float]) -> list[Solid]:
    face = wall_faces(size)[0]
    label = shipping_label(face, (0, 0), (0.4 * size[1], 0.5 * size[2]), LABEL_SLOTS, "A 12")
    tape = box((size[0], 0.05, 0.002), (0, 0, size[2]), GoodsMaterial.PAPER)
    return [part.moved(position_m) for part in (box(size, (0, 0, size[2] / 2), GoodsMaterial.BOARD), tape, *label)]


def _table_shelf(depth: float, width: float, top: float, height: float, rng: np.random.Generator) -> list[Solid]:
    """Return uprights at the back with a shelf of cartons, a screen and a roll of paper."""
    back = -depth / 2 + 0.04
    shelf = top + 0.62 * (height - top)
    solids = [
        box((0.04, 0.04, height - top), (back, y * (width / 2 - 0.04), (top + height) / 2), GoodsMaterial.PAINT)
        for y in (-1, 1)
    ]
    solids.append(box((0.32, width - 0.04, 0.025), (back + 0.13, 0, shelf), GoodsMaterial.PAINT))
    solids.append(box((0.04, width - 0.04, 0.05), (back, 0, height - 0.025), GoodsMaterial.PAINT))
    room = height - shelf - 0.02
    for y in np.arange(-width / 2 + 0.2, width / 2 - 0.15, 0.3):
        tall = min(room, rng.uniform(0.1, 0.3))
        material = (GoodsMaterial.BOARD, GoodsMaterial.PLASTIC, GoodsMaterial.PAPER)[rng.choice(3, p=(0.6, 0.3, 0.1))]
        solids.append(box((0.24, rng.uniform(0.15, 0.27), tall), (back + 0.13, y, shelf + 0.0125 + tall / 2), material))
    screen = top + 0.3
    if screen + 0.15 < shelf:
        solids.append(box((0.03, 0.46, 0.28), (back + 0.15, 0.2 * width, screen), GoodsMaterial.BLACK))
        solids.append(box((0.04, 0.05, 0.3), (back + 0.12, 0.2 * width, top + 0.15), GoodsMaterial.BLACK))
    radius = min(0.11, (shelf - top) / 2.2)
    roll = lathe([(radius, -0.2), (radius, 0.2)], GoodsMaterial.BOARD, 18).turned("x", 90)
    return [*solids, roll.moved((back + 0.15, -0.25 * width, top + radius + 0.02))]


def build_conveyor(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a conveyor along x on legs: rollers, or a belt. If it is high enough, cartons stand on it."""
    return build_goods_object("conveyor", parameters, cache, _conveyor)


def _conveyor(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    bed = height - 0.3 if height > 0.95 else height - 0.01
    rail = 0.04
    solids = [box((length, rail, 0.14), (0, y * (width - rail) / 2, bed - 0.06), GoodsMaterial.PAINT) for y in (-1, 1)]
    inside = width - 2 * rail
    if pick_form(parameters["variant"], CONVEYORS) == "rollers":
        for x in np.arange(-length / 2 + 0.06, length / 2 - 0.03, 0.11):
            roller = lathe([(0.028, -inside / 2), (0.028, inside / 2)], GoodsMaterial.STEEL, 10).turned("x", 90)
            solids.append(roller.moved((x, 0, bed - 0.03)))
    else:
        solids.append(box((length - 0.05, inside, 0.06), (0, 0, bed - 0.035), GoodsMaterial.BLACK))
        motor = (0.3, 0.5 * width, 0.2)
        solids.append(box(motor, (0, 0, bed - 0.25), GoodsMaterial.PLASTIC_2))
    for x in np.linspace(-length / 2 + 0.2, length / 2 - 0.2, max(round(length / 1.4), 2)):
        for y in (-1, 1):
            leg = (x, y * (width / 2 - 0.025), (bed - 0.1) / 2)
            solids.append(box((0.05, 0.05, bed - 0.1), leg, GoodsMaterial.PAINT_2))
            solids.append(box((0.12, 0.05, 0.015), (x, leg[1], 0.0075), GoodsMaterial.PAINT_2))
        solids.append(box((0.04, width - 0.08, 0.04), (x, 0, 0.3 * bed), GoodsMaterial.PAINT_2))
    if bed < height - 0.1:
        for x in np.arange(-length / 2 + 0.4, length / 2 - 0.3, 0.75):
            if rng.random() < 0.6:
                size = (rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.85) * inside, rng.uniform(0.12, 0.29))
                solids += _carton(size, (x, 0, bed))
    return solids
