# SPDX-License-Identifier: GPL-3.0-or-later
"""Details in which electric pallet trucks differ: by battery, and by maker as drawn from the seed of a truck."""

from dataclasses import dataclass

import numpy as np

from blender.materials.common_materials import Rgb
from blender.trucks.truck_materials import BLACK, GRAY, LABEL_AND_INK, STEEL, TruckColors

LIGHT_GRAY = (0.45, 0.45, 0.43)


@dataclass(frozen=True)
class BatteryLayout:
    """Dimensions that depend on the battery: x of the skirt's rear, radius of the hood, axis to the tiller's hinge.

    `pipeline/scenes/geometry/collision_boxes.py` has the same dimensions with some clearance.
    """

    rear_x_m: float
    hood_radius_m: float
    hinge_distance_m: float


BATTERY_LAYOUTS = {"lithium": BatteryLayout(-0.2, 0.13, 0.18), "lead_acid": BatteryLayout(-0.26, 0.19, 0.24)}


@dataclass(frozen=True)
class ElectricStyle(TruckColors):
    """Dimensions and colors that a maker chooses.

    `squareness`: exponent of the superellipse at the rear of the skirt (2: an ellipse, 4: nearly a box).
    `hood_share`: height of the hood as a share of the body's. `hood_taper`: share by which its radius shrinks at the
    top. `shaft_size_m`: depth and width of the tiller's shaft. `guard_size_m`: width and depth of each hand guard.
    """

    squareness: float
    skirt_bottom_m: float
    hood_share: float
    hood_taper: float
    rounding_m: float
    drive_radius_m: float
    castor_radius_m: float
    shaft_size_m: tuple[float, float]
    head_lean_deg: float
    guard_size_m: tuple[float, float]
    guard_corner_m: float
    vents: int
    lettering: bool
    painted_box: bool
    cover_rgb: Rgb


def draw_electric_style(seed: int, body_rgb: Rgb) -> ElectricStyle:
    """Draw a maker's details. The hood has the color of the body, dark or light gray; the rest is mostly black."""
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
        shaft_size_m=(rng.uniform(0.026, 0.036), rng.uniform(0.04, 0.06)),
        head_lean_deg=rng.uniform(4, 12),
        guard_size_m=(rng.uniform(0.175, 0.19), rng.uniform(0.1, 0.135)),
        guard_corner_m=rng.uniform(0.025, 0.05),
        vents=int(rng.choice([0, 3, 5])),
        lettering=bool(rng.random() < 0.7),
        painted_box=bool(rng.random() < 0.75),
        cover_rgb=(body, GRAY, BLACK, LIGHT_GRAY)[rng.choice(4, p=(0.6, 0.2, 0.1, 0.1))],
        pump_rgb=(BLACK, GRAY)[rng.choice(2)],
        tiller_rgb=(BLACK, GRAY)[rng.choice(2, p=(0.8, 0.2))],
        hub_rgb=(STEEL, BLACK)[rng.choice(2)],
        label_rgb=label,
        ink_rgb=ink,
    )
