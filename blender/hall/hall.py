# SPDX-License-Identifier: GPL-3.0-or-later
"""The hall: floor with painted lines, walls and ceiling with what hangs on them (blender/fittings.py, openings.py).

Walls and ceiling let diffuse and shadow rays through: the ambient world (blender/lights.py) reaches every corner that
no object covers, at the cost of a ray that ends at once instead of many bounces. The eye and reflections see them.
"""

import bpy
import numpy as np

from blender.hall import openings
from blender.hall.fittings import fitting_materials, roof_beams, wall_fittings
from blender.hall.litter import litter_solids
from blender.materials import hall_materials
from blender.materials.markings import level_face
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh

LINE_LIFT_M = 0.0005


def build_hall(hall: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return floor, lines, litter, walls, ceiling and fittings of a `Hall` (pipeline/scene.py) in the world frame.

    The ceiling's beams begin at the hall's clear height, the ceiling itself lies above them.
    """
    size = tuple(hall["size_m"])
    rng = np.random.default_rng(hall["ceiling"]["seed"])
    above, beam_solids = roof_beams(size, hall["ceiling"]["kind"], rng)
    fittings = fitting_materials(cache)
    floor = [
        *_object("floor", [_ground(size)], [hall_materials.floor_material(hall["floor"])]),
        *_object("litter", litter_solids(size, hall["floor"]), fittings),
        *_lines(hall),
    ]
    shell = [
        *_object("walls", _walls(size, above), [hall_materials.wall_material(hall["walls"])]),
        *_object("ceiling", [_ceiling(size, above)], [hall_materials.ceiling_material(hall["ceiling"])]),
        *_object("beams", beam_solids, fittings),
        *_object("wall fittings", wall_fittings(size, hall["walls"]["seed"], hall.get("openings", ())), fittings),
        *openings.build_openings(hall, cache),
    ]
    for thing in shell:
        thing.visible_diffuse = thing.visible_shadow = False
    return floor + shell


def _object(name: str, solids: list[Solid], materials: list[bpy.types.Material]) -> list[bpy.types.Object]:
    """One object, or none if there is nothing to it."""
    return [bpy.data.objects.new(name, solids_to_mesh(name, solids, materials))] if solids else []


def _ground(size: tuple[float, float, float]) -> Solid:
    half = np.array(size[:2]) / 2
    return level_face((0, 0, 0)).polygon(half * [(-1, -1), (1, -1), (1, 1), (-1, 1)], 0, lift_m=0.0)


def _ceiling(size: tuple[float, float, float], z: float) -> Solid:
    """The floor turned over: it looks down."""
    return _ground(size).turned("x", 180).moved((0, 0, z))


def _walls(size: tuple[float, float, float], height: float) -> list[Solid]:
    """Four quads that look inwards."""
    x, y = size[0] / 2, size[1] / 2
    corners = [(x, -y), (-x, -y), (-x, y), (x, y)]
    quads = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        quads.append(Solid(np.array([(x0, y0, 0), (x1, y1, 0), (x1, y1, height), (x0, y0, height)]), [(0, 1, 2, 3)]))
    return quads


def _lines(hall: dict) -> list[bpy.types.Object]:
    """Painted lines, one object a colour and wear; each later one lies a tenth of a millimetre above its crossings."""
    by_paint: dict[tuple, list[Solid]] = {}
    for number, line in enumerate(hall["lines"]):
        start, end = np.array(line["start_m"]), np.array(line["end_m"])
        along = end - start
        turn = np.arctan2(along[1], along[0])
        plane = level_face((0, 0, LINE_LIFT_M + number * 1e-5))
        quad = plane.rectangle((start + end) / 2, (np.hypot(*along), line["width_m"]), 0, turn, lift_m=0.0)
        by_paint.setdefault((tuple(line["color_rgb"]), line["wear"]), []).append(quad)
    return [
        line
        for (color, wear), quads in by_paint.items()
        for line in _object("floor lines", quads, [hall_materials.floor_line_material(hall["floor"], color, wear)])
    ]
