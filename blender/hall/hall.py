# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the hall: floor with painted lines and litter, walls and ceiling with their fittings and openings.

Walls and ceiling are invisible to diffuse and shadow rays, so that the ambient light (`lights`) reaches all places that
no object covers. This replaces many bounces by one ray. Camera rays and reflections do see walls and ceiling.
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
    """Return the unlinked objects of the "hall" part of a scene record, in the world frame.

    The lower edges of the beams are at the hall's clear height; the ceiling is above the beams.
    """
    size = tuple(hall["size_m"])
    rng = np.random.default_rng(hall["ceiling"]["seed"])
    ceiling_z, beam_solids = roof_beams(size, hall["ceiling"]["kind"], rng)
    fittings = fitting_materials(cache)
    floor = [
        *_mesh_object("floor", [_floor_polygon(size)], [hall_materials.floor_material(hall["floor"])]),
        *_mesh_object("litter", litter_solids(size, hall["floor"]), fittings),
        *_lines(hall),
    ]
    shell = [
        *_mesh_object("walls", _walls(size, ceiling_z), [hall_materials.wall_material(hall["walls"])]),
        *_mesh_object("ceiling", [_ceiling(size, ceiling_z)], [hall_materials.ceiling_material(hall["ceiling"])]),
        *_mesh_object("beams", beam_solids, fittings),
        *_mesh_object("wall fittings", wall_fittings(size, hall["walls"]["seed"], hall.get("openings", ())), fittings),
        *openings.build_openings(hall, cache),
    ]
    for hall_object in shell:
        hall_object.visible_diffuse = hall_object.visible_shadow = False
    return floor + shell


def _mesh_object(name: str, solids: list[Solid], materials: list[bpy.types.Material]) -> list[bpy.types.Object]:
    """Return one object in a list, or an empty list if there are no solids."""
    return [bpy.data.objects.new(name, solids_to_mesh(name, solids, materials))] if solids else []


def _floor_polygon(size: tuple[float, float, float]) -> Solid:
    """Return the floor, facing up."""
    half = np.array(size[:2]) / 2
    return level_face((0, 0, 0)).polygon(half * [(-1, -1), (1, -1), (1, 1), (-1, 1)], 0, lift_m=0.0)


def _ceiling(size: tuple[float, float, float], z: float) -> Solid:
    """Return the ceiling at the height `z`, facing down."""
    return _floor_polygon(size).turned("x", 180).moved((0, 0, z))


def _walls(size: tuple[float, float, float], height: float) -> list[Solid]:
    """Return four quads that face inwards."""
    x, y = size[0] / 2, size[1] / 2
    corners = [(x, -y), (-x, -y), (-x, y), (x, y)]
    quads = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        quads.append(Solid(np.array([(x0, y0, 0), (x1, y1, 0), (x1, y1, height), (x0, y0, height)]), [(0, 1, 2, 3)]))
    return quads


def _lines(hall: dict) -> list[bpy.types.Object]:
    """Return the painted lines, one object for each color and wear.

    Each line lies 0.01 mm above the one before it, so that crossings have a defined order.
    """
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
        for line in _mesh_object("floor lines", quads, [hall_materials.floor_line_material(hall["floor"], color, wear)])
    ]
