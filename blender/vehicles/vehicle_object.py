# SPDX-License-Identifier: GPL-3.0-or-later
"""The materials of vehicles that are no pallet trucks, and how such a vehicle becomes an object."""

from collections.abc import Callable
from enum import IntEnum, auto

import bpy

from blender.materials.common_materials import cardboard, painted_metal, plain_material, wood
from blender.materials.vehicle_materials import fork_paint_material, tire_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import MaterialRecipe, build_prop_object
from blender.mesh.solids import Solid

BLACK, DARK, MAST = (0.02, 0.02, 0.022), (0.035, 0.036, 0.04), (0.055, 0.057, 0.062)
GRAY, ZINC = (0.2, 0.2, 0.2), (0.45, 0.46, 0.47)
CARTON_COLOR = (0.4, 0.26, 0.13, 1.0)


class VehicleMaterial(IntEnum):
    """The material slots of solids of vehicles."""

    PAINT = 0  # color_rgb of the record
    ACCENT = auto()  # accent_rgb of the record
    DARK = auto()  # dark plastic and paint
    MAST = auto()
    FORK = auto()
    TIRE = auto()
    PALE_TIRE = auto()
    RIM = auto()
    ZINC = auto()
    CHROME = auto()
    LAMP = auto()
    BEACON = auto()
    RED = auto()
    PAPER = auto()
    WOOD = auto()
    BOARD = auto()


def build_vehicle_object(
    kind: str, parameters: dict, cache: AssetCache, make_solids: Callable[[], list[Solid]]
) -> list[bpy.types.Object]:
    """Return the one object of a vehicle with these `PropParameters`; its solids have slots of `VehicleMaterial`."""
    key = (
        *(tuple(parameters[name]) for name in ("size_m", "color_rgb", "accent_rgb")),
        *(parameters[name] for name in ("wear", "variant", "seed")),
    )
    vehicle = build_prop_object(kind, key, cache, make_solids, lambda slot: _material_recipe(slot, parameters))
    # The material of cartons reads the color of its object.
    vehicle.color = CARTON_COLOR
    return [vehicle]


def _material_recipe(slot: int, parameters: dict) -> MaterialRecipe:
    maker, *arguments = _maker_and_arguments(VehicleMaterial(slot), parameters)
    return (maker, *arguments), lambda: maker(*arguments)


def _maker_and_arguments(slot: VehicleMaterial, parameters: dict) -> tuple:
    """Return the function that makes a slot's material, then its arguments."""
    wear = round(parameters["wear"], 1)
    match slot:
        case VehicleMaterial.PAINT:
            return painted_metal, "vehicle paint", tuple(parameters["color_rgb"]), 0.7 * wear
        case VehicleMaterial.ACCENT:
            return painted_metal, "vehicle accent", tuple(parameters["accent_rgb"]), 0.7 * wear
        case VehicleMaterial.DARK:
            return painted_metal, "vehicle dark", DARK, 0.5 * wear, 0.55
        case VehicleMaterial.MAST:
            return painted_metal, "mast", MAST, wear, 0.4
        case VehicleMaterial.FORK:
            return fork_paint_material, "bare forks", BLACK, wear
        case VehicleMaterial.TIRE:
            return tire_material, "tyre", BLACK, wear
        case VehicleMaterial.PALE_TIRE:
            return tire_material, "pale tyre", (0.32, 0.3, 0.27), wear
        case VehicleMaterial.RIM:
            return plain_material, "rim", GRAY, 0.5
        case VehicleMaterial.ZINC:
            return plain_material, "zinc", ZINC, 0.38, 0.8
        case VehicleMaterial.CHROME:
            return plain_material, "chrome", (0.7, 0.7, 0.72), 0.15, 1.0
        case VehicleMaterial.LAMP:
            return plain_material, "lamp glass", (0.75, 0.77, 0.78), 0.1
        case VehicleMaterial.BEACON:
            return plain_material, "beacon", (0.8, 0.2, 0.01), 0.2
        case VehicleMaterial.RED:
            return plain_material, "red plastic", (0.5, 0.012, 0.01), 0.3
        case VehicleMaterial.PAPER:
            return plain_material, "vehicle lettering", (0.72, 0.72, 0.68), 0.5
        case VehicleMaterial.WOOD:
            return wood, "deck boards", "x", round(0.3 + 0.5 * wear, 1)
        case VehicleMaterial.BOARD:
            return cardboard, "cardboard", False
