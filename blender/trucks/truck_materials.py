# SPDX-License-Identifier: GPL-3.0-or-later
"""Material slots and materials of hand and electric pallet trucks.

Every part of a truck is a mesh with the same list of materials, so that a slot number means the same in all of them.
Colors are linear Rec. 709 in 0..1.
"""

from dataclasses import dataclass
from enum import IntEnum, auto

import bpy

from blender.materials.common_materials import Rgb, painted_metal, plain_material
from blender.materials.vehicle_materials import fork_paint_material, molded_plastic, tire_material
from blender.mesh.asset_cache import AssetCache

BLACK = (0.018, 0.018, 0.02)
GRAY = (0.16, 0.17, 0.18)
STEEL = (0.42, 0.41, 0.39)
RED_PLASTIC, YELLOW_PLASTIC = (0.6, 0.015, 0.015), (0.8, 0.5, 0.01)
_WHITE, _YELLOW, _RED = (0.75, 0.75, 0.72), (0.8, 0.55, 0.02), (0.55, 0.03, 0.02)
# The color of a maker's label and of the print on it.
LABEL_AND_INK = (
    (_WHITE, BLACK), (BLACK, _WHITE), (_YELLOW, BLACK), (BLACK, _YELLOW), (_RED, _WHITE), (_WHITE, _RED)
)  # fmt: skip


class TruckMaterial(IntEnum):
    """Slot of each material in the meshes of both kinds of trucks."""

    PAINT = 0
    FORK = auto()
    PUMP = auto()
    TILLER = auto()
    RUBBER = auto()
    TIRE = auto()
    HUB = auto()
    CHROME = auto()
    LABEL = auto()
    INK = auto()
    PAPER = auto()


class ElectricTruckMaterial(IntEnum):
    """Slots that the meshes of electric trucks have after those of `TruckMaterial`."""

    COVER = len(TruckMaterial)
    SKIRT = auto()
    RED = auto()
    YELLOW = auto()
    SCREEN = auto()


@dataclass(frozen=True)
class TruckColors:
    """Colors that a maker chooses for hand and electric trucks; the style of each kind adds fields."""

    pump_rgb: Rgb
    tiller_rgb: Rgb
    hub_rgb: Rgb
    label_rgb: Rgb
    ink_rgb: Rgb


def hand_truck_materials(colors: TruckColors, parameters: dict, cache: AssetCache) -> list[bpy.types.Material]:
    """Return the materials in the order of `TruckMaterial`.

    `parameters` is the JSON dict of `HandPalletTruckParameters` or `ElectricPalletTruckParameters`.
    """
    body, wheel = tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"])
    wear = parameters["wear"]
    return [
        _paint(cache, body, wear),
        cache.material(("fork paint", body, wear), lambda: fork_paint_material("fork paint", body, wear)),
        _paint(cache, colors.pump_rgb, wear),
        _paint(cache, colors.tiller_rgb, 0.8 * wear),
        _plain(cache, "rubber", BLACK, 0.75),
        cache.material(("tread", wheel, wear), lambda: tire_material("tread", wheel, wear)),
        _plain(cache, "hub", colors.hub_rgb, 0.45, 0.7 if colors.hub_rgb == STEEL else 0.0),
        _plain(cache, "chrome", (0.7, 0.7, 0.72), 0.12, 1.0),
        _plain(cache, "label", colors.label_rgb, 0.4),
        _plain(cache, "ink", colors.ink_rgb, 0.4),
        _plain(cache, "paper", (0.72, 0.72, 0.68), 0.5),
    ]


def electric_truck_materials(
    colors: TruckColors, cover_rgb: Rgb, parameters: dict, cache: AssetCache
) -> list[bpy.types.Material]:
    """Return the materials in the order of `TruckMaterial`, then of `ElectricTruckMaterial`.

    `cover_rgb` is the color of the hood; `parameters` is the JSON dict of `ElectricPalletTruckParameters`.
    """
    wear = parameters["wear"]
    return [
        *hand_truck_materials(colors, parameters, cache),
        _molded(cache, cover_rgb, wear, 0.4),
        _molded(cache, BLACK, wear, 0.65),
        _plain(cache, "red plastic", RED_PLASTIC, 0.35),
        _plain(cache, "yellow plastic", YELLOW_PLASTIC, 0.4),
        _plain(cache, "screen", (0.03, 0.05, 0.06), 0.08),
    ]


def _paint(cache: AssetCache, color: Rgb, wear: float) -> bpy.types.Material:
    """Return paint with half the wear of the forks: bare patches all over a truck would look like camouflage."""
    wear = 0.5 * wear
    return cache.material(("truck paint", color, wear), lambda: painted_metal("truck paint", color, wear, 0.38))


def _plain(cache: AssetCache, name: str, color: Rgb, roughness: float, metallic: float = 0.0) -> bpy.types.Material:
    key = ("truck", name, color, roughness, metallic)
    return cache.material(key, lambda: plain_material(name, color, roughness, metallic))


def _molded(cache: AssetCache, color: Rgb, wear: float, roughness: float) -> bpy.types.Material:
    key = ("molded", color, wear, roughness)
    return cache.material(key, lambda: molded_plastic("moulded plastic", color, wear, roughness))
