# SPDX-License-Identifier: Apache-2.0
"""The scene record: the whole truth of one image, made without Blender (docs/dataset.md).

World frame: metres, z up, floor at z = 0, the hall centred on the origin. Every asset's own frame: origin on the
surface it stands on, forward = +x, left = +y, up = +z; `yaw_deg` turns it counter-clockwise seen from above.
Colours are linear Rec. 709 in 0..1. Camera axes are OpenCV's: x right, y down, z forward.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.record.base_types import RecordModel, Rgb, UnitFloat, Vec2, Vec3
from pipeline.record.objects import SceneObject

RECORD_FORMAT = 2

CameraRig = Literal["robot", "handheld", "ceiling", "forklift_mast"]


class RenderSettings(RecordModel):
    """`depth` and `normals`: the format of these maps, null for none. `verify`: also render one instance isolated.

    `white_balance`: how much of its colour cast is taken from the image, 0 nothing .. 1 all.
    """

    width: int
    height: int
    samples: int
    denoise: bool
    seed: int
    exposure_ev: float
    view_transform: Literal["AgX", "Filmic", "Standard"]
    contrast: Literal["base", "medium_high", "high", "very_high"]
    white_balance: UnitFloat
    depth: Literal["png", "exr"] | None
    normals: Literal["png", "exr"] | None
    verify: bool


class Camera(RecordModel):
    """A camera with a lens. `rotation` is camera-to-world: a world point p has camera coordinates
    rotation.T @ (p - position).

    Pixel (u, v) covers [u, u + 1) x [v, v + 1): the image centre is (width / 2, height / 2). `distortion`: OpenCV's k1,
    k2, p1, p2, k3 (all 0: a pinhole). `motion_m` and `motion_deg` (a rotation vector): from shutter open to close, in
    camera axes; the pose is that of the middle. `aperture_f`: f-number for an image 36 mm wide (null: all is sharp),
    sharp at `focus_m` along the optical axis.
    """

    rig: CameraRig
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    position_m: Vec3
    rotation: tuple[Vec3, Vec3, Vec3]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    motion_m: Vec3 = (0.0, 0.0, 0.0)
    motion_deg: Vec3 = (0.0, 0.0, 0.0)
    aperture_f: float | None = Field(None, gt=0)
    focus_m: float = Field(3.0, gt=0)


class SurfaceMaterial(RecordModel):
    """`wet`: how much of a floor lies under puddles, 0 none .. 1 a third."""

    kind: Literal["concrete", "painted", "brick", "sheet_metal"]
    color_rgb: Rgb
    roughness: UnitFloat
    wear: UnitFloat
    seed: int
    wet: UnitFloat = 0.0


class FloorLine(RecordModel):
    start_m: Vec2
    end_m: Vec2
    width_m: float
    color_rgb: Rgb
    wear: UnitFloat


class Opening(RecordModel):
    """Where daylight enters: a rectangle in a wall that looks into the hall along `yaw_deg`, or in the roof.

    `size_m`: across and upwards (skylights: along x and y). `open`: the share of a dock door that is drawn up; windows
    and skylights are 1. `number` stands over a dock door.
    """

    kind: Literal["dock_door", "window", "skylight"]
    center_m: Vec3
    yaw_deg: float
    size_m: Vec2
    open: UnitFloat = 1.0
    number: int = 0


class Hall(RecordModel):
    """A box of `size_m` (x, y, clear height) around the origin, floor at z = 0.

    `outside_rgb` times `outside_strength` is the radiance, in W / (m2 sr), of what is seen through its openings.
    """

    size_m: Vec3
    floor: SurfaceMaterial
    walls: SurfaceMaterial
    ceiling: SurfaceMaterial
    lines: tuple[FloorLine, ...]
    openings: tuple[Opening, ...] = ()
    outside_rgb: Rgb = (0.8, 0.9, 1.0)
    outside_strength: float = 0.0


class Lamp(RecordModel):
    """A light that shines along `direction`, into a cone of `angle_deg`.

    Under the ceiling: a round high-bay of diameter size_m[0], or a strip (length along yaw, width). Others have no
    fixture: daylight (an opening's whole face), sunbeam (parallel light of that cross-section), torch (a spot).
    """

    kind: Literal["high_bay", "strip", "daylight", "sunbeam", "torch"]
    position_m: Vec3
    size_m: Vec2
    yaw_deg: float
    power_w: float
    color_rgb: Rgb
    direction: Vec3 = (0.0, 0.0, -1.0)
    angle_deg: float = 180.0


class AmbientLight(RecordModel):
    """Even light from all around, standing in for the many bounces that few samples cannot follow.

    `hdri`: the image of Blender's own (datafiles/studiolights/world) that tints it by direction, turned by `yaw_deg`.
    """

    color_rgb: Rgb
    strength: float
    hdri: Literal["city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset"] | None = None
    yaw_deg: float = 0.0


class Scene(RecordModel):
    """One image. `model_dump_json()` of it is one line of a `scenes/<k>.jsonl` file.

    `light`: what kind of light scene its lamps were drawn for; null: placed by hand.
    """

    format: Literal[2] = RECORD_FORMAT
    generator_version: int
    index: int = Field(ge=0)
    dataset_seed: int = Field(ge=0)
    layout: Literal["aisle", "staging", "dock", "packing", "block", "mixed", "chaos"]
    light: Literal["high_bay", "neon", "daylight", "dusk", "torch"] | None = None
    render: RenderSettings
    camera: Camera
    hall: Hall
    lamps: tuple[Lamp, ...]
    ambient: AmbientLight
    objects: tuple[SceneObject, ...]


class Keypoint(RecordModel):
    """A joint of a person in the image, perhaps outside the frame; null coordinates: behind the camera.

    `visibility` as COCO's: 0 outside the frame or behind the camera, 1 in the frame and hidden, 2 in plain view.
    """

    u_px: float | None
    v_px: float | None
    visibility: Literal[0, 1, 2]


class BoxCorner(RecordModel):
    """A corner of the 3D box in the image; `depth_m` along the optical axis; null coordinates: behind the camera."""

    u_px: float | None
    v_px: float | None
    depth_m: float


class InstanceMeasurement(RecordModel):
    """What rendering measured of one labelled object.

    `visible_pixels`: pixels of the id map. `amodal_pixels` and `amodal_box_px` (x, y, width, height; null: nothing): of
    the silhouette, the object alone and unhidden, on a canvas that reaches one frame beyond the frame on every side.
    `absent`: why it has no visible pixel, null if it has: outside the frame, or hidden (rays from the camera meet other
    things first). `truncated`: a part of it lies outside the frame. `distance_m`: from the camera to the centre of its
    bounding box. `box_3d`: corner k is at the high end of x, y, z in the object's own frame where bit 0, 1, 2 of k is
    set. `keypoints`: 17 in COCO's order, for people; null for all else. `verified`: rendered alone as well, see
    `silhouettes/` of the shard. `blur_px`: how far motion and focus smear the object beyond its silhouette, at most.
    """

    instance_id: int
    visible_pixels: int
    amodal_pixels: int
    amodal_box_px: tuple[int, int, int, int] | None
    absent: Literal["outside", "hidden"] | None
    truncated: bool
    distance_m: float
    box_3d: tuple[BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner, BoxCorner]
    keypoints: tuple[Keypoint, ...] | None
    verified: bool
    blur_px: float = 0.0


class Measurements(RecordModel):
    """Of one image. Nothing in it depends on the machine's speed or load: those facts are in `shard.json`."""

    instances: tuple[InstanceMeasurement, ...]


class RenderedScene(RecordModel):
    """One line of a shard's `scenes.jsonl`."""

    scene: Scene
    measured: Measurements


def read_scenes(path: Path) -> list[Scene]:
    """Read a `scenes/<k>.jsonl` file: one record a line."""
    return [Scene.model_validate_json(line) for line in path.read_text().splitlines()]


def read_rendered_scenes(path: Path) -> list[RenderedScene]:
    """Read a shard's `scenes.jsonl`: one record with its measurements a line."""
    return [RenderedScene.model_validate_json(line) for line in path.read_text().splitlines()]


def image_file_name(index: int) -> str:
    """File name of an image and of its id map: `000012.png`."""
    return f"{index:06d}.png"


def shard_folder_name(number: int) -> str:
    """Folder name of a shard: `00003`."""
    return f"{number:05d}"
