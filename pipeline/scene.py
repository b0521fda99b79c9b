# SPDX-License-Identifier: Apache-2.0
"""The scene record: the whole truth of one picture, made without Blender (contract 1 of docs/formats.md).

World frame: metres, z up, floor at z = 0, the hall centred on the origin. Every asset's own frame: origin on the
surface it stands on, forward = +x, left = +y, up = +z; `yaw_deg` turns it counter-clockwise seen from above.
Colours are linear Rec. 709 in 0..1. Camera axes are OpenCV's: x right, y down, z forward.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

RECORD_FORMAT = 1

Vec2 = tuple[float, float]
Vec3 = tuple[float, float, float]
Unit = Annotated[float, Field(ge=0, le=1)]
Rgb = tuple[Unit, Unit, Unit]


class Part(BaseModel):
    """Base of all record parts: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RenderSettings(Part):
    """`depth` and `normals`: the format of these maps, null for none. `proof`: also render one instance alone."""

    width: int
    height: int
    samples: int
    denoise: bool
    seed: int
    exposure_ev: float
    view_transform: Literal["AgX", "Filmic", "Standard"]
    depth: Literal["png", "exr"] | None
    normals: Literal["png", "exr"] | None
    proof: bool


class Camera(Part):
    """Pinhole camera. `rotation` is camera-to-world: a world point p has camera coordinates rotation.T @ (p - origin).

    Pixel (u, v) covers [u, u + 1) x [v, v + 1): the image centre is (width / 2, height / 2).
    """

    rig: Literal["robot", "handheld", "ceiling"]
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    position_m: Vec3
    rotation: tuple[Vec3, Vec3, Vec3]


class Surface(Part):
    kind: Literal["concrete", "painted", "brick", "sheet_metal"]
    color_rgb: Rgb
    roughness: Unit
    wear: Unit
    seed: int


class FloorLine(Part):
    start_m: Vec2
    end_m: Vec2
    width_m: float
    color_rgb: Rgb
    wear: Unit


class Hall(Part):
    """A box of `size_m` (x, y, clear height) around the origin, floor at z = 0."""

    size_m: Vec3
    floor: Surface
    walls: Surface
    ceiling: Surface
    lines: tuple[FloorLine, ...]


class Lamp(Part):
    """A lamp that shines down: a round high-bay of diameter size_m[0], or a strip (length along yaw, width)."""

    kind: Literal["high_bay", "strip"]
    position_m: Vec3
    size_m: Vec2
    yaw_deg: float
    power_w: float
    color_rgb: Rgb


class Ambient(Part):
    """Even light from all around, standing in for the many bounces that few samples cannot follow."""

    color_rgb: Rgb
    strength: float


class RackParameters(Part):
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
    wear: Unit
    seed: int


class EurPalletParameters(Part):
    """1.2 m along x, 0.8 m along y, 0.144 m high, centred. `age` 0 = new yellow wood, 1 = grey and broken."""

    age: Unit
    seed: int


class CartonStackParameters(Part):
    """`count` = (nx, ny, layers) cartons of `carton_m` (x, y, z), centred; `missing` are absent from the top layer."""

    count: tuple[int, int, int]
    carton_m: Vec3
    missing: int
    color_rgb: Rgb
    wrapped: bool
    seed: int


class CartonParameters(Part):
    size_m: Vec3
    color_rgb: Rgb
    seed: int


class ColumnParameters(Part):
    """A square column of the hall, with a striped guard at its foot or without."""

    width_m: float
    height_m: float
    color_rgb: Rgb
    guard: bool


class HandPalletTruckParameters(Part):
    """Hand pallet truck; origin on the floor under the tiller pivot, forks towards +x (REFERENCE in docs/assets.md).

    `tiller_tilt_deg` leans the tiller from upright towards -x, `tiller_turn_deg` turns it and the steer wheels about
    the vertical (counter-clockwise). `lift_m` is the height of the fork tops: 0.085 lowered, 0.200 raised.
    """

    fork_length_m: float
    width_m: float
    fork_width_m: float
    lift_m: float
    tandem_rollers: bool
    tiller_tilt_deg: float
    tiller_turn_deg: float
    body_rgb: Rgb
    wheel_rgb: Rgb
    wear: Unit
    seed: int


class Pose(Part):
    """What a person does. `hand_left_m` and `hand_right_m`: grip centres in the person's own frame; null: free hands.

    `phase` is the gait phase in 0..1 (0 = right heel strike) for walk, push and pull; `seed` varies the rest.
    """

    name: Literal["walk", "stand", "push", "pull", "crouch"]
    phase: Unit
    seed: int
    hand_left_m: Vec3 | None
    hand_right_m: Vec3 | None


class Outfit(Part):
    sleeves: Literal["long", "short"]
    top_rgb: Rgb
    trousers_rgb: Rgb
    shoes_rgb: Rgb
    vest_rgb: Rgb | None
    head: Literal["helmet", "cap", "hair"]
    head_rgb: Rgb
    hair_rgb: Rgb


class PersonParameters(Part):
    """A MakeHuman body. Origin on the floor below the hips, facing +x. Macro values as MakeHuman's sliders in 0..1.

    `gender` 0 male, 1 female; `age` 2/3 is 25 years, 1 old; the three ancestry shares sum to 1.
    """

    gender: Unit
    age: Unit
    muscle: Unit
    weight: Unit
    proportions: Unit
    african: Unit
    asian: Unit
    caucasian: Unit
    height_m: float
    skin_rgb: Rgb
    pose: Pose
    outfit: Outfit


class _Thing(Part):
    """What every object has. `instance_id` 0: never labelled; `stands_on`: "floor" or another object's name."""

    name: str
    position_m: Vec3
    yaw_deg: float
    stands_on: str
    instance_id: int = Field(ge=0, le=65535)


class Rack(_Thing):
    asset: Literal["rack"] = "rack"
    category: None = None
    parameters: RackParameters


class EurPallet(_Thing):
    asset: Literal["eur_pallet"] = "eur_pallet"
    category: None = None
    parameters: EurPalletParameters


class CartonStack(_Thing):
    asset: Literal["carton_stack"] = "carton_stack"
    category: None = None
    parameters: CartonStackParameters


class Carton(_Thing):
    asset: Literal["carton"] = "carton"
    category: None = None
    parameters: CartonParameters


class Column(_Thing):
    asset: Literal["column"] = "column"
    category: None = None
    parameters: ColumnParameters


class HandPalletTruck(_Thing):
    asset: Literal["hand_pallet_truck"] = "hand_pallet_truck"
    category: Literal["pallet_truck"] = "pallet_truck"
    parameters: HandPalletTruckParameters


class Person(_Thing):
    asset: Literal["person"] = "person"
    category: Literal["pedestrian"] = "pedestrian"
    parameters: PersonParameters


Thing = Annotated[
    Rack | EurPallet | CartonStack | Carton | Column | HandPalletTruck | Person, Field(discriminator="asset")
]


class Scene(Part):
    """One picture. `model_dump_json()` of it is one line of a `scenes/<k>.jsonl` file."""

    format: Literal[1] = RECORD_FORMAT
    generator_version: int
    index: int = Field(ge=0)
    dataset_seed: int = Field(ge=0)
    layout: Literal["aisle", "staging", "chaos"]
    render: RenderSettings
    camera: Camera
    hall: Hall
    lamps: tuple[Lamp, ...]
    ambient: Ambient
    objects: tuple[Thing, ...]


class Keypoint(Part):
    """A joint of a person in the picture, perhaps outside the frame; null coordinates: behind the camera.

    `visibility` as COCO's: 0 outside the frame or behind the camera, 1 in the frame and hidden, 2 in plain view.
    """

    u_px: float | None
    v_px: float | None
    visibility: Literal[0, 1, 2]


class BoxCorner(Part):
    """A corner of the 3D box in the picture; `depth_m` along the optical axis; null coordinates: behind the camera."""

    u_px: float | None
    v_px: float | None
    depth_m: float


class MeasuredInstance(Part):
    """What rendering measured of one labelled object.

    `visible_pixels`: pixels of the id map. `whole_pixels` and `whole_box_px` (x, y, width, height; null: nothing): of
    the silhouette, the object alone and unhidden, on a canvas that reaches one frame beyond the frame on every side.
    `absent`: why it has no visible pixel, null if it has: outside the frame, or hidden (rays from the camera meet other
    things first). `truncated`: a part of it lies outside the frame. `distance_m`: from the camera to the centre of its
    bounding box. `box_3d`: corner k is at the high end of x, y, z in the object's own frame where bit 0, 1, 2 of k is
    set. `keypoints`: 17 in COCO's order, for people; null for all else. `proven`: rendered alone as well, see
    `silhouettes/` of the shard.
    """

    instance_id: int
    visible_pixels: int
    whole_pixels: int
    whole_box_px: tuple[int, int, int, int] | None
    absent: Literal["outside", "hidden"] | None
    truncated: bool
    distance_m: float
    box_3d: tuple[BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner]
    keypoints: tuple[Keypoint, ...] | None
    proven: bool


class Measured(Part):
    """Of one picture. Nothing in it depends on the machine's speed or load: those facts are in `shard.json`."""

    instances: tuple[MeasuredInstance, ...]


class RenderedScene(Part):
    """One line of a shard's `scenes.jsonl`."""

    scene: Scene
    measured: Measured


def read_scenes(path: Path) -> list[Scene]:
    """Read a `scenes/<k>.jsonl` file: one record a line."""
    return [Scene.model_validate_json(line) for line in path.read_text().splitlines()]


def read_rendered(path: Path) -> list[RenderedScene]:
    """Read a shard's `scenes.jsonl`: one record with its measurements a line."""
    return [RenderedScene.model_validate_json(line) for line in path.read_text().splitlines()]


def picture_name(index: int) -> str:
    """File name of a picture and of its id map: `000012.png`."""
    return f"{index:06d}.png"


def shard_name(number: int) -> str:
    """Folder name of a shard: `00003`."""
    return f"{number:05d}"
