# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of the hall, with or without a striped guard around the foot."""

import bpy

from blender.materials.common_materials import hazard_stripes, painted_metal
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import box, solids_to_mesh

GUARD_HEIGHT_M = 1.2
GUARD_PLATE_M = 0.012


def build_column(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a square column from `ColumnParameters`; `width_m` does not include the guard."""
    width, height, color = parameters["width_m"], parameters["height_m"], tuple(parameters["color_rgb"])
    solids = [box((width, width, height), (0, 0, height / 2))]
    if parameters["guard"]:
        outside = width + 2 * GUARD_PLATE_M
        solids.append(box((outside, outside, GUARD_HEIGHT_M), (0, 0, GUARD_HEIGHT_M / 2), slot=1))
    materials = [
        cache.material(("painted", color, 0.3), lambda: painted_metal("column", color, 0.3, roughness=0.6)),
        cache.material("hazard stripes", hazard_stripes),
    ]
    key = ("column", width, height, color, parameters["guard"])
    return [bpy.data.objects.new("column", cache.mesh(key, lambda: solids_to_mesh("column", solids, materials)))]
