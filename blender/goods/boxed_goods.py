# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxed goods: wooden crates, pallets with collars, steel stillages, plastic bins.

The sizes, with their sources, come from pipeline/scenes/assets/prop_shapes.py. `variant` picks a form of each kind.
"""

import bpy
import numpy as np

from blender.goods.goods_object import GoodsMaterial, build_goods_object
from blender.goods.goods_parts import wall_faces, wire_grid
from blender.goods.pallets_and_cartons import BOARD_THICKNESS_M, scaled_pallet_solids
from blender.materials.markings import BRANDS, FacePlane
from blender.materials.printed_labels import LOCATION_CODES, WARNINGS, LabelSlots, handling_marks, shipping_label
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import lathe, rounded_rectangle, scaled_loft
from blender.mesh.solids import Solid, box, prism

CRATES = ("closed", "collars", "slatted")
STILLAGES = ("mesh", "sheet")
BINS = ("klt", "open_front", "pallet_box", "wheelie")
LABEL_SLOTS = LabelSlots(GoodsMaterial.PAPER, GoodsMaterial.BARCODE, GoodsMaterial.INK_2)
SKID_HEIGHT_M = 0.09
PALLET_HEIGHT_M = 0.144
COLLAR_HEIGHT_M = 0.195


def build_crate(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a closed crate with print in the accent color, a pallet with collars, or a slatted crate."""
    makers = {"closed": _closed_crate, "collars": _collars, "slatted": _slatted_crate}
    return build_goods_object("crate", parameters, cache, makers[pick_form(parameters["variant"], CRATES)])


def _skids(length: float, width: float) -> list[Solid]:
    """Return three bearers along x, with room for forks between them."""
    return [
        box((length, 0.1, SKID_HEIGHT_M), (0, y, SKID_HEIGHT_M / 2), GoodsMaterial.WOOD_X)
        for y in (0.05 - width / 2, 0, width / 2 - 0.05)
    ]


def _boards(face: FacePlane, pitch_m: float, gap_m: float, thick_m: float, slot: int) -> list[Solid]:
    """Return horizontal boards on a side, one above the other, from the face `thick_m` inwards."""
    width, height = face.size_m
    count = max(int(height / pitch_m), 1)
    size = np.abs(face.right) * width + np.abs(face.normal) * thick_m + np.array([0, 0, height / count - gap_m])
    levels = (np.arange(count) + 0.5) * height / count - height / 2
    return [box(size, face.center + np.array([0, 0, level]) - thick_m / 2 * face.normal, slot) for level in levels]


def _battens(face: FacePlane, places: tuple[float, ...], wide_m: float, thick_m: float) -> list[Solid]:
    """Return upright boards on a side, from the face `thick_m` outwards; -1 and 1 of `places` are its ends."""
    width, height = face.size_m
    size = np.abs(face.right) * wide_m + np.abs(face.normal) * thick_m + np.array([0, 0, height])
    middles = [face.center + place * (width - wide_m) / 2 * face.right for place in places]
    return [box(size, middle + thick_m / 2 * face.normal, GoodsMaterial.WOOD_Z) for middle in middles]


def _grain_slot(face: FacePlane) -> GoodsMaterial:
    """Return the slot of wood with the grain along a side."""
    return GoodsMaterial.WOOD_X if abs(face.right[0]) > 0.5 else GoodsMaterial.WOOD_Y


def _lid(length: float, width: float, top: float) -> list[Solid]:
    count = max(int(length / 0.14), 1)
    size = (length / count - 0.004, width, BOARD_THICKNESS_M)
    middles = (np.arange(count) + 0.5) * length / count - length / 2
    return [box(size, (x, 0, top - BOARD_THICKNESS_M / 2), GoodsMaterial.WOOD_Y) for x in middles]


def _closed_crate(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    inner = (length - 2 * BOARD_THICKNESS_M, width - 2 * BOARD_THICKNESS_M, height - SKID_HEIGHT_M - BOARD_THICKNESS_M)
    solids = [*_skids(length, width), *_lid(length, width, height)]
    brand, warning = BRANDS[rng.integers(len(BRANDS))], WARNINGS[rng.integers(len(WARNINGS))]
    for face in wall_faces(inner, SKID_HEIGHT_M):
        solids += _boards(face, 0.15, 0.004, BOARD_THICKNESS_M, _grain_slot(face))
        solids += _battens(face, (-1, 0, 1) if face.size_m[0] > 1.1 else (-1, 1), 0.09, 0.95 * BOARD_THICKNESS_M)
        solids += _crate_print(face, brand, warning)
    if rng.random() < 0.7:
        face = wall_faces(inner, SKID_HEIGHT_M)[0]
        solids += shipping_label(
            face, (-0.2 * width, -0.2 * inner[2]), (0.2, 0.14), LABEL_SLOTS, LOCATION_CODES[rng.integers(6)]
        )
    return solids


def _crate_print(face: FacePlane, brand: str, warning: str) -> list[Solid]:
    """Return a brand, a warning and handling marks, in the fields between the battens."""
    width, height = face.size_m
    fields = (-0.25, 0.25) if width > 1.1 else (0.0,)
    room = width / len(fields) - 0.2
    letter = min(0.22 * height, room / (0.8 * len(brand)))
    small = min(0.09 * height, room / (0.8 * len(warning)))
    first, last = fields[0] * width, fields[-1] * width
    mark = min(0.2 * height, room / 1.7)
    return [
        *face.text(brand, (first, 0.25 * height), letter, GoodsMaterial.INK),
        *face.text(warning, (first, 0.02 * height), small, GoodsMaterial.INK),
        *handling_marks(face, (last, -0.25 * height if first == last else 0.2 * height), mark, GoodsMaterial.INK),
    ]


def _collars(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return a pallet with collars of 195 mm and zinc hinges at the corners, with a lid or filled with cartons."""
    length, width, height = parameters["size_m"]
    solids = scaled_pallet_solids(length, width, parameters["wear"], int(rng.integers(8)))
    covered = rng.random() < 0.5
    top = height - (0.012 if covered else 0)
    count = max(round((top - PALLET_HEIGHT_M) / COLLAR_HEIGHT_M), 1)
    level = (top - PALLET_HEIGHT_M) / count
    for number in range(count):
        for face in wall_faces((length - 0.006, width - 0.006, level - 0.003), PALLET_HEIGHT_M + number * level):
            solids += _boards(face, 1.0, 0.0, 0.02, _grain_slot(face))
            wide = (0.11, 0.55 * level)
            middles = [(side * (face.size_m[0] - wide[0]) / 2, 0) for side in (-1, 1)]
            solids += [face.rectangle(middle, wide, GoodsMaterial.STEEL, 0, 0.0025) for middle in middles]
    if covered:
        solids.append(box((length, width, 0.012), (0, 0, height - 0.006), GoodsMaterial.BOARD))
    else:
        filled = rng.uniform(0.3, 0.9) * (height - PALLET_HEIGHT_M)
        solids.append(
            box((length - 0.06, width - 0.06, filled), (0, 0, PALLET_HEIGHT_M + filled / 2), GoodsMaterial.BOARD)
        )
    return solids + _delivery_notes(
        wall_faces((length - 0.006, width - 0.006, height - PALLET_HEIGHT_M), PALLET_HEIGHT_M), rng
    )


def _delivery_notes(faces: list[FacePlane], rng: np.random.Generator) -> list[Solid]:
    """Return delivery notes on one to four sides."""
    solids = []
    for face in (faces[i] for i in rng.permutation(4)[: rng.integers(1, 5)]):
        size = (0.21, min(0.28, 0.6 * face.size_m[1]))
        position = (rng.uniform(-0.25, 0.25) * face.size_m[0], 0)
        solids += shipping_label(face, position, size, LABEL_SLOTS, LOCATION_CODES[rng.integers(len(LOCATION_CODES))])
    return solids


def _slatted_crate(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    inner = (length - 2 * BOARD_THICKNESS_M, width - 2 * BOARD_THICKNESS_M, height - SKID_HEIGHT_M - BOARD_THICKNESS_M)
    goods = (0.8 * inner[0], 0.8 * inner[1], rng.uniform(0.5, 0.85) * inner[2])
    solids = [
        *_skids(length, width),
        *_lid(length, width, height),
        *_lid(length, width, SKID_HEIGHT_M + BOARD_THICKNESS_M),
    ]
    solids.append(box(goods, (0, 0, SKID_HEIGHT_M + BOARD_THICKNESS_M + goods[2] / 2), GoodsMaterial.PAINT))
    for face in wall_faces(inner, SKID_HEIGHT_M):
        solids += _boards(face, 0.2, 0.1, BOARD_THICKNESS_M, _grain_slot(face))
        solids += _battens(face, (-1, 0, 1) if face.size_m[0] > 1.1 else (-1, 1), 0.09, 0.95 * BOARD_THICKNESS_M)
    return solids + _delivery_notes(wall_faces((length - 0.006, width - 0.006, inner[2]), SKID_HEIGHT_M), rng)[:4]


def build_stillage(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a steel box on feet: of wire mesh with a plate in the accent color, or of ribbed sheet."""
    makers = {"mesh": _mesh_stillage, "sheet": _sheet_stillage}
    return build_goods_object("stillage", parameters, cache, makers[pick_form(parameters["variant"], STILLAGES)])


def _stillage_frame(size: list[float], floor_m: float) -> list[Solid]:
    """Return corner posts with feet, rails around floor and top, and a wooden floor."""
    length, width, height = size
    post = 0.05
    solids = []
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (x * (length - post) / 2, y * (width - post) / 2)
            solids.append(box((post, post, height), (*corner, height / 2), GoodsMaterial.PAINT))
            foot = (x * (length - 0.12) / 2, y * (width - 0.12) / 2, 0.01)
            solids.append(box((0.12, 0.12, 0.02), foot, GoodsMaterial.PAINT))
    for z in (floor_m - 0.03, height - 0.06):
        solids += [box((length, 0.035, 0.05), (0, y * (width - 0.035) / 2, z), GoodsMaterial.PAINT) for y in (-1, 1)]
        solids += [box((0.035, width, 0.05), (x * (length - 0.035) / 2, 0, z), GoodsMaterial.PAINT) for x in (-1, 1)]
    floor = box((length - 0.07, width - 0.07, 0.03), (0, 0, floor_m - 0.015), GoodsMaterial.WOOD_X)
    return [*solids, floor]


def _mesh_stillage(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    size, floor = parameters["size_m"], 0.15
    length, width, height = size
    solids = _stillage_frame(size, floor)
    for face in wall_faces((length - 0.03, width - 0.03, height - floor - 0.06), floor):
        solids += wire_grid(face, 0.06, 0.006, GoodsMaterial.PAINT)
    # The upper half of one long side folds down: it has an additional bar.
    front = wall_faces((length - 0.01, width - 0.01, height), 0)[2]
    solids += [box((length, 0.03, 0.04), front.center - (0, 0.01, 0.0), GoodsMaterial.PAINT)]
    plates = [face.rectangle((0.2 * face.size_m[0], 0.0), (0.3, 0.2), GoodsMaterial.PLASTIC_2) for face in (front,)]
    paper = wall_faces((length - 0.02, width - 0.02, height), 0)
    solids += plates + _delivery_notes(paper, rng)
    filled = rng.uniform(0.15, 0.95) * (height - floor - 0.1)
    if rng.random() < 0.75:
        solids += _contents((length - 0.12, width - 0.12, filled), floor, rng)
    return solids


def _contents(size: tuple[float, float, float], low_m: float, rng: np.random.Generator) -> list[Solid]:
    """Return boxes of different heights: cartons, or dark or metal parts."""
    material = (GoodsMaterial.BOARD, GoodsMaterial.BLACK, GoodsMaterial.STEEL)[rng.choice(3, p=(0.6, 0.25, 0.15))]
    cells = (3, 2)
    solids = []
    for i in range(cells[0]):
        for j in range(cells[1]):
            tall = size[2] * rng.uniform(0.7, 1.0)
            cell = (size[0] / cells[0], size[1] / cells[1])
            middle = ((i + 0.5) * cell[0] - size[0] / 2, (j + 0.5) * cell[1] - size[1] / 2, low_m + tall / 2)
            solids.append(box((cell[0] * 0.97, cell[1] * 0.97, tall), middle, material))
    return solids


def _sheet_stillage(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    size, floor = parameters["size_m"], 0.12
    length, width, height = size
    solids = _stillage_frame(size, floor)
    for face in wall_faces((length - 0.034, width - 0.034, height - floor - 0.03), floor):
        solids += _boards(face, 9.0, 0.0, 0.006, GoodsMaterial.PAINT)
        ribs = np.arange(-face.size_m[0] / 2 + 0.1, face.size_m[0] / 2 - 0.05, 0.12)
        tall = (0, 0, face.size_m[1] - 0.06)
        rib = np.abs(face.right) * 0.05 + np.abs(face.normal) * 0.03 + tall
        solids += [box(rib, face.center + x * face.right, GoodsMaterial.PAINT) for x in ribs]
    filled = rng.uniform(0.2, 0.9) * (height - floor - 0.1)
    solids += _contents((length - 0.1, width - 0.1, filled), floor, rng)
    return solids + _delivery_notes(wall_faces((length - 0.003, width - 0.003, height), 0), rng)


def build_bin(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return plastic boxes: stacked KLT or picking boxes, a pallet box on skids, or a waste bin on wheels."""
    makers = {"klt": _klt_stack, "open_front": _picking_boxes, "pallet_box": _pallet_box, "wheelie": _wheeled_bin}
    return build_goods_object("bin", parameters, cache, makers[pick_form(parameters["variant"], BINS)])


def _tapered_box(length: float, width: float, low: float, height: float, slot: int, draft: float = 0.96) -> list[Solid]:
    """Return an open box that widens to a rim, with a lower floor inside."""
    outline = rounded_rectangle(length, width, 0.03)
    outside = [(draft, 0), (0.985, 0.8 * height), (1, 0.82 * height), (1, height), (0.95, height)]
    inside = [(0.94, 0.5 * height), (0.9, 0.25 * height)]
    return [scaled_loft(outline, [(scale, low + z) for scale, z in outside + inside], slot)]


def _klt_stack(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return stacked boxes (VDA 4500) with ribs and labels, each about 0.28 m high."""
    length, width, height = parameters["size_m"]
    count = max(round(height / 0.28), 1)
    level = height / count
    solids = []
    for number in range(count):
        low, slot = number * level, (GoodsMaterial.PLASTIC, GoodsMaterial.PLASTIC_2)[int(rng.random() < 0.25)]
        solids += _tapered_box(length, width, low, level, slot, 0.94)
        for face in wall_faces((0.962 * length, 0.962 * width, 0.8 * level), low):
            ribs = np.linspace(-0.42, 0.42, 5) * face.size_m[0]
            size = np.abs(face.right) * 0.012 + np.abs(face.normal) * 0.012 + np.array([0, 0, 0.5 * level])
            solids += [box(size, face.center + x * face.right, slot) for x in ribs]
        face = wall_faces((0.985 * length, 0.985 * width, level), low)[0]
        if rng.random() < 0.8:
            solids += shipping_label(
                face, (0, -0.1 * level), (0.2, 0.4 * level), LABEL_SLOTS, LOCATION_CODES[rng.integers(6)]
            )
    return solids


def _picking_boxes(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return stacked picking boxes, each about 0.2 m high, with an open upper half at +x."""
    length, width, height = parameters["size_m"]
    count = max(round(height / 0.2), 1)
    level, wall = height / count, 0.012
    solids = []
    for number in range(count):
        low, slot = number * level, (GoodsMaterial.PLASTIC, GoodsMaterial.PLASTIC_2)[int(rng.random() < 0.25)]
        side = np.array([(-0.5, 0), (0.44, 0), (0.5, 0.45), (0.3, 0.55), (0.25, 0.98), (-0.5, 0.98)])
        outline = side * (length, level)
        for y in (-1, 1):
            solids.append(prism(outline, wall, slot).moved((0, y * (width - wall) / 2, low)))
        solids.append(box((0.94 * length, width, wall), (-0.03 * length, 0, low + wall / 2), slot))
        solids.append(box((wall, width, 0.98 * level), ((wall - length) / 2, 0, low + 0.49 * level), slot))
        front = box((wall, width, 0.45 * level), (0.465 * length, 0, low + 0.225 * level), slot)
        solids.append(front)
        face = wall_faces((0.93 * length + 2 * wall, width, 0.45 * level), low)[0]
        solids.append(face.rectangle((0, 0.02 * level), (0.6 * width, 0.22 * level), GoodsMaterial.PAPER, 0, 0.0005))
        if rng.random() < 0.7:
            goods = (0.6 * length, 0.85 * width, rng.uniform(0.2, 0.6) * level)
            solids.append(box(goods, (-0.1 * length, 0, low + goods[2] / 2 + wall), GoodsMaterial.BOARD))
    return solids


def _pallet_box(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return a ribbed box with the footprint of a pallet on three skids, open or with a lid in the accent color."""
    length, width, height = parameters["size_m"]
    solids = [
        box((0.96 * length, 0.12, 0.13), (0, y * (0.96 * width - 0.12) / 2, 0.065), GoodsMaterial.PLASTIC)
        for y in (-1, 0, 1)
    ]
    lid = 0.04 if rng.random() < 0.4 else 0.0
    solids += _tapered_box(length, width, 0.12, height - 0.12 - lid, GoodsMaterial.PLASTIC, 0.95)
    for face in wall_faces((0.955 * length, 0.955 * width, 0.78 * (height - 0.12)), 0.12):
        ribs = np.linspace(-0.44, 0.44, 9 if face.size_m[0] > 1 else 7) * face.size_m[0]
        size = np.abs(face.right) * 0.025 + np.abs(face.normal) * 0.036 + np.array([0, 0, 0.9 * face.size_m[1]])
        solids += [box(size, face.center + x * face.right, GoodsMaterial.PLASTIC) for x in ribs]
    if lid:
        solids.append(box((length, width, lid), (0, 0, height - lid / 2), GoodsMaterial.PLASTIC_2))
    return solids + _delivery_notes(wall_faces((0.992 * length, 0.992 * width, height), 0), rng)[:4]


def _wheeled_bin(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return a two-wheeled waste bin (EN 840): wider at the top, with a lid in the accent color and a handle behind."""
    length, width, height = parameters["size_m"]
    body_top, wheel = 0.9 * height, 0.1
    outline = rounded_rectangle(0.86 * length, 0.96 * width, 0.05)
    levels = [(0.72, 0.05), (0.8, 0.3 * height), (0.95, body_top - 0.06), (1.0, body_top - 0.05), (1.0, body_top)]
    body = scaled_loft(outline, levels, GoodsMaterial.PLASTIC).moved((0.04 * length, 0, 0))
    lid_levels = [(1.04, body_top), (1.04, body_top + 0.03), (0.9, 0.97 * height), (0.5, height)]
    lid = scaled_loft(outline, lid_levels, GoodsMaterial.PLASTIC_2).moved((0.04 * length, 0, 0))
    axle_x = -0.34 * length
    tyre = [(0.05, 0), (wheel, 0.005), (wheel, 0.045), (0.05, 0.05)]
    wheels = [
        lathe(tyre, GoodsMaterial.BLACK, 20).turned("x", 90 * -y).moved((axle_x, y * (0.5 * width - 0.055), wheel))
        for y in (-1, 1)
    ]
    axle = box((0.03, 0.85 * width, 0.03), (axle_x, 0, wheel), GoodsMaterial.STEEL)
    handle = box((0.03, 0.7 * width, 0.03), (0.02 - 0.5 * length, 0, body_top), GoodsMaterial.PLASTIC)
    arms = [
        box((0.1 * length, 0.03, 0.03), (-0.44 * length, y * 0.3 * width, body_top), GoodsMaterial.PLASTIC)
        for y in (-1, 1)
    ]
    return [body, lid, *wheels, axle, handle, *arms]
