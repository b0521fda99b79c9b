# SPDX-License-Identifier: Apache-2.0
"""The scene record: everything that decides how one image looks, sampled without Blender (docs/reference/data_set.md).

World frame: meters, z up, floor at z = 0, the hall centered on the origin. Frame of an object: origin on the surface
that it stands on, forward = +x, left = +y, up = +z; `yaw_deg` turns it counterclockwise seen from above.
Colors are linear Rec. 709 in 0..1. Camera axes follow OpenCV: x right, y down, z forward.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.common.vocabulary import CameraRig, Contrast, LayoutKind, LightingKind, MapFormat, ViewTransform
from pipeline.record.base_types import RecordModel, Rgb, UnitFloat, Vec2, Vec3
from pipeline.record.objects import SceneObject

# Raise it by hand when the same config must give other images: it is part of every scene record, so all shards are
# rendered again. Editing a docstring or a log line is no reason.
GENERATOR_VERSION = 8
RECORD_FORMAT = 2

# Panoramas that come with Blender, in datafiles/studiolights/world.
HdriName = Literal["city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset"]


class RenderSettings(RecordModel):
    """Settings of Cycles and of the image.

    `depth` and `normals` are the file formats of these maps; null writes no map. `verify` also renders one instance
    isolated, to check its mask. `white_balance` is the share of the color cast that is removed from the image.
    `contrast` is one of Blender's looks for the view transform.
    """

    width: int
    height: int
    samples: int
    denoise: bool
    seed: int
    exposure_ev: float
    view_transform: ViewTransform
    contrast: Contrast
    white_balance: UnitFloat
    depth: MapFormat | None
    normals: MapFormat | None
    verify: bool


class Camera(RecordModel):
    """A camera with its lens, motion and focus.

    `rotation` is the camera-to-world matrix: a world point p has camera coordinates rotation.T @ (p - position).
    Pixel (u, v) covers [u, u + 1) x [v, v + 1), so the image center is (width / 2, height / 2).
    `distortion` holds OpenCV's k1, k2, p1, p2, k3; all zeros is a pinhole camera.
    `motion_m` (a shift) and `motion_deg` (a rotation vector) are the motion from shutter open to shutter close, in
    camera axes; position and rotation are those in the middle of the exposure.
    `aperture_f` is the f-number for a sensor 36 mm wide; null makes everything sharp. `focus_m` is the distance of
    sharp focus along the optical axis.
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
    """Material of a floor, of the walls or of a ceiling.

    `wet` is the amount of puddles on a floor: 0 none, 1 a third of the floor.
    """

    kind: Literal["concrete", "painted", "brick", "sheet_metal"]
    color_rgb: Rgb
    roughness: UnitFloat
    wear: UnitFloat
    seed: int
    wet: UnitFloat = 0.0


class FloorLine(RecordModel):
    """A straight line painted on the floor."""

    start_m: Vec2
    end_m: Vec2
    width_m: float
    color_rgb: Rgb
    wear: UnitFloat


class Opening(RecordModel):
    """A rectangle that daylight enters through: in a wall, facing into the hall along `yaw_deg`, or in the roof.

    `size_m` is width and height; for skylights, the lengths along x and y. `open` is the share of a dock door that is
    open; windows and skylights have 1. `number` is painted over a dock door.
    """

    kind: Literal["dock_door", "window", "skylight"]
    center_m: Vec3
    yaw_deg: float
    size_m: Vec2
    open: UnitFloat = 1.0
    number: int = 0


class Hall(RecordModel):
    """A box-shaped hall of `size_m` (x, y, clear height), centered on the origin, floor at z = 0.

    `outside_rgb` times `outside_strength` is the radiance, in W / (m2 sr), seen through the openings.
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

    Two kinds hang under the ceiling: a round `high_bay` of diameter size_m[0], and a `strip` (length along yaw, width).
    Three kinds have no fixture: `daylight` (fills an opening), `sunbeam` (parallel light with the cross-section
    `size_m`) and `torch` (a spotlight at the camera).
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
    """Even light from all directions. It replaces the light bounces that a render with few samples cannot follow.

    `hdri` is a panorama that tints the light by direction, turned by `yaw_deg`. Null: no tint.
    """

    color_rgb: Rgb
    strength: float
    hdri: HdriName | None = None
    yaw_deg: float = 0.0


class Scene(RecordModel):
    """The record of one image. `model_dump_json()` gives one line of a `scenes/<k>.jsonl` file.

    `light` is the kind of light scene that the lamps were drawn for; null if they were placed by hand.
    """

    format: Literal[2] = RECORD_FORMAT
    generator_version: int
    index: int = Field(ge=0)
    dataset_seed: int = Field(ge=0)
    layout: LayoutKind
    light: LightingKind | None = None
    render: RenderSettings
    camera: Camera
    hall: Hall
    lamps: tuple[Lamp, ...]
    ambient: AmbientLight
    objects: tuple[SceneObject, ...]


class Keypoint(RecordModel):
    """A body joint of a person, in image coordinates. They may lie outside the frame; null: behind the camera.

    `visibility` follows COCO: 0 outside the frame or behind the camera, 1 in the frame but hidden, 2 visible.
    """

    u_px: float | None
    v_px: float | None
    visibility: Literal[0, 1, 2]


class BoxCorner(RecordModel):
    """A corner of a 3D box, in image coordinates (null: behind the camera), and its depth along the optical axis."""

    u_px: float | None
    v_px: float | None
    depth_m: float


class InstanceMeasurement(RecordModel):
    """Measurements of one labeled object, taken while its image is rendered.

    - `visible_pixels`: number of pixels in the id map.
    - `amodal_pixels`, `amodal_box_px` (x, y, width, height; null if empty): of the amodal silhouette, which is the
      object without anything in front of it, on a canvas that is one frame larger than the frame on every side.
    - `absent`: why the object has no visible pixel: outside the frame, or hidden by other objects. Null if it is
      visible.
    - `truncated`: a part of the object lies outside the frame.
    - `distance_m`: from the camera to the center of the object's bounding box.
    - `box_3d`: corner k lies at the high end of x, y, z in the object's frame if bit 0, 1, 2 of k is set.
    - `keypoints`: 17 joints in COCO's order for people; null for other categories.
    - `verified`: the object was rendered isolated as well; the result is in `silhouettes/` of the shard.
    - `blur_px`: the largest distance by which motion blur and defocus smear the object beyond its silhouette.
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
    """Measurements of one image. They do not depend on the speed of the machine; timings are in `shard.json`."""

    instances: tuple[InstanceMeasurement, ...]


class RenderedScene(RecordModel):
    """One line of a shard's `scenes.jsonl`."""

    scene: Scene
    measured: Measurements


def read_scenes(path: Path) -> list[Scene]:
    """Read a `scenes/<k>.jsonl` file, which has one record per line."""
    return [Scene.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_rendered_scenes(path: Path) -> list[RenderedScene]:
    """Read the `scenes.jsonl` of a shard, which has one record with its measurements per line."""
    return [RenderedScene.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def image_file_name(index: int) -> str:
    """Return the file name of an image and of its id map, such as `000012.png`."""
    return f"{index:06d}.png"


def shard_folder_name(number: int) -> str:
    """Return the folder name of a shard, such as `00003`."""
    return f"{number:05d}"
