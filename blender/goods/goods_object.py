# SPDX-License-Identifier: GPL-3.0-or-later
"""The materials of goods and furniture, and how goods become an object."""

from collections.abc import Callable
from enum import IntEnum, auto

import bpy
import numpy as np

from blender.materials.common_materials import (
    Rgb,
    barcode,
    hazard_stripes,
    milky_tank,
    painted_metal,
    paper_label,
    plain_material,
    scuffed_plastic,
    wood,
)
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import MaterialRecipe, build_prop_object
from blender.mesh.solids import Solid

# Seeds are taken modulo this, so that copies in a hall share meshes.
SEED_VARIANTS = 16
BLACK, ZINC = (0.02, 0.02, 0.022), (0.45, 0.46, 0.47)


class GoodsMaterial(IntEnum):
    """The material slots of solids of goods; the first two are those of `pallets_and_cartons.pallet_solids`."""

    WOOD_X = 0  # with the grain along x
    WOOD_Y = auto()
    WOOD_Z = auto()
    PAINT = auto()  # color_rgb of the record
    PAINT_2 = auto()  # accent_rgb of the record
    PLASTIC = auto()  # color_rgb
    PLASTIC_2 = auto()  # accent_rgb
    STEEL = auto()
    BLACK = auto()
    STRIPES = auto()
    PAPER = auto()
    BARCODE = auto()
    INK = auto()  # accent_rgb
    INK_2 = auto()  # black
    BOARD = auto()
    TANK = auto()  # color_rgb


def build_goods_object(
    kind: str, parameters: dict, cache: AssetCache, make_solids: Callable[[dict, np.random.Generator], list[Solid]]
) -> list[bpy.types.Object]:
    """Return the one object of goods with these `PropParameters`.

    `make_solids` takes the parameters, with wear rounded to a tenth, and a random generator. It returns solids with
    slots of `GoodsMaterial`.
    """
    wear = round(parameters["wear"], 1)
    color, accent = tuple(parameters["color_rgb"]), tuple(parameters["accent_rgb"])
    seed = parameters["seed"] % SEED_VARIANTS
    key = (tuple(parameters["size_m"]), color, accent, wear, parameters["variant"], seed)
    goods = build_prop_object(
        kind,
        key,
        cache,
        lambda: make_solids({**parameters, "wear": wear}, np.random.default_rng(seed)),
        lambda slot: _material_recipe(GoodsMaterial(slot), color, accent, wear),
    )
    return [goods]


def _material_recipe(slot: GoodsMaterial, color: Rgb, accent: Rgb, wear: float) -> MaterialRecipe:
    match slot:
        case GoodsMaterial.WOOD_X | GoodsMaterial.WOOD_Y | GoodsMaterial.WOOD_Z:
            grain = slot.name[-1].lower()
            return ("wood", grain, wear), lambda: wood("wood", grain, wear)
        case GoodsMaterial.PAINT | GoodsMaterial.PAINT_2:
            paint = color if slot == GoodsMaterial.PAINT else accent
            return ("painted", paint, wear), lambda: painted_metal("paint", paint, wear)
        case GoodsMaterial.PLASTIC | GoodsMaterial.PLASTIC_2:
            plastic = color if slot == GoodsMaterial.PLASTIC else accent
            return ("plastic", plastic, wear), lambda: scuffed_plastic("plastic", plastic, wear)
        case GoodsMaterial.STEEL:
            return _plain_recipe("zinc", ZINC, 0.42, 0.7)
        case GoodsMaterial.BLACK:
            return _plain_recipe("black", BLACK, 0.6)
        case GoodsMaterial.STRIPES:
            return "hazard stripes", hazard_stripes
        case GoodsMaterial.PAPER:
            return ("label", (0.75,) * 3), lambda: paper_label("label")
        case GoodsMaterial.BARCODE:
            return "barcode", lambda: barcode("barcode")
        case GoodsMaterial.INK:
            return _plain_recipe("ink", accent, 0.6)
        case GoodsMaterial.INK_2:
            return _plain_recipe("ink", BLACK, 0.6)
        case GoodsMaterial.BOARD:
            return "kraft", lambda: plain_material("kraft", (0.36, 0.22, 0.1), 0.85)
        case GoodsMaterial.TANK:
            return ("tank", color), lambda: milky_tank("tank", color)


def _plain_recipe(name: str, color: Rgb, roughness: float, metallic: float = 0.0) -> MaterialRecipe:
    return ("plain", name, color), lambda: plain_material(name, color, roughness, metallic)
