# SPDX-License-Identifier: Apache-2.0
"""Sizes and colors of goods and furniture, which are never labeled.

Variant i of n has `PropParameters.variant` from i / n to (i + 1) / n; `blender/goods/` has the same order.
Sizes are (along x, along y, height) in meters, fronts face +x.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.record.base_types import Vec3
from pipeline.record.objects import PropParameters
from pipeline.scenes.assets import palettes
from pipeline.scenes.assets.palettes import draw_color


@dataclass(frozen=True)
class PropVariant:
    """One variant of a kind.

    The size is drawn uniformly between `min_size_m` and `max_size_m`. If `step_m` is not 0, the height is `min_size_m`
    plus a multiple of it. `share` is the weight of the variant among those of its kind. `round_shape` is "upright" for
    props that are as long as wide, "wheel" for props that are as long as high.
    """

    name: str
    min_size_m: Vec3
    max_size_m: Vec3
    colors: tuple[str, ...]
    accents: tuple[str, ...]
    share: float = 1.0
    step_m: float = 0.0
    round_shape: str = ""


PROP_VARIANTS: dict[str, tuple[PropVariant, ...]] = {
    "crate": (
        # Export crates are made to measure; pallet collars are 195 mm high on EUR pallets (UIC 435-2: 144 mm).
        PropVariant("closed", (0.8, 0.6, 0.5), (1.6, 1.1, 1.15), palettes.MACHINES, palettes.PRINT, 1.0),
        PropVariant("collars", (1.2, 0.8, 0.339), (1.2, 0.8, 0.924), palettes.MACHINES, palettes.PRINT, 1.3, 0.195),
        PropVariant("slatted", (0.8, 0.7, 0.6), (1.5, 1.1, 1.2), palettes.MACHINES, palettes.PRINT, 0.6),
    ),
    "drum": (
        # 200 l steel (ISO 15750: 585 x 880), 60 l down to 380 x 600; plastic L-ring 220 l: 581 x 935.
        PropVariant(
            "steel", (0.585, 0.585, 0.87), (0.6, 0.6, 0.9), palettes.DRUMS, palettes.DRUMS, 1.2, round_shape="upright"
        ),
        PropVariant(
            "open_top", (0.38, 0.38, 0.6), (0.6, 0.6, 0.89), palettes.DRUMS, palettes.DRUMS, 0.7, round_shape="upright"
        ),
        PropVariant(
            "plastic",
            (0.57, 0.57, 0.9),
            (0.6, 0.6, 0.97),
            palettes.PLASTIC_DRUMS,
            palettes.DRUMS,
            round_shape="upright",
        ),
    ),
    "stillage": (
        # Gitterbox (UIC 435-3): 1240 x 835 x 970; sheet steel boxes of the same plan from 0.6 m.
        PropVariant("mesh", (1.24, 0.835, 0.97), (1.24, 0.835, 0.97), palettes.STILLAGES, palettes.PAPERS, 2.0),
        PropVariant("sheet", (1.0, 0.8, 0.6), (1.24, 0.85, 0.97), palettes.STILLAGES, palettes.PAPERS),
    ),
    "ibc": (
        # 1000 l: 1200 x 1000 x 1160 (makers' data sheets; 600 l is 1010 high).
        PropVariant("steel_pallet", (1.2, 1.0, 1.15), (1.2, 1.0, 1.17), palettes.TANKS, palettes.IBC_CAPS),
        PropVariant("wood_pallet", (1.2, 1.0, 1.0), (1.2, 1.0, 1.17), palettes.TANKS, palettes.IBC_CAPS),
    ),
    "cable_reel": (
        # Drums 6 to 16 of DIN 46391: 630 x 475 to 1600 x 1100.
        PropVariant(
            "full", (0.63, 0.45, 0.63), (1.6, 1.0, 1.6), palettes.CABLES, palettes.PRINT, 1.5, round_shape="wheel"
        ),
        PropVariant(
            "empty", (0.63, 0.45, 0.63), (1.6, 1.0, 1.6), palettes.CABLES, palettes.PRINT, 0.7, round_shape="wheel"
        ),
        PropVariant(
            "lying", (0.8, 0.8, 0.45), (1.4, 1.4, 0.75), palettes.CABLES, palettes.PRINT, 0.5, round_shape="upright"
        ),
    ),
    "bin": (
        # KLT of VDA 4500: 600 x 400 x 147 to 280, here one to five on each other; picking boxes 500 x 300 x 200;
        # pallet boxes 1200 x 800 x 760 and 1200 x 1000 x 790; waste bins of EN 840-1: 240 l is 725 x 580 x 1075.
        PropVariant("klt", (0.4, 0.6, 0.147), (0.4, 0.6, 1.4), palettes.BINS, palettes.BINS, 1.5),
        PropVariant("open_front", (0.4, 0.25, 0.2), (0.5, 0.32, 1.0), palettes.BINS, palettes.BINS, 1.0, 0.2),
        PropVariant("pallet_box", (1.2, 0.8, 0.6), (1.2, 1.0, 1.0), palettes.PALLET_BOXES, palettes.BINS),
        PropVariant("wheelie", (0.7, 0.56, 1.05), (0.75, 0.6, 1.09), palettes.WASTE_BINS, palettes.WASTE_BINS, 0.7),
    ),
    "ladder": (
        # EN 131 stepladders of 4 to 8 steps; mobile stairs of EN 131-7 with 5 to 10 steps and a rail 1.05 m high.
        PropVariant("step", (0.7, 0.5, 1.0), (1.3, 0.65, 2.1), palettes.LADDERS, palettes.LADDERS),
        PropVariant("stairs", (1.3, 0.7, 1.9), (2.0, 0.85, 3.0), palettes.LADDERS, palettes.LADDERS),
    ),
    "bollard": (
        # Tubes of 76 to 160 mm, 0.8 to 1.2 m high; hoops 0.6 to 1 m wide; flexible posts of 0.75 and 1 m.
        PropVariant(
            "post",
            (0.16, 0.16, 0.8),
            (0.26, 0.26, 1.2),
            palettes.WARNING_YELLOWS,
            palettes.BLACKS,
            1.5,
            round_shape="upright",
        ),
        PropVariant("hoop", (0.16, 0.6, 0.6), (0.2, 1.0, 1.1), palettes.WARNING_YELLOWS, palettes.BLACKS),
        PropVariant(
            "flexible", (0.2, 0.2, 0.75), (0.22, 0.22, 1.0), palettes.CONES, palettes.PAPERS, 0.6, round_shape="upright"
        ),
    ),
    "cone": (
        # EN 13422 cones of 500 and 750 mm; boards 0.3 x 0.62.
        PropVariant(
            "cone", (0.28, 0.28, 0.5), (0.4, 0.4, 0.75), palettes.CONES, palettes.PAPERS, 2.0, round_shape="upright"
        ),
        PropVariant("wet_floor", (0.3, 0.28, 0.58), (0.42, 0.32, 0.66), palettes.WARNING_YELLOWS, palettes.PAPERS),
    ),
    "packing_table": (
        # Makers' tables: 700 to 900 deep, 1500 to 2000 wide, worktop at 0.75 to 0.95 m, superstructure to 2 m.
        PropVariant("bare", (0.7, 1.2, 1.0), (0.9, 2.0, 1.12), palettes.MACHINES, palettes.WORKTOPS),
        PropVariant("shelf", (0.7, 1.5, 1.6), (0.9, 2.0, 2.1), palettes.MACHINES, palettes.WORKTOPS, 1.4),
    ),
    "hanging_sign": (
        # Boards as over aisles and doors; escape signs of ISO 7010 are twice as wide as high.
        PropVariant("aisle", (0.02, 0.4, 0.3), (0.03, 0.8, 0.5), palettes.SIGNS, palettes.PAPERS, 2.0),
        PropVariant("dock", (0.02, 1.0, 0.3), (0.03, 1.8, 0.5), palettes.SIGNS, palettes.PAPERS),
        PropVariant("exit", (0.02, 0.6, 0.3), (0.04, 0.8, 0.4), palettes.EXITS, palettes.PAPERS),
        PropVariant("warning", (0.02, 0.6, 0.6), (0.03, 0.8, 0.8), palettes.PAPERS, palettes.WARNING_YELLOWS, 0.7),
    ),
    "conveyor": (
        # Light roller and belt conveyors: 0.4 to 0.7 m wide, bed at 0.7 to 0.9 m; 0.3 m more with cartons.
        PropVariant("rollers", (1.5, 0.45, 0.7), (3.5, 0.7, 1.2), palettes.MACHINES, palettes.MACHINES, 1.5),
        PropVariant("belt", (1.5, 0.45, 0.7), (3.5, 0.7, 1.2), palettes.MACHINES, palettes.MACHINES),
    ),
}


def draw_prop(random: np.random.Generator, kind: str) -> PropParameters:
    """Draw a variant of a kind in `PROP_VARIANTS`, its size, colors and wear.

    Raises:
        KeyError: `PROP_VARIANTS` lacks the kind.
    """
    variants = PROP_VARIANTS[kind]
    shares = np.array([variant.share for variant in variants])
    number = int(random.choice(len(variants), p=shares / shares.sum()))
    variant = variants[number]
    return PropParameters(
        size_m=_draw_size(random, variant),
        color_rgb=draw_color(random, variant.colors),
        accent_rgb=draw_color(random, variant.accents, 0.06),
        wear=round(float(random.beta(1.6, 2.4)), 3),
        variant=round((number + 0.5) / len(variants), 3),
        seed=draw_seed(random),
    )


def _draw_size(random: np.random.Generator, variant: PropVariant) -> Vec3:
    length, width, height = random.uniform(variant.min_size_m, variant.max_size_m)
    if variant.step_m:
        steps = round((variant.max_size_m[2] - variant.min_size_m[2]) / variant.step_m)
        height = variant.min_size_m[2] + variant.step_m * random.integers(steps + 1)
    if variant.round_shape == "upright":
        width = length
    if variant.round_shape == "wheel":  # it rolls along x and is narrower than high
        height, width = length, min(width, 0.8 * length)
    return round(float(length), 3), round(float(width), 3), round(float(height), 3)
