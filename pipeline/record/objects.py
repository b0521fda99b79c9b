# SPDX-License-Identifier: Apache-2.0
"""The objects of a scene record and what shapes them.

Every asset's own frame: origin on the surface it stands on, forward = +x, left = +y, up = +z; `yaw_deg` turns it
counter-clockwise seen from above. Metres; colours linear Rec. 709 in 0..1.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from pipeline.record.base_types import RecordModel, Rgb, UnitFloat, Vec3


class RackParameters(RecordModel):
    """Pallet rack; bays along x, centred on the origin, `depth_m` along y. Each level is the top of its beams."""

    bays: int
    bay_width_m: float
    depth_m: float
    height_m: float
    level_heights_m: tuple[float, ...]
    upright_width_m: float
    beam_height_m: float
    upright_rgb: Rgb
    beam_rgb: Rgb
    guards: bool
    wear: UnitFloat
    seed: int


class EurPalletParameters(RecordModel):
    """1.2 m along x, 0.8 m along y, 0.144 m high, centred. `age` 0 = new yellow wood, 1 = grey and broken."""

    age: UnitFloat
    seed: int


class CartonStackParameters(RecordModel):
    """`count` = (nx, ny, layers) cartons of `carton_m` (x, y, z), centred; `missing` are absent from the top layer."""

    count: tuple[int, int, int]
    carton_m: Vec3
    missing: int
    color_rgb: Rgb
    wrapped: bool
    seed: int


class CartonParameters(RecordModel):
    size_m: Vec3
    color_rgb: Rgb
    seed: int


class ColumnParameters(RecordModel):
    """A square column of the hall, with a striped guard at its foot or without."""

    width_m: float
    height_m: float
    color_rgb: Rgb
    guard: bool


PROP_KINDS = (
    # goods
    *("crate", "drum", "stillage", "ibc", "cable_reel", "bin"),
    # look-alikes: things on wheels, with forks or handles, that are no pallet trucks
    *("hand_trolley", "platform_cart", "roll_cage", "forklift", "reach_truck", "stacker", "cleaning_machine"),
    # furniture
    *("ladder", "bollard", "cone", "packing_table", "hanging_sign", "conveyor"),
)


class PropParameters(RecordModel):
    """A thing that is never labelled. `size_m` (length along x, width along y, height) encloses it, centred, on z = 0.

    Front (forks, handle, drawer) towards +x. `variant` 0..1 picks among forms; what it means is the builder's.
    """

    size_m: Vec3
    color_rgb: Rgb
    accent_rgb: Rgb
    wear: UnitFloat
    variant: UnitFloat
    seed: int


class HandPalletTruckParameters(RecordModel):
    """Hand pallet truck; origin on the floor under the tiller pivot, forks towards +x.

    `tiller_tilt_deg` leans the tiller from upright towards -x, `tiller_turn_deg` turns it and the steer wheels about
    the vertical (counter-clockwise). `lift_m` is the height of the fork tops: 0.085 lowered, 0.200 raised.
    `grip`: a closed D of tube, a long loop that runs to a point, or a loop with thick rubber where the hands hold.
    """

    fork_length_m: float
    width_m: float
    fork_width_m: float
    lift_m: float
    tandem_rollers: bool
    tiller_tilt_deg: float
    tiller_turn_deg: float
    grip: Literal["d_loop", "triangle", "rounded"]
    wheel_covers: bool
    body_rgb: Rgb
    wheel_rgb: Rgb
    wear: UnitFloat
    seed: int


class ElectricPalletTruckParameters(RecordModel):
    """Electric walkie; origin on the floor under the steering's axis, forks towards +x, as a hand pallet truck.

    `battery` gives the form: lithium is short and slim, lead-acid has a box before the drive. `heel_to_rear_m` is the
    length without forks, `chassis_width_m` and `chassis_height_m` are those of the body, lowered. The tiller turns
    about the origin, and leans by `tiller_tilt_deg` from upright about a hinge low behind the drive.
    """

    battery: Literal["lithium", "lead_acid"]
    fork_length_m: float
    width_m: float
    fork_width_m: float
    heel_to_rear_m: float
    chassis_width_m: float
    chassis_height_m: float
    lift_m: float
    tandem_rollers: bool
    backrest: bool
    tiller_tilt_deg: float
    tiller_turn_deg: float
    body_rgb: Rgb
    wheel_rgb: Rgb
    wear: UnitFloat
    seed: int


class Pose(RecordModel):
    """What a person does. `hand_left_m` and `hand_right_m`: grip centres in the person's own frame; null: free hands.

    Grips are of bars that run from side to side; of somebody who carries, where the palms touch the load's sides.
    `phase` is the gait phase in 0..1 (0 = right heel strike) of all that walk: walk, push, pull, walk_beside, carry;
    `seat_m` is the height of what somebody sits on; `seed` varies the rest. Who scans has a scanner in the right hand.
    """

    name: Literal[
        *("walk", "stand", "push", "pull", "crouch"),
        *("walk_beside", "carry", "reach", "bend", "sit", "scan", "talk"),
    ]
    phase: UnitFloat
    seed: int
    hand_left_m: Vec3 | None
    hand_right_m: Vec3 | None
    seat_m: float | None = None

    @model_validator(mode="after")
    def _check_seat_height(self) -> Self:
        if (self.name == "sit") != (self.seat_m is not None):
            raise ValueError("seat_m is needed by sit and by no other pose")
        return self


class Outfit(RecordModel):
    """What a person wears, from the skin out. `jacket_rgb`: a hi-vis jacket that hides all other tops.

    A hood goes with long sleeves; a bag is worn over all. `hair` is what shows of it without headwear.
    """

    sleeves: Literal["long", "short"]
    hood: bool = False
    top_rgb: Rgb
    legs: Literal["trousers", "shorts", "dungarees"] = "trousers"
    trousers_rgb: Rgb
    shoes_rgb: Rgb
    vest_rgb: Rgb | None
    jacket_rgb: Rgb | None = None
    head: Literal["helmet", "cap", "bump_cap", "hair"]
    head_rgb: Rgb
    hair: Literal["shaved", "short", "full", "long"] = "short"
    hair_rgb: Rgb
    bag: Literal["backpack", "shoulder_bag"] | None = None
    bag_rgb: Rgb = (0.02, 0.02, 0.02)


class PersonParameters(RecordModel):
    """A MakeHuman body. Origin on the floor below the hips, facing +x. Macro values as MakeHuman's sliders in 0..1.

    `gender` 0 male, 1 female; `age` 2/3 is 25 years, 1 old; the three ancestry shares sum to 1.
    """

    gender: UnitFloat
    age: UnitFloat
    muscle: UnitFloat
    weight: UnitFloat
    proportions: UnitFloat
    african: UnitFloat
    asian: UnitFloat
    caucasian: UnitFloat
    height_m: float
    skin_rgb: Rgb
    pose: Pose
    outfit: Outfit


SignedAxis = Literal["+x", "-x", "+y", "-y", "+z", "-z"]


class CustomMeshParameters(RecordModel):
    """A mesh of the user's own (docs/assets.md), turned and scaled into the frame of all things, centred, on z = 0.

    `file` is relative to `assets/`; `sha256` by name: of it and of what belongs to it. `up` and `forward` are axes of
    the file that become +z and +x. `size_m` (length along x, width along y, height) encloses it. `opaque`: materials
    that can be seen through are made opaque, for masks follow the mesh.
    """

    file: str
    sha256: dict[str, str]
    metres_per_unit: float = Field(gt=0)
    up: Literal["y", "z"]
    forward: SignedAxis
    opaque: bool
    size_m: Vec3


class _BaseObject(RecordModel):
    """What every object has. `instance_id` 0: never labelled; `stands_on`: "floor", "ceiling" (it hangs) or a name."""

    name: str
    position_m: Vec3
    yaw_deg: float
    stands_on: str
    instance_id: int = Field(ge=0, le=65535)


class Rack(_BaseObject):
    asset: Literal["rack"] = "rack"
    category: None = None
    parameters: RackParameters


class EurPallet(_BaseObject):
    asset: Literal["eur_pallet"] = "eur_pallet"
    category: None = None
    parameters: EurPalletParameters


class CartonStack(_BaseObject):
    asset: Literal["carton_stack"] = "carton_stack"
    category: None = None
    parameters: CartonStackParameters


class Carton(_BaseObject):
    asset: Literal["carton"] = "carton"
    category: None = None
    parameters: CartonParameters


class Column(_BaseObject):
    asset: Literal["column"] = "column"
    category: None = None
    parameters: ColumnParameters


class Prop(_BaseObject):
    asset: Literal[PROP_KINDS]
    category: None = None
    parameters: PropParameters


class HandPalletTruck(_BaseObject):
    asset: Literal["hand_pallet_truck"] = "hand_pallet_truck"
    category: Literal["pallet_truck"] = "pallet_truck"
    parameters: HandPalletTruckParameters


class ElectricPalletTruck(_BaseObject):
    asset: Literal["electric_pallet_truck"] = "electric_pallet_truck"
    category: Literal["pallet_truck"] = "pallet_truck"
    parameters: ElectricPalletTruckParameters


class Person(_BaseObject):
    asset: Literal["person"] = "person"
    category: Literal["pedestrian"] = "pedestrian"
    parameters: PersonParameters


class CustomObject(_BaseObject):
    """`asset` is its name in the catalogue's section `own`."""

    asset: str
    category: Literal["pedestrian", "pallet_truck"] | None
    parameters: CustomMeshParameters


def _object_tag(scene_object: Any) -> str:
    """Tell a thing of the user's own from those that we build: by what describes it, for its name may be any."""
    if isinstance(scene_object, _BaseObject):
        return "own" if isinstance(scene_object, CustomObject) else "built_in"
    parameters = scene_object.get("parameters") if isinstance(scene_object, dict) else None
    return "own" if isinstance(parameters, CustomMeshParameters | dict) and "file" in dict(parameters) else "built_in"


BuiltInObject = Annotated[
    Rack | EurPallet | CartonStack | Carton | Column | Prop | HandPalletTruck | ElectricPalletTruck | Person,
    Field(discriminator="asset"),
]
SceneObject = Annotated[
    Annotated[BuiltInObject, Tag("built_in")] | Annotated[CustomObject, Tag("own")], Discriminator(_object_tag)
]
