# SPDX-License-Identifier: GPL-3.0-or-later
"""Openings that let daylight in: dock doors with seals, bumpers and numbers, bands of windows, skylights.

Each is built on a wall that faces +x, then rotated and moved to its position. A bright plane behind it is the outside.
The daylight itself is a lamp of the record (`lights`).
"""

import bpy
import numpy as np

from blender.hall.fittings import MATERIAL_SLOTS, fitting_materials
from blender.materials.common_materials import emissive_face
from blender.materials.markings import FacePlane
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, box, solids_to_mesh

# W / (m2 sr): white at any useful exposure. A higher value would only harm anti-aliasing.
MAX_OUTSIDE_RADIANCE = 8.0
OUTSIDE_SLOT = len(MATERIAL_SLOTS)
SLAT_HEIGHT_M = 0.5


def build_openings(hall: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return one object with all openings of the "hall" part of a scene record, or an empty list."""
    makers = {"dock_door": _dock_door, "window": _window, "skylight": _skylight}
    solids = []
    for opening in hall.get("openings", []):
        for part in makers[opening["kind"]](opening):
            solids.append(part.turned("z", opening["yaw_deg"]).moved(opening["center_m"]))
    if not solids:
        return []
    color, strength = tuple(hall["outside_rgb"]), round(min(hall["outside_strength"], MAX_OUTSIDE_RADIANCE), 3)
    outside = cache.material(("outside", color, strength), lambda: emissive_face("outside", color, strength))
    return [bpy.data.objects.new("openings", solids_to_mesh("openings", solids, [*fitting_materials(cache), outside]))]


def _dock_door(opening: dict) -> list[Solid]:
    """Return a sectional door, drawn up as far as it is open, with black seals, bumpers, guide posts and its number."""
    (width, height), share = opening["size_m"], opening["open"]
    bottom = -height / 2 + height * share
    parts = [box((0.01, width, height), (0.005, 0, 0), OUTSIDE_SLOT)]
    count = max(1, round((height / 2 - bottom) / SLAT_HEIGHT_M)) if share < 0.95 else 0
    slat = (height / 2 - bottom) / max(count, 1)
    parts += [
        box((0.05, width, slat - 0.015), (0.05, 0, bottom + (i + 0.5) * slat), MATERIAL_SLOTS["white"])
        for i in range(count)
    ]
    if count > 2:
        parts += [box((0.01, 0.5, 0.25), (0.08, y, bottom + 1.5 * slat), MATERIAL_SLOTS["dark"]) for y in (-0.6, 0.6)]
    parts += [box((0.12, 0.3, height), (0.06, y * (width / 2 + 0.15), 0), MATERIAL_SLOTS["dark"]) for y in (-1, 1)]
    parts.append(box((0.12, width + 0.6, 0.4), (0.06, 0, height / 2 + 0.2), MATERIAL_SLOTS["dark"]))
    parts += [
        box((0.1, 0.1, 1.0), (0.2, y * (width / 2 + 0.4), 0.5 - height / 2), MATERIAL_SLOTS["yellow"]) for y in (-1, 1)
    ]
    plate = FacePlane(np.array([0.125, 0, height / 2 + 0.2]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]), (1.0, 0.4))
    return [*parts, *plate.text(str(opening["number"]), (0, 0), 0.28, MATERIAL_SLOTS["white"])]


def _window(opening: dict) -> list[Solid]:
    """Return a band of panes between bars."""
    width, height = opening["size_m"]
    bars = np.linspace(-width / 2, width / 2, max(2, round(width / 1.1) + 1))
    frame = [box((0.05, width, 0.05), (0.03, 0, z), MATERIAL_SLOTS["grey"]) for z in (-height / 2, height / 2)]
    frame += [box((0.05, 0.05, height), (0.03, y, 0), MATERIAL_SLOTS["grey"]) for y in bars]
    return [box((0.01, width, height), (0.005, 0, 0), OUTSIDE_SLOT), *frame]


def _skylight(opening: dict) -> list[Solid]:
    """Return a milky panel with cross bars."""
    length, width = opening["size_m"]
    bars = [
        box((length, 0.04, 0.04), (0, y, -0.02), MATERIAL_SLOTS["grey"]) for y in np.arange(-width / 2, width / 2, 1.0)
    ]
    return [box((length, width, 0.02), (0, 0, 0.01), OUTSIDE_SLOT), *bars]
