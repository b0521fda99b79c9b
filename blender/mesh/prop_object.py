# SPDX-License-Identifier: GPL-3.0-or-later
"""Props are all objects that are built from solids and are never labeled: goods, furniture, vehicles.

A record describes them by `PropParameters` of pipeline: `size_m`, `color_rgb`, `accent_rgb`, `wear`, `variant`, `seed`.
`variant` in 0..1 picks one of the forms of a kind.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import bpy

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh

# The key of a material in the asset cache, and the function that makes it.
MaterialRecipe = tuple[Hashable, Callable[[], bpy.types.Material]]


def build_prop_object(
    kind: str,
    key: Hashable,
    cache: AssetCache,
    make_solids: Callable[[], list[Solid]],
    material_recipe: Callable[[int], MaterialRecipe],
) -> bpy.types.Object:
    """Return one object of a prop; props with the same kind and key share a mesh.

    `make_solids` is called only for a new key. `material_recipe` is called for each slot that its solids use; the
    mesh gets only these materials.
    """

    def make_mesh() -> bpy.types.Mesh:
        solids = make_solids()
        used = sorted({solid.slot for solid in solids})
        solids = [replace(solid, slot=used.index(solid.slot)) for solid in solids]
        return solids_to_mesh(kind, solids, [cache.material(*material_recipe(slot)) for slot in used])

    return bpy.data.objects.new(kind, cache.mesh((kind, key), make_mesh))


def pick_form(variant: float, forms: Sequence[str]) -> str:
    """Return the form that a variant in 0..1 picks; each form has an equal part of this range."""
    return forms[min(int(variant * len(forms)), len(forms) - 1)]
