# SPDX-License-Identifier: Apache-2.0
"""Sizes and colors of vehicles that look like pallet trucks and are never labeled.

Sizes are typical ranges of manufacturers' data sheets: length with forks, width, height with the mast lowered.
Counterbalance forklifts of 1.5 to 2.0 t, reach trucks of 1.4 to 1.6 t, stackers of 1.0 to 1.4 t, scrubber driers with a
working width of 43 to 66 cm (walk-behind) and 70 to 85 cm (ride-on). Roll cages follow EN 12674 (720 x 800 mm), hand
trolleys and platform carts follow trade catalogs.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.record.objects import PropParameters
from pipeline.scenes.assets.palettes import (
    CART_DECKS,
    CART_FRAMES,
    CLEANER_BODIES,
    CLEANER_LIDS,
    LIFT_TRUCK_ACCENTS,
    LIFT_TRUCK_BODIES,
    draw_color,
)

SizeRange = tuple[float, float]
Palette = tuple[str, ...]


@dataclass(frozen=True)
class VehicleVariant:
    """One variant of a kind: ranges of its size in meters and the palettes of its two paints."""

    length_m: SizeRange
    width_m: SizeRange
    height_m: SizeRange
    colors: Palette
    accents: Palette


# Variant i of n has `PropParameters.variant` from i / n to (i + 1) / n; `blender/vehicles/` has the same order.
VEHICLE_VARIANTS: dict[str, tuple[VehicleVariant, ...]] = {
    "hand_trolley": (
        VehicleVariant((0.5, 0.6), (0.48, 0.6), (1.15, 1.3), CART_FRAMES, CART_FRAMES),  # two grips
        VehicleVariant((0.48, 0.56), (0.46, 0.56), (1.1, 1.3), CART_FRAMES, CART_FRAMES),  # hoop
        VehicleVariant((0.48, 0.58), (0.48, 0.56), (1.2, 1.35), CART_FRAMES, CART_FRAMES),  # aluminium
    ),
    "platform_cart": (
        VehicleVariant((0.85, 1.25), (0.55, 0.8), (0.9, 1.05), CART_FRAMES, CART_DECKS),  # one handle
        VehicleVariant((0.95, 1.3), (0.55, 0.8), (0.95, 1.15), CART_FRAMES, CART_DECKS),  # a handle at each end
        VehicleVariant((0.85, 1.15), (0.5, 0.7), (0.9, 1.1), CART_FRAMES, CART_DECKS),  # with a shelf
    ),
    "roll_cage": (
        VehicleVariant((0.7, 0.75), (0.8, 0.82), (1.6, 1.85), CART_DECKS, CART_FRAMES),  # two sides
        VehicleVariant((0.7, 0.85), (0.8, 0.82), (1.6, 1.85), CART_DECKS, CART_FRAMES),  # three sides
        VehicleVariant((0.7, 0.85), (0.8, 0.82), (1.6, 1.85), CART_DECKS, CART_FRAMES),  # three sides, loaded
    ),
    "forklift": (
        VehicleVariant((2.95, 3.3), (1.06, 1.18), (2.1, 2.3), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # electric
        VehicleVariant((3.3, 3.6), (1.08, 1.2), (2.15, 2.35), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # gas
        VehicleVariant((3.3, 3.7), (1.1, 1.25), (2.1, 2.3), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # old
    ),
    "reach_truck": (
        VehicleVariant((2.4, 2.6), (1.2, 1.4), (2.3, 3.2), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # mast drawn back
        VehicleVariant((3.0, 3.2), (1.2, 1.4), (2.3, 3.2), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # mast reached out
    ),
    "stacker": (
        VehicleVariant((1.9, 2.05), (0.72, 0.82), (1.75, 2.15), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # electric
        VehicleVariant((1.9, 2.05), (0.9, 1.2), (1.75, 2.15), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # straddle legs
        VehicleVariant((1.75, 1.85), (0.75, 0.95), (1.8, 2.05), LIFT_TRUCK_BODIES, LIFT_TRUCK_ACCENTS),  # manual
    ),
    "cleaning_machine": (
        VehicleVariant((1.15, 1.3), (0.65, 0.75), (1.03, 1.12), CLEANER_BODIES, CLEANER_LIDS),  # small
        VehicleVariant((1.3, 1.5), (0.75, 0.95), (1.05, 1.15), CLEANER_BODIES, CLEANER_LIDS),  # large
        VehicleVariant(
            (1.5, 1.75), (0.8, 1.0), (1.65, 1.8), CLEANER_BODIES, CLEANER_LIDS
        ),  # ride-on, to the beacon's top
    ),
}


def draw_vehicle(random: np.random.Generator, kind: str) -> PropParameters:
    """Draw a variant of a kind in `VEHICLE_VARIANTS`, its size, paint and wear.

    Raises:
        KeyError: `VEHICLE_VARIANTS` lacks the kind.
    """
    variants = VEHICLE_VARIANTS[kind]
    number = int(random.integers(len(variants)))
    variant = variants[number]
    length, width, height = (
        round(float(random.uniform(*limits)), 3) for limits in (variant.length_m, variant.width_m, variant.height_m)
    )
    return PropParameters(
        size_m=(length, width, height),
        color_rgb=draw_color(random, variant.colors),
        accent_rgb=draw_color(random, variant.accents),
        wear=round(float(random.beta(2, 3)), 3),
        variant=round((number + float(random.uniform(0.01, 0.99))) / len(variants), 4),
        seed=draw_seed(random),
    )
