# SPDX-License-Identifier: Apache-2.0
"""What images show, group by group: layout, people, trucks, goods, camera, light.

A range gives each image its own value, a single number the same to all. Each group can be left out or held fixed, to
see what it is worth: people.count: 0, trucks.electric: 0, goods.fill: 0.5, people.clothing.hi_vis: {none: 1}, ...
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.common.vocabulary import (
    CameraRig,
    Contrast,
    Headwear,
    LayoutKind,
    Legwear,
    LightingKind,
    LookalikeKind,
    NonCartonKind,
)
from pipeline.config.field_types import (
    CountRange,
    FloatRange,
    Fraction,
    FractionRange,
    PositiveSum,
    Section,
    within_limits,
)


class LayoutSection(Section):
    """How the hall is laid out."""

    kinds: Annotated[dict[LayoutKind, Fraction], PositiveSum] = Field(
        {"aisle": 0.26, "staging": 0.12, "dock": 0.09, "packing": 0.07, "block": 0.07, "mixed": 0.1, "chaos": 0.29},
        description="shares; all are as people work but chaos",
    )
    empty: Fraction = Field(0.06, description="share of images without any person or truck")


class ClothingSection(Section):
    """What people wear; shares. The defaults are our guess of a European warehouse."""

    hi_vis: Annotated[dict[Literal["vest", "jacket", "none"], Fraction], PositiveSum] = Field(
        {
            "vest": 0.38,
            "jacket": 0.14,
            "none": 0.48,
        },
        description="shares",
    )
    hi_vis_colors: Annotated[dict[Literal["yellow", "orange", "red"], Fraction], PositiveSum] = Field(
        {"yellow": 0.5, "orange": 0.38, "red": 0.12}, description="the colours of EN ISO 20471"
    )
    legs: Annotated[dict[Legwear, Fraction], PositiveSum] = Field(
        {
            "trousers": 0.76,
            "dungarees": 0.13,
            "shorts": 0.11,
        },
        description="shares",
    )
    head: Annotated[dict[Headwear, Fraction], PositiveSum] = Field(
        {
            "helmet": 0.18,
            "cap": 0.15,
            "bump_cap": 0.09,
            "hair": 0.58,
        },
        description="shares",
    )
    bag: Annotated[dict[Literal["none", "backpack", "shoulder_bag"], Fraction], PositiveSum] = Field(
        {
            "none": 0.9,
            "backpack": 0.06,
            "shoulder_bag": 0.04,
        },
        description="shares",
    )
    short_sleeves: Fraction = 0.35
    hoods: Fraction = Field(0.3, description="of those with long sleeves")
    office: Fraction = Field(0.08, description="light shirt, dark trousers, no headwear")


class PeopleSection(Section):
    """Pedestrians."""

    count: CountRange = (0, 4)
    working_pairs: Fraction = Field(0.3, description="share of images with somebody pushing or pulling a truck")
    activities: Annotated[dict[Literal["alone", "talk", "carry", "sit"], Fraction], PositiveSum] = Field(
        {"alone": 0.71, "talk": 0.12, "carry": 0.12, "sit": 0.05},
        description="shares of what people without a truck do",
    )
    poses_alone: Annotated[dict[Literal["walk", "stand", "scan", "bend", "crouch", "reach"], Fraction], PositiveSum] = (
        Field(
            {"walk": 0.45, "stand": 0.26, "scan": 0.12, "bend": 0.06, "crouch": 0.05, "reach": 0.06},
            description="shares of the poses of those alone",
        )
    )
    women: Fraction = Field(
        0.25, description="share; of those employed in transportation and storage 22 % (EU-LFS 2022)"
    )
    age_years: Annotated[FloatRange, within_limits(18, 90)] = Field(
        (18, 68), description="within it, ages are as frequent as among the employed (EU-LFS 2022)"
    )
    height_m: Annotated[FloatRange, within_limits(1.4, 2.1)] = Field(
        (1.5, 1.95), description="limits; within them heights follow sex and ancestry (NCD-RisC 2016)"
    )
    clothing: ClothingSection = ClothingSection()
    custom_share: Fraction = Field(
        0.5, description="of people alone, how many are meshes of your own, if the catalogue has any"
    )


class TrucksSection(Section):
    """Pallet trucks."""

    count: CountRange = (0, 4)
    electric: Fraction = Field(0.3, description="share of electric walkies; the others are hand pallet trucks")
    places: Annotated[dict[Literal["free", "rack", "pallet", "row", "beside"], Fraction], PositiveSum] = Field(
        {"free": 0.18, "rack": 0.3, "pallet": 0.32, "row": 0.1, "beside": 0.1},
        description="shares: on the floor, in or before a rack, forks in a pallet, several in a row, by a look-alike",
    )
    tiller_to_camera: Fraction = Field(
        0.7,
        description="share of parked trucks that turn their tiller to the camera: forks go in first, so that is what"
        " one sees from a gangway; the others are turned anyhow",
    )
    under_beams: Fraction = Field(0.35, description="of trucks at a rack, how many stand under its lowest beam")
    wide: Fraction = Field(
        0.25,
        description="share of kinds 685 mm wide over their forks, not 540 to 560; the first kind of a hall never is",
    )
    wear: FractionRange = Field((0.0, 1.0), description="0 new, 1 ready for the scrapyard; most are in between")
    custom_share: Fraction = Field(
        0.5, description="of trucks that nobody uses, how many are meshes of your own, if the catalogue has any"
    )


class GoodsSection(Section):
    """Goods, furniture and things on wheels that are no pallet trucks; none of them is labelled."""

    fill: FractionRange = Field((0.3, 1.0), description="how full racks and floor are: 0 empty, 1 crowded")
    along_walls: FractionRange = Field(
        (0.2, 1.0), description="share of the free walls that racks and goods stand along"
    )
    other: FractionRange = Field((0.0, 0.5), description="share of loads that are no cartons: crates, drums, ...")
    other_kinds: Annotated[dict[NonCartonKind, Fraction], PositiveSum] = Field(
        {
            "crate": 0.3,
            "drum": 0.2,
            "stillage": 0.2,
            "ibc": 0.1,
            "cable_reel": 0.06,
            "bin": 0.14,
        },
        description="shares",
    )
    furniture: FractionRange = Field(
        (0.0, 1.0), description="how much of it: tables, conveyors, ladders, bollards, cones, signs"
    )
    lookalikes: CountRange = Field(
        (0, 3), description="things on wheels that are no pallet trucks, where the camera looks"
    )
    lookalike_kinds: Annotated[dict[LookalikeKind, Fraction], PositiveSum] = Field(
        {
            "hand_trolley": 0.2,
            "platform_cart": 0.15,
            "roll_cage": 0.15,
            "forklift": 0.14,
            "reach_truck": 0.12,
            "stacker": 0.14,
            "cleaning_machine": 0.1,
        },
        description="shares",
    )
    custom_share: Fraction = Field(
        0.5, description="of look-alikes, how many are meshes of your own without a category, if the catalogue has any"
    )


FieldOfViewRange = Annotated[FloatRange, within_limits(10, 150)]


class FieldOfViewSection(Section):
    """Horizontal field of view by rig, in degrees; one range is the same for all."""

    robot: FieldOfViewRange = (55, 100)
    handheld: FieldOfViewRange = (45, 85)
    ceiling: FieldOfViewRange = (55, 100)
    forklift_mast: FieldOfViewRange = (55, 100)

    @model_validator(mode="before")
    @classmethod
    def _same_for_all(cls, value: Any) -> Any:
        return value if isinstance(value, dict | FieldOfViewSection) else dict.fromkeys(cls.model_fields, value)


class CameraSection(Section):
    """Where the camera hangs, what it sees, and what its lens does."""

    width: Annotated[int, Field(ge=32, le=8192)] = 384
    height: Annotated[int, Field(ge=32, le=8192)] = 288
    rigs: Annotated[dict[CameraRig, Fraction], PositiveSum] = Field(
        {
            "robot": 0.36,
            "handheld": 0.44,
            "ceiling": 0.1,
            "forklift_mast": 0.1,
        },
        description="shares",
    )
    fov_deg: FieldOfViewSection = FieldOfViewSection()
    roll_deg: Annotated[float, Field(ge=0, le=45)] = Field(2.0, description="standard deviation")
    aim_deg: Annotated[float, Field(ge=0, le=45)] = Field(
        3.0, description="standard deviation of the pitch about what the rig aims at"
    )
    subject: Fraction = Field(
        0.5, description="share of images whose camera aims at a person or a truck, near and with nothing in between"
    )
    subject_height: Annotated[FloatRange, within_limits(0.05, 1)] = Field(
        (0.3, 0.95), description="of what the camera aims at, as a share of the image's height"
    )
    distorted: Fraction = Field(0.3, description="share of images with lens distortion")
    distortion: Annotated[FloatRange, within_limits(-0.4, 0.2)] = Field(
        (-0.3, 0.05), description="k1 of Brown and Conrady; the wider the view, the nearer to the low end"
    )
    motion_blur: Fraction = Field(0.1, description="share of images whose camera moves while the shutter is open")
    motion_m: Annotated[FloatRange, within_limits(0, 0.5)] = Field(
        (0.0, 0.03), description="way while the shutter is open"
    )
    motion_deg: Annotated[FloatRange, within_limits(0, 10)] = Field(
        (0.0, 0.6), description="turn while the shutter is open"
    )
    depth_of_field: Fraction = Field(0.1, description="share of images that are sharp at one distance only")
    aperture_f: Annotated[FloatRange, within_limits(0.7, 64)] = Field(
        (1.4, 4.0), description="f-number at 36 mm of sensor width"
    )
    focus_m: Annotated[FloatRange, within_limits(0.1, 1000)] = Field((1.5, 8.0), description="drawn log-uniformly")
    contrast: Annotated[dict[Contrast, Fraction], PositiveSum] = Field(
        {"base": 0.12, "medium_high": 0.24, "high": 0.32, "very_high": 0.32},
        description="shares of the camera's tone curves, Blender's looks for the view transform",
    )
    white_balance: FractionRange = Field(
        (0.5, 1.0), description="how much of the light's cast automatic white balance takes away: 0 nothing, 1 all"
    )
    exposure_error: Fraction = Field(0.1, description="share of images that are exposed wrongly")
    exposure_error_ev: Annotated[FloatRange, within_limits(-10, 10)] = (-2.0, 1.5)


class LightSection(Section):
    """Lamps, daylight and exposure."""

    scenes: Annotated[dict[LightingKind, Fraction], PositiveSum] = Field(
        {"high_bay": 0.34, "neon": 0.33, "daylight": 0.2, "dusk": 0.07, "torch": 0.06},
        description="shares: lamps of either kind, light through doors and windows, dusk, a dark hall with a headlight",
    )
    temperature_k: Annotated[FloatRange, within_limits(1700, 25000)] = (2700, 7500)
    colored: Fraction = Field(0.04, description="share of images with strongly coloured light")
    dead: Annotated[FloatRange, within_limits(0, 0.95)] = Field(
        (0.0, 0.3), description="share of lamps that do not burn"
    )
    flickering: Fraction = Field(0.06, description="share of neon tubes that are dim, too warm or too cold")
    power: Annotated[FloatRange, within_limits(0.01, 100)] = Field(
        (0.3, 3.0), description="factor on every lamp's power, drawn log-uniformly"
    )
    hdri: Fraction = Field(0.35, description="share of images whose fill light comes from a photographed place")
    exposure_ev: Annotated[FloatRange, within_limits(-10, 10)] = (-1.0, 1.0)
