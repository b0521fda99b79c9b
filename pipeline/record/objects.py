# SPDX-License-Identifier: Apache-2.0
"""The objects of a scene record and the parameters of their shapes.

Frame of an object: origin on the surface that it stands on, forward = +x, left = +y, up = +z; `yaw_deg` turns it
counterclockwise seen from above. Lengths are in meters, colors are linear Rec. 709 in 0..1. `wear` is 0 for new and 1
for worn out. `seed` varies details that have no parameter of their own.
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from pipeline.common.vocabulary import Headwear, Legwear, LookalikeKind, NonCartonKind
from pipeline.record.base_types import Category, RecordModel, Rgb, UnitFloat, Vec3


class RackParameters(RecordModel):
    """Pallet rack, centered on the origin: bays along x, `depth_m` along y.

    `level_heights_m` are the top edges of the beams. `guards` protect the feet of the uprights.
    """

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
    """EUR pallet: 1.2 m along x, 0.8 m along y, 0.144 m high, centered. `age`: 0 is new, 1 gray and broken."""

    age: UnitFloat
    seed: int


class CartonStackParameters(RecordModel):
    """A centered stack of equal cartons.

    `count` is the number of cartons along x, along y, and of layers. `carton_m` is the size of a carton along x, y, z.
    `missing` is the number of cartons that the top layer lacks. `wrapped`: the stack is wrapped in film.
    """

    count: tuple[int, int, int]
    carton_m: Vec3
    missing: int
    color_rgb: Rgb
    wrapped: bool
    seed: int


class CartonParameters(RecordModel):
    """A single carton; `size_m` is its length along x, its width along y and its height."""

    size_m: Vec3
    color_rgb: Rgb
    seed: int


class ColumnParameters(RecordModel):
    """A square column of the hall. `guard`: a striped guard stands around its foot."""

    width_m: float
    height_m: float
    color_rgb: Rgb
    guard: bool


FURNITURE_KINDS = ("ladder", "bollard", "cone", "packing_table", "hanging_sign", "conveyor")
PROP_KINDS = (*get_args(NonCartonKind), *get_args(LookalikeKind), *FURNITURE_KINDS)


class PropParameters(RecordModel):
    """A prop: an object that is never labeled, such as goods, furniture or a look-alike of a pallet truck.

    `size_m` (length along x, width along y, height) is the box around it, centered and on z = 0. Its front (forks,
    handle, drawer) faces +x. `variant` selects one of the variants of a kind: variant i of n has the values from i / n
    to (i + 1) / n.
    """

    size_m: Vec3
    color_rgb: Rgb
    accent_rgb: Rgb
    wear: UnitFloat
    variant: UnitFloat
    seed: int


class HandPalletTruckParameters(RecordModel):
    """Hand pallet truck. The origin is on the floor under the tiller pivot, the forks point to +x.

    `tiller_tilt_deg` tilts the tiller from upright towards -x. `tiller_turn_deg` turns the tiller and the steer wheels
    about the vertical axis, counterclockwise. `lift_m` is the height of the fork tops: 0.085 lowered, 0.200 raised.
    `width_m` is the width over both forks, `fork_width_m` that of one fork.
    `grip`: a closed loop of tube in the shape of a D, a long loop that ends in a point, or a loop with thick rubber.
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
    """Electric pallet truck with a walking operator. The origin is on the floor under the steering axis, forks at +x.

    `battery` decides the shape: lithium is short and slim, lead-acid has a battery box between drive and forks.
    `heel_to_rear_m` is the length without the forks. `chassis_width_m` and `chassis_height_m` are the size of the
    lowered body. The tiller turns about the origin by `tiller_turn_deg`, and tilts from upright by `tiller_tilt_deg`
    about a hinge that lies low behind the drive. Other parameters: see HandPalletTruckParameters.
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
    """What a person does.

    `hand_left_m` and `hand_right_m` are grip centers in the frame of the person; null: the hand is free. A grip is a
    bar that runs from left to right. For the pose "carry" it is the point where the palm touches the side of the load.
    `phase` is the gait phase in 0..1 (0: right heel strike) of walk, push, pull, walk_beside and carry.
    `seat_m` is the height of the seat. A person who scans holds a scanner in the right hand.
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
            raise ValueError("seat_m: the pose sit needs it, and no other pose has it")
        return self


class Outfit(RecordModel):
    """The clothes of a person.

    `vest_rgb` and `jacket_rgb` are hi-vis clothes, null for none; the jacket covers every other top. A hood needs long
    sleeves. `hair` is the hair that is visible without headwear.
    """

    sleeves: Literal["long", "short"]
    hood: bool = False
    top_rgb: Rgb
    legs: Legwear = "trousers"
    trousers_rgb: Rgb
    shoes_rgb: Rgb
    vest_rgb: Rgb | None
    jacket_rgb: Rgb | None = None
    head: Headwear
    head_rgb: Rgb
    hair: Literal["shaved", "short", "full", "long"] = "short"
    hair_rgb: Rgb
    bag: Literal["backpack", "shoulder_bag"] | None = None
    bag_rgb: Rgb = (0.02, 0.02, 0.02)


class PersonParameters(RecordModel):
    """A MakeHuman body. The origin is on the floor below the hips, the person faces +x.

    `gender` to `caucasian` are the values of MakeHuman's sliders, in 0..1. `gender` is 0 for male and 1 for female,
    `age` is 2/3 for 25 years and 1 for 90 years. The three ancestry shares sum to 1.
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
    """A mesh file of the user, scaled and turned into the frame of an object, centered, on z = 0.

    `file` is relative to `assets/`. `sha256` maps the mesh file and the files that belong to it to their hashes.
    `up` and `forward` are the axes of the file that become +z and +x. `size_m` is the length along x, the width along
    y and the height. `opaque`: transparent materials are made opaque, because masks follow the mesh. `max_triangles`: a
    mesh with more triangles is simplified; null: it stays as it is.
    """

    file: str
    sha256: dict[str, str]
    metres_per_unit: float = Field(gt=0)
    up: Literal["y", "z"]
    forward: SignedAxis
    opaque: bool
    max_triangles: int | None = None
    size_m: Vec3


class _BaseObject(RecordModel):
    """Fields of every object.

    `stands_on` is "floor", "ceiling" (the object hangs there) or the name of another object. `instance_id` is 0 for
    objects without a label.
    """

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
    """An object with a mesh file of the user. `asset` is its name in the section `custom` of the catalogue."""

    asset: str
    category: Category | None
    parameters: CustomMeshParameters


def _object_tag(scene_object: Any) -> str:
    """Return the tag of an object: "custom" or "built_in".

    The parameters decide, because a custom object may have any name.
    """
    if isinstance(scene_object, _BaseObject):
        return "custom" if isinstance(scene_object, CustomObject) else "built_in"
    parameters = scene_object.get("parameters") if isinstance(scene_object, dict) else None
    is_custom = isinstance(parameters, CustomMeshParameters | dict) and "file" in dict(parameters)
    return "custom" if is_custom else "built_in"


BuiltInObject = Annotated[
    Rack | EurPallet | CartonStack | Carton | Column | Prop | HandPalletTruck | ElectricPalletTruck | Person,
    Field(discriminator="asset"),
]
SceneObject = Annotated[
    Annotated[BuiltInObject, Tag("built_in")] | Annotated[CustomObject, Tag("custom")], Discriminator(_object_tag)
]
