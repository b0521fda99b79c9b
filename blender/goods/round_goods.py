# SPDX-License-Identifier: GPL-3.0-or-later
"""Round goods: drums, IBCs (tanks in a cage), cable reels.

The sizes, with their sources, come from pipeline/scenes/assets/prop_shapes.py. `variant` picks a form of each kind.
"""

from itertools import pairwise

import bpy
import numpy as np

from blender.goods.goods_object import GoodsMaterial, build_goods_object
from blender.goods.goods_parts import wall_faces
from blender.goods.pallets_and_cartons import scaled_pallet_solids
from blender.materials.markings import BRANDS, FacePlane
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import curved_patch, lathe, rod, rounded_rectangle, scaled_loft
from blender.mesh.solids import Solid, box, prism, tube

DRUMS = ("steel", "open_top", "plastic")
IBCS = ("steel_pallet", "wood_pallet")
CABLE_REELS = ("full", "empty", "lying")


def build_drum(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a drum: of steel with bungs, of steel with a clamped lid in the accent color, or of plastic."""
    makers = {"steel": _steel_drum, "open_top": _open_top_drum, "plastic": _plastic_drum}
    return build_goods_object("drum", parameters, cache, makers[pick_form(parameters["variant"], DRUMS)])


def _drum_shell(radius: float, height: float, body_top: float, slot: int) -> Solid:
    """Return a shell with beads at its ends and two hoops."""
    shell = 0.965 * radius
    rings = [(radius, 0), (radius, 0.015), (shell, 0.03)]
    for hoop in (height / 3, 2 * height / 3):
        rings += [(shell, hoop - 0.025), (radius, hoop - 0.008), (radius, hoop + 0.008), (shell, hoop + 0.025)]
    return lathe([*rings, (shell, body_top - 0.03), (radius, body_top - 0.015), (radius, body_top)], slot, 28)


def _drum_label(radius: float, height: float, rng: np.random.Generator) -> list[Solid]:
    """Return a paper label and a colored hazard label beside it, between the hoops."""
    if rng.random() < 0.15:
        return []
    start = rng.uniform(-1.2, 1.2)
    low = 0.37 * height
    bar = (low + 0.02, low + 0.07)
    return [
        curved_patch(radius + 0.0015, (low, low + 0.24 * height), (start, start + 0.8), GoodsMaterial.PAPER),
        curved_patch(radius + 0.0025, bar, (start + 0.1, start + 0.7), GoodsMaterial.INK_2),
        curved_patch(radius + 0.0015, (low, low + 0.2 * height), (start + 0.9, start + 1.25), GoodsMaterial.PAINT_2),
    ]


def _steel_drum(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    radius, height = parameters["size_m"][0] / 2, parameters["size_m"][2]
    lid = (GoodsMaterial.PAINT, GoodsMaterial.PAINT_2)[int(rng.random() < 0.5)]
    rim = [(radius, height - 0.02), (radius, height), (0.955 * radius, height), (0.94 * radius, height - 0.012)]
    head = lathe(rim, lid, 28)
    ring = [(0.2 * radius, 0.0), (0.2 * radius, 0.012)]
    bungs = [
        lathe([(share * r, height - 0.012 + z) for r, z in ring], GoodsMaterial.STEEL, 10).moved((x * radius, 0, 0))
        for x, share in ((0.66, 0.6), (-0.66, 0.4))
    ]
    label = _drum_label(0.965 * radius, height, rng)
    return [_drum_shell(radius, height, height - 0.01, GoodsMaterial.PAINT), head, *bungs, *label]


def _open_top_drum(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    radius, height = parameters["size_m"][0] / 2, parameters["size_m"][2]
    lid = lathe(
        [(0.95 * radius, height - 0.02), (0.95 * radius, height - 0.012), (0.8 * radius, height)], GoodsMaterial.PAINT_2
    )
    clamp = lathe(
        [(0.97 * radius, height - 0.045), (radius, height - 0.04), (radius, height - 0.015)], GoodsMaterial.STEEL
    )
    lock = box((0.02, 0.16, 0.03), (0.985 * radius - 0.012, 0, height - 0.03), GoodsMaterial.STEEL)
    body = _drum_shell(0.99 * radius, height, height - 0.04, GoodsMaterial.PAINT)
    return [body, lid, clamp, lock, *_drum_label(0.965 * radius, height, rng)]


def _plastic_drum(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return an L-ring drum: round shoulders, a handling ring at the top, two stoppers."""
    radius, height = parameters["size_m"][0] / 2, parameters["size_m"][2]
    profile = [(0.9, 0.0), (0.98, 0.02), (0.98, 0.3), (1.0, 0.31), (1.0, 0.34), (0.98, 0.35), (0.98, 0.66)]
    profile += [(1.0, 0.67), (1.0, 0.7), (0.97, 0.71), (0.96, 0.88), (0.9, 0.91), (0.88, 0.94)]
    profile += [(0.97, 0.945), (0.97, 0.975), (0.86, 0.98), (0.82, 0.965), (0.3, 0.97)]
    body = lathe([(radius * r, height * z) for r, z in profile], GoodsMaterial.PLASTIC, 28)
    stoppers = [
        lathe([(0.05, 0.96 * height), (0.05, height)], GoodsMaterial.BLACK, 10).moved((x * radius, 0, 0))
        for x in (-0.6, 0.6)
    ]
    return [body, *stoppers, *_drum_label(0.983 * radius, height, rng)]


def build_ibc(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a milky tank in a cage of tubes on a pallet, the valve at +x; plate and cap in the accent color."""
    return build_goods_object("ibc", parameters, cache, _ibc)


def _ibc(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    length, width, height = parameters["size_m"]
    wooden = pick_form(parameters["variant"], IBCS) == "wood_pallet"
    base = 0.145
    solids = (
        scaled_pallet_solids(length, width, 0.4, int(rng.integers(8))) if wooden else _steel_base(length, width, base)
    )
    outline = rounded_rectangle(length - 0.06, width - 0.06, 0.11)
    top = height - 0.05
    levels = [(0.97, base), (1.0, base + 0.05), (1.0, top - 0.09), (0.97, top - 0.03), (0.86, top)]
    solids.append(scaled_loft(outline, levels, GoodsMaterial.TANK))
    solids.append(lathe([(0.11, top - 0.01), (0.11, height - 0.012), (0.09, height)], GoodsMaterial.PLASTIC_2, 16))
    solids += _cage(length, width, base, top)
    face = wall_faces((length - 0.001, width - 0.001, height - base), base)[0]
    plate = np.array([0.3 * width, 0.34 * height])
    solids.append(face.rectangle((-0.1 * width, 0.0), plate, GoodsMaterial.STEEL, 0, -0.001))
    return [*solids, *_plate_print(face, plate, rng), *_valve(length, base)]


def _plate_print(face: FacePlane, plate: np.ndarray, rng: np.random.Generator) -> list[Solid]:
    """Return a label on the steel plate, flush with it, because the IBC must not exceed its size."""
    center = (-0.1 * face.size_m[0], 0.0)
    word = face.text(BRANDS[rng.integers(len(BRANDS))], center, 0.05, GoodsMaterial.INK, 0.0004)
    return [face.rectangle(center, 0.8 * plate, GoodsMaterial.PAPER, 0, -0.0003), *word]


def _steel_base(length: float, width: float, base: float) -> list[Solid]:
    """Return three runners with a sheet on top."""
    solids = [box((length, width, 0.03), (0, 0, base - 0.015), GoodsMaterial.STEEL)]
    for y in (-1, 0, 1):
        at = y * (width - 0.1) / 2
        solids.append(box((length, 0.1, 0.03), (0, at, 0.015), GoodsMaterial.STEEL))
        solids += [
            box((0.12, 0.1, base - 0.06), (x * (length - 0.12) / 2, at, base / 2), GoodsMaterial.BLACK)
            for x in (-1, 0, 1)
        ]
    return solids


def _cage(length: float, width: float, base: float, top: float) -> list[Solid]:
    """Return horizontal rings outside upright tubes, and two bars over the tank."""
    radius = 0.009
    ring = rounded_rectangle(length - 2 * radius - 0.008, width - 2 * radius - 0.008, 0.1, 2)
    solids = []
    for z in np.linspace(base + 0.03, top - 0.04, 6):
        path = np.c_[ring, np.full(len(ring), z)]
        solids.append(tube(path, radius, 5, GoodsMaterial.STEEL, closed=True))
    for face in wall_faces((length - 4 * radius, width - 4 * radius, 1.0)):
        reach = face.size_m[0] / 2 - 0.1
        for offset in np.linspace(-reach, reach, 7 if face.size_m[0] > 1.05 else 6):
            foot = face.center * (1, 1, 0) + offset * face.right
            solids.append(rod((*foot[:2], base), (*foot[:2], top - 0.03), radius, GoodsMaterial.STEEL, 5))
    reach = width / 2 - 0.02
    solids += [
        box((0.03, 2 * reach, 0.02), (x, 0, top + 0.012), GoodsMaterial.STEEL) for x in (-0.25 * length, 0.25 * length)
    ]
    return solids


def _valve(length: float, base: float) -> list[Solid]:
    """Return the outlet near the floor at +x with its lever, in a dark recess."""
    front = length / 2
    spout = lathe([(0.04, 0), (0.04, 0.1), (0.05, 0.1), (0.05, 0.12)], GoodsMaterial.PLASTIC_2, 12).turned("y", 90)
    return [
        box((0.01, 0.24, 0.2), (front - 0.027, 0, base + 0.12), GoodsMaterial.BLACK),
        spout.moved((front - 0.125, 0, base + 0.1)),
        box((0.02, 0.16, 0.03), (front - 0.012, 0.04, base + 0.165), GoodsMaterial.PLASTIC_2),
    ]


def build_cable_reel(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return two wooden flanges, with cable in the main color or empty; the axis is along y, or upright if it lies."""
    return build_goods_object("cable_reel", parameters, cache, _cable_reel)


def _cable_reel(parameters: dict, rng: np.random.Generator) -> list[Solid]:
    form = pick_form(parameters["variant"], CABLE_REELS)
    size = parameters["size_m"]
    # A lying reel is a standing one rotated about x; its width is size_m[2].
    diameter, width = (size[0], size[2]) if form == "lying" else (size[2], size[1])
    radius, thick = diameter / 2, min(0.05, 0.1 * width)
    core = rng.uniform(0.4, 0.55) * radius
    solids = []
    for side in (-1, 1):
        solids += _flange(radius, thick, side * ((width - thick) / 2 - 0.006))
        solids += _hub_and_bolts(radius, core, side * (width / 2 - 0.003))
    staves = lathe([(core, -width / 2 + thick), (core, width / 2 - thick)], GoodsMaterial.WOOD_Y, 20).turned("x", -90)
    solids.append(Solid(staves.vertices, staves.faces, GoodsMaterial.WOOD_Y))
    if form != "empty":
        winding_radius = rng.uniform(0.68, 0.92) * radius
        solids.append(_winding(core, winding_radius, width - 2 * thick, rng.uniform(0.025, 0.06)))
    if form == "lying":
        return [solid.turned("x", 90).moved((0, 0, width / 2)) for solid in solids]
    return [solid.moved((0, 0, radius)) for solid in solids]


def _flange(radius: float, thick: float, y: float) -> list[Solid]:
    """Return a disc of boards side by side, in the x-z plane around `y`."""
    count = 7
    edges = np.linspace(-radius, radius, count + 1)
    solids = []
    for low, high in pairwise(edges):
        level = np.linspace(low, high - 0.004, 6)
        half = np.sqrt(np.maximum(radius**2 - level**2, 0.0004 * radius**2))
        outline = np.concatenate([np.c_[half, level], np.c_[-half, level][::-1]])
        outline *= np.minimum(1, radius / np.linalg.norm(outline, axis=1, keepdims=True))
        solids.append(prism(outline, thick, GoodsMaterial.WOOD_X).moved((0, y, 0)))
    return solids


def _hub_and_bolts(radius: float, core: float, y: float) -> list[Solid]:
    """Return the hub and six bolts, 6 mm thick around `y`, outside the flange."""
    bush = lathe([(0.09 * radius, -0.003), (0.09 * radius, 0.003)], GoodsMaterial.BLACK, 14).turned("x", -90)
    bolts = [
        box((0.05, 0.006, 0.05), (0.9 * core * np.cos(angle), y, 0.9 * core * np.sin(angle)), GoodsMaterial.STEEL)
        for angle in np.arange(6) * np.pi / 3
    ]
    return [bush.moved((0, y, 0)), *bolts]


def _winding(core: float, outer: float, width: float, pitch: float) -> Solid:
    """Return the outermost layer of cable: 6 to 16 rings side by side."""
    turns = int(np.clip(width / pitch, 6, 16))
    edges = np.linspace(-width / 2, width / 2, 2 * turns + 1)
    dip = 0.35 * width / turns
    rings = [(outer - (dip if i % 2 == 0 else 0.0), z) for i, z in enumerate(edges)]
    return lathe([(core, edges[0]), *rings, (core, edges[-1])], GoodsMaterial.PLASTIC, 24).turned("x", -90)
