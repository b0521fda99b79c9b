# SPDX-License-Identifier: GPL-3.0-or-later
"""Details in which makers of hand pallet trucks differ, drawn from the seed of a truck."""

from dataclasses import dataclass

import numpy as np

from blender.materials.common_materials import Rgb
from blender.trucks.truck_materials import BLACK, GRAY, LABEL_AND_INK, STEEL, TruckColors


@dataclass(frozen=True)
class HandTruckStyle(TruckColors):
    """Dimensions and colors that a maker chooses.

    `frame_top_m`: height of the A-frame with lowered forks. `shaft_flatness`: ratio of the width (y) to the depth (x)
    of the tiller's shaft.
    """

    frame_top_m: float
    wheel_radius_m: float
    wheel_spacing_m: float
    spoked_wheels: bool
    loop_width_m: float
    loop_height_m: float
    shaft_radius_m: float
    shaft_flatness: float
    painted_rocker: bool
    lettering: bool
    lettered_leg: bool


def draw_hand_style(seed: int, body_rgb: Rgb) -> HandTruckStyle:
    """Draw a maker's details. Most trucks have a black pump and tiller, some have the color of the body there."""
    rng = np.random.default_rng(seed)
    body = tuple(body_rgb)
    label, ink = LABEL_AND_INK[rng.integers(len(LABEL_AND_INK))]
    return HandTruckStyle(
        frame_top_m=rng.uniform(0.42, 0.46),
        wheel_radius_m=rng.uniform(0.09, 0.1),
        wheel_spacing_m=rng.uniform(0.12, 0.145),
        spoked_wheels=bool(rng.random() < 0.5),
        loop_width_m=rng.uniform(0.37, 0.42),
        loop_height_m=rng.uniform(0.19, 0.24),
        shaft_radius_m=rng.uniform(0.019, 0.022),
        shaft_flatness=rng.uniform(1.0, 1.35),
        painted_rocker=bool(rng.random() < 0.5),
        lettering=bool(rng.random() < 0.5),
        lettered_leg=bool(rng.random() < 0.5),
        pump_rgb=(BLACK, GRAY, body)[rng.choice(3, p=(0.6, 0.2, 0.2))],
        tiller_rgb=(BLACK, GRAY, body)[rng.choice(3, p=(0.6, 0.1, 0.3))],
        hub_rgb=(STEEL, BLACK, body)[rng.choice(3, p=(0.55, 0.3, 0.15))],
        label_rgb=label,
        ink_rgb=ink,
    )
