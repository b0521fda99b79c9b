# SPDX-License-Identifier: Apache-2.0
"""Draw a camera: its rig, position, direction, lens, motion and focus.

There are four rigs: a robot (knee height), a hand-held camera (chest to eye height), a camera on the mast of a
forklift that looks down past the forks, and a camera under the ceiling. Axes and lens: `pipeline.record.scene.Camera`.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.world import CameraSection
from pipeline.record.base_types import Vec3
from pipeline.record.scene import Camera
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.floor_area import FloorArea, draw_by_area
from pipeline.scenes.geometry.free_space import HallSpace

CLEARANCE_M = 0.5  # between the camera and all objects
MAX_VIEW_DEPTH_M = 15.0  # deeper views are not preferred over this depth
MAST_AIM_AHEAD_M = (1.0, 5.0)  # a camera on a mast aims at the floor, at its height plus this distance ahead
# k2 / k1**2. Above 0.45, the distorted radius grows with the undistorted radius everywhere. At about 0.8, barrel
# distortion follows an equidistant lens up to 50 degrees from the axis.
K2_PER_K1_SQUARED = (0.7, 0.9)
TANGENTIAL_STD = 0.0004  # standard deviation of p1 and p2


def draw_camera(
    random: np.random.Generator, config: CameraSection, space: HallSpace, walkways: list[FloorArea], lamp_height: float
) -> Camera:
    """Draw a rig, a field of view, and a position with a deep view, below `lamp_height` (meters).

    The result is a pinhole camera without motion; `draw_lens_effects` adds the rest.
    """
    rig, fov_deg = draw_rig(random, config)
    best, best_score = None, -1.0
    for _ in range(8):
        position = draw_free_position(random, rig, space, walkways, lamp_height)
        heading = draw_camera_heading(random, position, walkways)
        if (score := mean_view_depth_m(space, position, heading, fov_deg) * random.uniform(0.6, 1)) > best_score:
            best, best_score = (position, heading), score
    position, heading = best
    roll, pitch_error = random.normal(0, config.roll_deg), random.normal(0, config.aim_deg)
    matrix = camera_rotation(heading, _draw_pitch(random, rig, position) + pitch_error, roll)
    return make_camera(config, rig, fov_deg, position, matrix)


def draw_rig(random: np.random.Generator, config: CameraSection) -> tuple[str, float]:
    """Draw a rig and its horizontal field of view in degrees."""
    rig = choose_weighted(random, config.rigs)
    return rig, float(random.uniform(*getattr(config.fov_deg, rig)))


def draw_lens_effects(random: np.random.Generator, config: CameraSection, camera: Camera) -> Camera:
    """Return the pinhole camera with distortion, motion and focus, each with its own share; the field of view stays."""
    distorted, moving, focused = random.random(3) < (config.distorted, config.motion_blur, config.depth_of_field)
    lens = _draw_distortion(random, config, camera) if distorted else {}
    if moving:
        lens["motion_m"] = _rounded(_draw_direction(random) * random.uniform(*config.motion_m))
        lens["motion_deg"] = _rounded(_draw_direction(random) * random.uniform(*config.motion_deg))
    if focused:
        lens["aperture_f"] = round(float(random.uniform(*config.aperture_f)), 2)
        lens["focus_m"] = round(float(np.exp(random.uniform(*np.log(config.focus_m)))), 2)
    return camera.model_copy(update=lens)


def _draw_distortion(random: np.random.Generator, config: CameraSection, camera: Camera) -> dict[str, object]:
    """Return the fields for a distorted lens with the same field of view. Wide views get more barrel distortion."""
    edge = camera.cx_px / camera.fx_px  # tangent of half of the field of view
    fovs_deg = getattr(config.fov_deg, camera.rig)
    wide = np.interp(2 * np.degrees(np.arctan(edge)), fovs_deg, (0, 1)) if fovs_deg[0] < fovs_deg[1] else 0.5
    low, high = config.distortion
    k1 = high + (low - high) * float(np.clip(wide + random.normal(0, 0.25), 0, 1))
    k2 = k1**2 * random.uniform(*K2_PER_K1_SQUARED)
    p1, p2 = random.normal(0, TANGENTIAL_STD, 2)
    focal = round(camera.fx_px / float(1 + k1 * edge**2 + k2 * edge**4), 3)
    return {"distortion": (*_rounded((k1, k2, p1, p2)), 0.0), "fx_px": focal, "fy_px": focal}


def _draw_direction(random: np.random.Generator) -> np.ndarray:
    """Return a random unit vector (3,); all directions are equally likely."""
    drawn = random.normal(size=3)
    return drawn / np.linalg.norm(drawn)


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def draw_exposure_error_ev(random: np.random.Generator, config: CameraSection) -> float:
    """Draw the error of automatic exposure in stops, which is 0 for most images."""
    wrong = random.random() < config.exposure_error
    return round(float(random.uniform(*config.exposure_error_ev)), 3) if wrong else 0.0


def draw_free_position(
    random: np.random.Generator, rig: str, space: HallSpace, walkways: list[FloorArea], lamp_height: float
) -> Vec3:
    """Draw a position on a walkway, at the height of the rig, with `CLEARANCE_M` of free space around it.

    Raises:
        RuntimeError: no such position was found.
    """
    below_lamps = lamp_height - 0.3
    heights = {
        "robot": (0.3, 0.6),
        "handheld": (1.2, 1.8),
        "forklift_mast": (1.8, min(4.5, below_lamps)),
        "ceiling": (2.5, min(6.0, below_lamps)),
    }[rig]
    for _ in range(500):
        x, y = draw_by_area(random, walkways).draw(random)
        position = (float(x), float(y), float(random.uniform(*heights)))
        if space.fits(camera_clearance_boxes(position), gap_m=0.0):
            return position
    raise RuntimeError(f"no free place for a {rig} camera on the walkways {walkways}")


def camera_clearance_boxes(position_m: Vec3) -> Boxes:
    """Return the space around a camera that must stay free."""
    x, y, z = position_m
    return Boxes(np.array([(x, y, 0, 2 * CLEARANCE_M, 2 * CLEARANCE_M, max(z - CLEARANCE_M, 0), z + 0.3)]))


def draw_camera_heading(random: np.random.Generator, position_m: Vec3, walkways: list[FloorArea]) -> float:
    """Draw a heading in degrees: along the walkway with jitter, or any heading for 30 % of the cameras."""
    walkway = next(
        area for area in walkways if np.all(np.clip(position_m[:2], area.low_m, area.high_m) == position_m[:2])
    )
    if random.random() < 0.3:
        return float(random.uniform(-180, 180))
    return float(walkway.heading_deg + 180 * random.integers(2) + random.normal(0, 20))


def mean_view_depth_m(space: HallSpace, position_m: Vec3, heading_deg: float, fov_deg: float) -> float:
    """Return the mean free distance in the field of view, at most 1 m above the floor and `MAX_VIEW_DEPTH_M` deep."""
    headings = heading_deg + np.linspace(-0.45, 0.45, 9) * fov_deg
    eye = (position_m[0], position_m[1], min(position_m[2], 1.0))
    return float(np.minimum(space.free_sight_m(eye, headings), MAX_VIEW_DEPTH_M).mean())


def _draw_pitch(random: np.random.Generator, rig: str, position_m: Vec3) -> float:
    """Draw the angle of the optical axis above the horizon, in degrees."""
    if rig == "robot":
        return float(np.clip(random.normal(4, 4), -4, 12))
    if rig == "handheld":
        return float(np.clip(random.normal(-5, 5), -14, 5))
    if rig == "forklift_mast":
        return float(-np.degrees(np.arctan(position_m[2] / (position_m[2] + random.uniform(*MAST_AIM_AHEAD_M)))))
    aim_m = np.exp(random.uniform(np.log(3), np.log(12)))
    return float(-np.degrees(np.arctan((position_m[2] - 0.9) / aim_m)))


def camera_rotation(heading_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """Return the camera-to-world matrix (3, 3) of a camera that looks along a heading, `pitch_deg` above the horizon.

    A positive roll turns the content of the image counterclockwise.
    """
    heading, pitch, roll = np.radians([heading_deg, pitch_deg, roll_deg])
    forward = np.array([np.cos(pitch) * np.cos(heading), np.cos(pitch) * np.sin(heading), np.sin(pitch)])
    right = np.array([np.sin(heading), -np.cos(heading), 0.0])
    down = np.cross(forward, right)
    turned_right = np.cos(roll) * right + np.sin(roll) * down
    return np.stack([turned_right, np.cross(forward, turned_right), forward], axis=1)


def make_camera(config: CameraSection, rig: str, fov_deg: float, position_m: Vec3, matrix: np.ndarray) -> Camera:
    """Return a pinhole camera; `fov_deg` is the horizontal field of view, `matrix` (3, 3) is camera-to-world."""
    focal = round(float(config.width / 2 / np.tan(np.radians(fov_deg) / 2)), 3)
    return Camera(
        rig=rig,
        fx_px=focal,
        fy_px=focal,
        cx_px=config.width / 2,
        cy_px=config.height / 2,
        position_m=tuple(round(value, 4) for value in position_m),
        # Nine decimals keep the matrix orthonormal to a millionth of a pixel.
        rotation=tuple(tuple(round(float(value), 9) for value in row) for row in matrix),
    )
