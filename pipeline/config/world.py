# SPDX-License-Identifier: Apache-2.0
"""The sections that describe what images show: layout, people, trucks, goods, camera and light.

From a range, a value is drawn for each image; a single number is the same in all images. To measure the effect
of one kind of variation, hold it fixed: `people.count: 0`, `trucks.electric: 0`, `goods.fill: 0.5`, ...
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.common.plain_values import AS_NUMBER, AS_WHOLE_NUMBER, read_number, read_range
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
    check_limits,
    within_limits,
)


class LayoutSection(Section):
    """How the hall is laid out."""

    kinds: Annotated[dict[LayoutKind, Fraction], PositiveSum] = Field(
        {"aisle": 0.26, "staging": 0.12, "dock": 0.09, "packing": 0.07, "block": 0.07, "mixed": 0.1, "chaos": 0.29},
        description="shares; `chaos` places everything at random, the other layouts follow how people work",
    )
    empty: Fraction = Field(0.06, description="share of images without people and trucks")


class ClothingSection(Section):
    """What people wear. The defaults are our estimate for a European warehouse."""

    hi_vis: Annotated[dict[Literal["vest", "jacket", "none"], Fraction], PositiveSum] = Field(
        {"vest": 0.38, "jacket": 0.14, "none": 0.48}, description="shares of high-visibility clothing"
    )
    hi_vis_colors: Annotated[dict[Literal["yellow", "orange", "red"], Fraction], PositiveSum] = Field(
        {"yellow": 0.5, "orange": 0.38, "red": 0.12}, description="shares; the colors of EN ISO 20471"
    )
    legs: Annotated[dict[Legwear, Fraction], PositiveSum] = Field(
        {"trousers": 0.76, "dungarees": 0.13, "shorts": 0.11}, description="shares"
    )
    head: Annotated[dict[Headwear, Fraction], PositiveSum] = Field(
        {"helmet": 0.18, "cap": 0.15, "bump_cap": 0.09, "hair": 0.58}, description="shares; `hair`: no headwear"
    )
    bag: Annotated[dict[Literal["none", "backpack", "shoulder_bag"], Fraction], PositiveSum] = Field(
        {"none": 0.9, "backpack": 0.06, "shoulder_bag": 0.04}, description="shares"
    )
    short_sleeves: Fraction = Field(0.35, description="share of people with short sleeves")
    hoods: Fraction = Field(0.3, description="share of hoods among people with long sleeves")
    office: Fraction = Field(0.08, description="share of people in a light shirt and dark trousers, without headwear")


class PeopleSection(Section):
    """Pedestrians."""

    count: CountRange = Field((0, 4), description="people in an image")
    working_pairs: Fraction = Field(0.3, description="share of images with a person who pushes or pulls a truck")
    activities: Annotated[dict[Literal["alone", "talk", "carry", "sit"], Fraction], PositiveSum] = Field(
        {"alone": 0.71, "talk": 0.12, "carry": 0.12, "sit": 0.05},
        description="shares of what people without a truck do",
    )
    poses_alone: Annotated[dict[Literal["walk", "stand", "scan", "bend", "crouch", "reach"], Fraction], PositiveSum] = (
        Field(
            {"walk": 0.45, "stand": 0.26, "scan": 0.12, "bend": 0.06, "crouch": 0.05, "reach": 0.06},
            description="shares of the poses for the activity `alone`",
        )
    )
    women: Fraction = Field(
        0.25, description="share; in transportation and storage, 22 % of the employed are women (EU-LFS 2022)"
    )
    age_years: Annotated[FloatRange, within_limits(18, 90)] = Field(
        (18, 68), description="limits; within them, ages are as frequent as among the employed (EU-LFS 2022)"
    )
    height_m: Annotated[FloatRange, within_limits(1.4, 2.1)] = Field(
        (1.5, 1.95), description="limits; within them, heights follow sex and ancestry (NCD-RisC 2016)"
    )
    clothing: ClothingSection = ClothingSection()
    custom_share: Fraction = Field(
        0.5, description="share of custom meshes among people who are alone, if the catalogue has any"
    )


class TrucksSection(Section):
    """Pallet trucks."""

    count: CountRange = Field((0, 4), description="pallet trucks in an image")
    electric: Fraction = Field(0.3, description="share of electric pallet trucks; the others are hand pallet trucks")
    places: Annotated[dict[Literal["free", "rack", "pallet", "row", "beside"], Fraction], PositiveSum] = Field(
        {"free": 0.18, "rack": 0.3, "pallet": 0.32, "row": 0.1, "beside": 0.1},
        description="shares of where trucks are parked: on the open floor, at a rack, with the forks in a pallet, in a "
        "row of trucks, beside a look-alike",
    )
    tiller_to_camera: Fraction = Field(
        0.7,
        description="share of parked trucks whose tiller points to the camera, as seen from an aisle, because forks go "
        "in first; the others are turned at random",
    )
    under_beams: Fraction = Field(0.35, description="share of trucks at a rack that stand under its lowest beam")
    wide: Fraction = Field(
        0.25,
        description="share of truck models that are 685 mm wide over the forks, instead of 540 to 560 mm; the first "
        "model of a hall is always narrow",
    )
    wear: FractionRange = Field((0.0, 1.0), description="0 is new, 1 is worn out; most trucks are in between")
    custom_share: Fraction = Field(
        0.5, description="share of custom meshes among trucks that nobody uses, if the catalogue has any"
    )


class GoodsSection(Section):
    """Goods, furniture and vehicles that are no pallet trucks. None of them gets a label."""

    fill: FractionRange = Field((0.3, 1.0), description="how full racks and floor are: 0 is empty, 1 is crowded")
    along_walls: FractionRange = Field(
        (0.2, 1.0), description="share of the free walls with racks and goods in front of them"
    )
    other: FractionRange = Field((0.0, 0.5), description="share of loads that are not cartons: crates, drums, ...")
    other_kinds: Annotated[dict[NonCartonKind, Fraction], PositiveSum] = Field(
        {"crate": 0.3, "drum": 0.2, "stillage": 0.2, "ibc": 0.1, "cable_reel": 0.06, "bin": 0.14},
        description="shares of the loads that are not cartons",
    )
    furniture: FractionRange = Field(
        (0.0, 1.0), description="amount of tables, conveyors, ladders, bollards, cones and signs: 0 is none"
    )
    lookalikes: CountRange = Field(
        (0, 3), description="vehicles and carts in view that are no pallet trucks, such as a forklift"
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
        description="shares of the look-alikes",
    )
    custom_share: Fraction = Field(
        0.5, description="share of custom meshes without a category among look-alikes, if the catalogue has any"
    )


FIELD_OF_VIEW_LIMITS = (10, 150)
FieldOfViewRange = Annotated[FloatRange, within_limits(*FIELD_OF_VIEW_LIMITS)]


class FieldOfViewSection(Section):
    """Horizontal field of view of each camera rig, in degrees. A single range counts for all rigs."""

    robot: FieldOfViewRange = (55, 100)
    handheld: FieldOfViewRange = (45, 85)
    ceiling: FieldOfViewRange = (55, 100)
    forklift_mast: FieldOfViewRange = (55, 100)

    @model_validator(mode="before")
    @classmethod
    def _expand_single_range(cls, value: Any) -> Any:
        if value is None or isinstance(value, dict | FieldOfViewSection):
            return value
        return dict.fromkeys(cls.model_fields, check_limits(read_range(value, read_number), *FIELD_OF_VIEW_LIMITS))


class CameraSection(Section):
    """Where the camera is, what it sees, and the effects of its lens."""

    width: Annotated[int, Field(ge=32, le=8192), AS_WHOLE_NUMBER] = Field(
        960, description="width of the images, in pixels"
    )
    height: Annotated[int, Field(ge=32, le=8192), AS_WHOLE_NUMBER] = Field(
        540, description="height of the images, in pixels"
    )
    rigs: Annotated[dict[CameraRig, Fraction], PositiveSum] = Field(
        {"robot": 0.36, "handheld": 0.44, "ceiling": 0.1, "forklift_mast": 0.1},
        description="shares of what the camera is mounted on",
    )
    fov_deg: FieldOfViewSection = FieldOfViewSection()
    roll_deg: Annotated[float, Field(ge=0, le=45), AS_NUMBER] = Field(2.0, description="standard deviation of the roll")
    aim_deg: Annotated[float, Field(ge=0, le=45), AS_NUMBER] = Field(
        3.0, description="standard deviation of the pitch around the direction that is usual for the rig"
    )
    subject: Fraction = Field(
        0.5, description="share of images whose camera aims at a near person or truck with a free line of sight"
    )
    subject_height: Annotated[FloatRange, within_limits(0.05, 1)] = Field(
        (0.3, 0.95), description="height of that person or truck, relative to the height of the image"
    )
    distorted: Fraction = Field(0.3, description="share of images with lens distortion")
    distortion: Annotated[FloatRange, within_limits(-0.4, 0.2)] = Field(
        (-0.3, 0.05), description="k1 of the Brown-Conrady model; wide views get values near the low end"
    )
    motion_blur: Fraction = Field(0.1, description="share of images whose camera moves while the shutter is open")
    motion_m: Annotated[FloatRange, within_limits(0, 0.5)] = Field(
        (0.0, 0.03), description="path of the camera while the shutter is open, in meters"
    )
    motion_deg: Annotated[FloatRange, within_limits(0, 10)] = Field(
        (0.0, 0.6), description="rotation of the camera while the shutter is open, in degrees"
    )
    depth_of_field: Fraction = Field(0.1, description="share of images that are sharp only at one distance")
    aperture_f: Annotated[FloatRange, within_limits(0.7, 64)] = Field(
        (1.4, 4.0), description="f-number, for a sensor 36 mm wide"
    )
    focus_m: Annotated[FloatRange, within_limits(0.1, 1000)] = Field(
        (1.5, 8.0), description="focus distance in meters, drawn log-uniformly"
    )
    contrast: Annotated[dict[Contrast, Fraction], PositiveSum] = Field(
        {"base": 0.12, "medium_high": 0.24, "high": 0.32, "very_high": 0.32},
        description="shares of the tone curves of the camera: the `looks` of Blender for the view transform",
    )
    white_balance: FractionRange = Field(
        (0.5, 1.0),
        description="part of the color cast that automatic white balance removes: 0 is nothing, 1 is all",
    )
    exposure_error: Fraction = Field(0.1, description="share of images with a wrong exposure")
    exposure_error_ev: Annotated[FloatRange, within_limits(-10, 10)] = Field(
        (-2.0, 1.5), description="error of a wrong exposure, in stops"
    )


class LightSection(Section):
    """Lamps, daylight and exposure."""

    scenes: Annotated[dict[LightingKind, Fraction], PositiveSum] = Field(
        {"high_bay": 0.34, "neon": 0.33, "daylight": 0.2, "dusk": 0.07, "torch": 0.06},
        description="shares: two kinds of lamps, daylight through doors and windows, dusk, darkness with a headlight",
    )
    temperature_k: Annotated[FloatRange, within_limits(1700, 25000)] = Field(
        (2700, 7500), description="color temperature of the lamps, in kelvins"
    )
    colored: Fraction = Field(0.04, description="share of images with strongly colored light")
    dead: Annotated[FloatRange, within_limits(0, 0.95)] = Field((0.0, 0.3), description="share of lamps that are off")
    flickering: Fraction = Field(0.06, description="share of neon tubes that are too dim, too warm or too cold")
    power: Annotated[FloatRange, within_limits(0.01, 100)] = Field(
        (0.3, 3.0), description="factor on the power of all lamps, drawn log-uniformly"
    )
    hdri: Fraction = Field(0.35, description="share of images whose fill light comes from a photographed panorama")
    exposure_ev: Annotated[FloatRange, within_limits(-10, 10)] = Field(
        (-1.0, 1.0), description="change of the exposure, in stops"
    )
