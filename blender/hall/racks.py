# SPDX-License-Identifier: GPL-3.0-or-later
"""Pallet racks: perforated uprights in braced frames, box beams with end plates, decks, foot plates, guards.

A rack is one mesh. Its frame has x along the rack, y across and z up, in meters.
"""

from itertools import pairwise

import bpy
import numpy as np

from blender.materials.common_materials import painted_metal, perforated_upright, plain_material, wood
from blender.materials.markings import FacePlane, level_face
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, box, flat_bar, solids_to_mesh

UPRIGHT_SLOT, BEAM_SLOT, GUARD_SLOT, DECK_SLOT, LABEL_SLOT = range(5)
UPRIGHT_DEPTH_M = 0.07
BEAM_DEPTH_M = 0.045
GUARD_HEIGHT_M = 0.4
BRACE_PITCH_M = 0.6
GUARD_YELLOW = (0.75, 0.5, 0.01)
ZINC = (0.42, 0.43, 0.44)


def build_rack(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a rack from `RackParameters`.

    Bays are `bay_width_m` wide between uprights of `upright_width_m`: the center of bay i is at
    x = (i - (bays - 1) / 2) * (bay_width_m + upright_width_m). Guards extend 0.1 m in front of the rack and behind it.
    The seed decides which decks the rack has: none, wire or boards.
    """
    rng = np.random.default_rng(parameters["seed"])
    decks = str(rng.choice(["none", "wire", "boards"], p=[0.45, 0.3, 0.25]))
    pitch = parameters["bay_width_m"] + parameters["upright_width_m"]
    materials = _materials(parameters, decks, pitch, cache)
    key = ("rack", *(tuple(value) if isinstance(value, list) else value for value in parameters.values()))
    mesh = cache.mesh(key, lambda: solids_to_mesh("rack", rack_solids(parameters, decks, pitch, rng), materials))
    return [bpy.data.objects.new("rack", mesh)]


def _materials(parameters: dict, decks: str, pitch: float, cache: AssetCache) -> list[bpy.types.Material]:
    upright, beam, wear = tuple(parameters["upright_rgb"]), tuple(parameters["beam_rgb"]), parameters["wear"]
    width = parameters["upright_width_m"]
    first = -parameters["bays"] * pitch / 2
    deck = (
        ("wire", lambda: plain_material("zinc", ZINC, 0.45, 0.6))
        if decks == "wire"
        else ("planks", lambda: wood("planks", "y", 0.4))
    )
    return [
        cache.material(
            ("upright", upright, wear, pitch, first, width),
            lambda: perforated_upright("rack upright", upright, wear, pitch, first, width),
        ),
        cache.material(("painted", beam, wear), lambda: painted_metal("rack beam", beam, wear)),
        cache.material(("painted", GUARD_YELLOW, wear), lambda: painted_metal("rack guard", GUARD_YELLOW, wear)),
        cache.material(deck[0], deck[1]),
        cache.material("sticker", lambda: plain_material("sticker", (0.7, 0.7, 0.68), 0.5)),
    ]


def rack_solids(parameters: dict, decks: str, pitch: float, rng: np.random.Generator) -> list[Solid]:
    """Return all parts of a rack; `pitch` is the distance of its uprights."""
    bays = parameters["bays"]
    solids = []
    for upright_number in range(bays + 1):
        solids += _frame((upright_number - bays / 2) * pitch, parameters)
    for bay in range(bays):
        x = (bay - (bays - 1) / 2) * pitch
        for level in parameters["level_heights_m"]:
            solids += _beams(x, level, parameters, rng)
            solids += _deck(x, level, decks, parameters)
    return solids


def _frame(x: float, parameters: dict) -> list[Solid]:
    """Return two uprights with foot plates, and the zigzag of braces between them."""
    width, height, depth = parameters["upright_width_m"], parameters["height_m"], parameters["depth_m"]
    solids = []
    for side in (-1, 1):
        y = side * (depth - UPRIGHT_DEPTH_M) / 2
        solids.append(box((width, UPRIGHT_DEPTH_M, height), (x, y, height / 2), UPRIGHT_SLOT))
        solids.append(box((width + 0.05, UPRIGHT_DEPTH_M + 0.05, 0.008), (x, y, 0.004), UPRIGHT_SLOT))
        if parameters["guards"]:
            solids += _guard(x, side * depth / 2, side, width)
    reach = depth / 2 - UPRIGHT_DEPTH_M
    levels = np.arange(0.15, height - 0.1, BRACE_PITCH_M)
    zigzag = [(x, reach if i % 2 else -reach, level) for i, level in enumerate(levels)]
    struts = [((x, -reach, level), (x, reach, level)) for level in (levels[0], levels[-1])]
    return solids + [flat_bar(*ends, 0.035, 0.035, UPRIGHT_SLOT) for ends in [*pairwise(zigzag), *struts]]


def _guard(x: float, y: float, side: int, width: float) -> list[Solid]:
    """Return a bent yellow plate in front of the foot of an upright: a front and two wings."""
    plate, reach = 0.006, 0.09
    center = GUARD_HEIGHT_M / 2
    front = box((width + 0.06, plate, GUARD_HEIGHT_M), (x, y + side * reach, center), GUARD_SLOT)
    wings = [
        box((plate, reach, GUARD_HEIGHT_M), (x + turn * (width / 2 + 0.03), y + side * reach / 2, center), GUARD_SLOT)
        for turn in (-1, 1)
    ]
    return [front, *wings]


def _beams(x: float, level: float, parameters: dict, rng: np.random.Generator) -> list[Solid]:
    """Return the front and back beam of a bay with end plates and location labels."""
    length, height, depth = parameters["bay_width_m"], parameters["beam_height_m"], parameters["depth_m"]
    solids = []
    for side in (-1, 1):
        y = side * (depth / 2 - BEAM_DEPTH_M / 2)
        solids.append(box((length, BEAM_DEPTH_M, height), (x, y, level - height / 2), BEAM_SLOT))
        for turn in (-1, 1):
            plate = (0.05, BEAM_DEPTH_M + 0.012, height + 0.06)
            solids.append(box(plate, (x + turn * (length / 2 - 0.02), y, level - plate[2] / 2), BEAM_SLOT))
        outside = np.array([x, side * depth / 2, level - height / 2])
        face = FacePlane(outside, np.array([-side, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), (length, height))
        places = (np.arange(3) - 1) * length / 3 if rng.random() < 0.6 else rng.uniform(-length / 3, length / 3, 1)
        solids += [face.rectangle((place, 0), (0.13, 0.7 * height), LABEL_SLOT) for place in places]
    return solids


def _deck(x: float, level: float, decks: str, parameters: dict) -> list[Solid]:
    """Return what lies between the beams, just below their tops: nothing, wire mesh or boards."""
    length, clear = parameters["bay_width_m"], parameters["depth_m"] - 2 * BEAM_DEPTH_M
    flat = level_face((x, 0, level - 0.004), (length, clear))
    if decks == "wire":
        across = [(place, 0.0, 0.008, clear) for place in np.arange(-length / 2 + 0.05, length / 2, 0.1)]
        along = [(0.0, place, length, 0.01) for place in np.linspace(-clear / 2 + 0.1, clear / 2 - 0.1, 4)]
        return [flat.rectangle((u, v), (w, h), DECK_SLOT) for u, v, w, h in across + along]
    if decks == "boards":
        count = int(length / 0.15)
        centers = (np.arange(count) + 0.5) * length / count - length / 2
        return [box((length / count - 0.006, clear, 0.02), (x + u, 0, level - 0.013), DECK_SLOT) for u in centers]
    return []
