# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes one electric pallet truck differ from the next: makers' details drawn from its seed, and its materials."""

from dataclasses import dataclass
from enum import IntEnum, auto

import bpy
import numpy as np

from blender.materials import common_materials
from blender.materials.common_materials import Rgb
from blender.mesh.asset_cache import AssetCache
from blender.trucks import hand_style
from blender.trucks.hand_style import BLACK, GREY, LABEL_AND_INK, STEEL, TruckMaterial

LIGHT_GREY = (0.45, 0.45, 0.43)
RED, YELLOW = (0.6, 0.015, 0.015), (0.8, 0.5, 0.01)


class ElectricTruckMaterial(IntEnum):
    """Materials of an electric truck beyond those of `truck_style.TruckMaterial`."""

    COVER = len(TruckMaterial)
    SKIRT = auto()
    RED = auto()
    YELLOW = auto()
    SCREEN = auto()


@dataclass(frozen=True)
class BatteryLayout:
    """What the battery decides, in m from the steering's axis: rear of the skirt, radius of the hood, tiller's hinge.

    The same figures, with some air around them, are in `pipeline/volumes.py`.
    """

    rear_m: float
    hood_m: float
    hinge_m: float


BATTERY_LAYOUTS = {"lithium": BatteryLayout(-0.2, 0.13, 0.18), "lead_acid": BatteryLayout(-0.26, 0.19, 0.24)}


@dataclass(frozen=True)
class ElectricStyle:
    """Makers' details.

    `squareness`: exponent of the superellipse that the skirt's rear is (2: an ellipse, 4: nearly a box);
    `hood_share`: height of the hood by that of the body; `hood_taper`: how much narrower its top is.
    """

    squareness: float
    skirt_bottom_m: float
    hood_share: float
    hood_taper: float
    rounding_m: float
    drive_radius_m: float
    castor_radius_m: float
    shaft_m: tuple[float, float]
    head_lean_deg: float
    ring_m: tuple[float, float]
    ring_corner_m: float
    vents: int
    lettering: bool
    painted_box: bool
    cover_rgb: Rgb
    pump_rgb: Rgb
    tiller_rgb: Rgb
    hub_rgb: Rgb
    label_rgb: Rgb
    ink_rgb: Rgb


def draw_electric_style(seed: int, body_rgb: Rgb) -> ElectricStyle:
    """Draw a maker's details: a hood in the body's colour, dark or light grey; all the rest mostly black."""
    rng = np.random.default_rng(seed)
    body = tuple(body_rgb)
    label, ink = LABEL_AND_INK[rng.integers(len(LABEL_AND_INK))]
    return ElectricStyle(
        squareness=rng.uniform(2.0, 3.6),
        skirt_bottom_m=rng.uniform(0.055, 0.11),
        hood_share=rng.uniform(0.7, 0.9),
        hood_taper=rng.uniform(0.04, 0.22),
        rounding_m=rng.uniform(0.02, 0.055),
        drive_radius_m=rng.uniform(0.105, 0.125),
        castor_radius_m=rng.uniform(0.0375, 0.07),
        shaft_m=(rng.uniform(0.026, 0.036), rng.uniform(0.04, 0.06)),
        head_lean_deg=rng.uniform(4, 12),
        ring_m=(rng.uniform(0.175, 0.19), rng.uniform(0.1, 0.135)),
        ring_corner_m=rng.uniform(0.025, 0.05),
        vents=int(rng.choice([0, 3, 5])),
        lettering=bool(rng.random() < 0.7),
        painted_box=bool(rng.random() < 0.75),
        cover_rgb=(body, GREY, BLACK, LIGHT_GREY)[rng.choice(4, p=(0.6, 0.2, 0.1, 0.1))],
        pump_rgb=(BLACK, GREY)[rng.choice(2)],
        tiller_rgb=(BLACK, GREY)[rng.choice(2, p=(0.8, 0.2))],
        hub_rgb=(STEEL, BLACK)[rng.choice(2)],
        label_rgb=label,
        ink_rgb=ink,
    )


def electric_truck_materials(style: ElectricStyle, parameters: dict, library: AssetCache) -> list[bpy.types.Material]:
    """Return the materials in the order of `TruckMaterial` and `ElectricTruckMaterial`."""
    wear = parameters["wear"]

    def plastic(color: Rgb, roughness: float) -> bpy.types.Material:
        key = ("moulded", color, wear, roughness)
        return library.material(key, lambda: moulded_plastic("moulded plastic", color, wear, roughness))

    def plain(name: str, color: Rgb, roughness: float) -> bpy.types.Material:
        return library.material(("electric", name), lambda: common_materials.plain_material(name, color, roughness))

    return [
        *hand_style.hand_truck_materials(style, parameters, library),
        plastic(style.cover_rgb, 0.4),
        plastic(BLACK, 0.65),
        plain("red plastic", RED, 0.35),
        plain("yellow plastic", YELLOW, 0.4),
        plain("screen", (0.03, 0.05, 0.06), 0.08),
    ]


def moulded_plastic(name: str, color: Rgb, wear: float, roughness: float) -> bpy.types.Material:
    """Coloured plastic: floor dirt that gets less with height, and pale scuffs where pallets and racks have been."""
    builder = common_materials.new_material_builder(name)
    _, _, height = builder.coordinates()
    low = builder.smoothstep(height, 0.45, 0.05)
    dirt = builder.math("MULTIPLY", builder.noise(6.0), builder.math("MULTIPLY_ADD", low, 0.5 * wear, 0.35 * wear))
    scratch = builder.smoothstep(
        builder.noise(1.0, 4.0, builder.scaled_coordinates(6.0, 6.0, 60.0)), 0.74 - 0.14 * wear, 0.8 - 0.12 * wear
    )
    dirty = builder.mix_colors(dirt, color, (0.11, 0.1, 0.085))
    pale = tuple(0.5 * channel + 0.12 for channel in color)
    builder.set_principled(
        Base_Color=builder.mix_colors(builder.math("MULTIPLY", scratch, 0.8 * wear), dirty, pale),
        Roughness=builder.math("MULTIPLY_ADD", dirt, 0.5, roughness),
    )
    return builder.material
