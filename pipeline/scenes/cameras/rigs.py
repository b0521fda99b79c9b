# SPDX-License-Identifier: Apache-2.0
"""Where the camera hangs and what falls into its image.

Four rigs: a robot looks from knee height, a hand-held camera from chest or eye height, one on a forklift's mast down
past the forks, a ceiling camera from above. Axes, pixels and lens: `pipeline.scene.Camera`.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.world import CameraSection
from pipeline.record.base_types import Vec3
from pipeline.record.scene import Camera
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace, Place

CLEARANCE_M = 0.5  # between the camera and anything else
MAX_VIEW_DEPTH_M = 15.0  # a view this deep is as good as any deeper
MIN_DEPTH_M = 0.05
MAST_AIM_AHEAD_M = (1.0, 5.0)  # a camera on a mast aims at the floor, so much farther ahead than it is high
# Second radial coefficient per squared first one. Above 0.45 a distorted radius grows all the way out; about 0.8 makes
# barrel distortion follow an equidistant lens up to 50 degrees from the axis.
K2_PER_K1_SQUARED = (0.7, 0.9)
TANGENTIAL_STD = 0.0004  # standard deviation of p1 and p2
UNDISTORT_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-9)


def draw_camera(
    random: np.random.Generator, config: CameraSection, space: HallSpace, walkways: list[FloorArea], lamp_height: float
) -> Camera:
    """Draw a rig and a field of view, then hang the camera where it sees far enough, below `lamps_m`.

    It is a pinhole that stands still: `draw_lens_effects` draws the rest.
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
    return make_camera(
        config, rig, fov_deg, position, camera_rotation(heading, _pitch(random, rig, position) + pitch_error, roll)
    )


def draw_rig(random: np.random.Generator, config: CameraSection) -> tuple[str, float]:
    """Draw a rig and its horizontal field of view in degrees."""
    rig = choose_weighted(random, config.rigs)
    return rig, float(random.uniform(*getattr(config.fov_deg, rig)))


def draw_lens_effects(random: np.random.Generator, config: CameraSection, camera: Camera) -> Camera:
    """Draw distortion, motion and focus of a pinhole camera that stands still; its field of view stays."""
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
    """Return distortion, and the focal lengths that keep the field of view: the wider, the more barrel."""
    edge = camera.cx_px / camera.fx_px  # tangent of half the field of view
    fovs_deg = getattr(config.fov_deg, camera.rig)
    wide = np.interp(2 * np.degrees(np.arctan(edge)), fovs_deg, (0, 1)) if fovs_deg[0] < fovs_deg[1] else 0.5
    low, high = config.distortion
    k1 = high + (low - high) * float(np.clip(wide + random.normal(0, 0.25), 0, 1))
    k2 = k1**2 * random.uniform(*K2_PER_K1_SQUARED)
    p1, p2 = random.normal(0, TANGENTIAL_STD, 2)
    focal = round(camera.fx_px / float(1 + k1 * edge**2 + k2 * edge**4), 3)
    return {"distortion": (*_rounded((k1, k2, p1, p2)), 0.0), "fx_px": focal, "fy_px": focal}


def _draw_direction(random: np.random.Generator) -> np.ndarray:
    """Return a unit vector (3,), evenly in all directions."""
    drawn = random.normal(size=3)
    return drawn / np.linalg.norm(drawn)


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def draw_exposure_error_ev(random: np.random.Generator, config: CameraSection) -> float:
    """Draw what automatic exposure got wrong, in stops: mostly nothing."""
    wrong = random.random() < config.exposure_error
    return round(float(random.uniform(*config.exposure_error_ev)), 3) if wrong else 0.0


def draw_free_position(
    random: np.random.Generator, rig: str, space: HallSpace, walkways: list[FloorArea], lamp_height: float
) -> Vec3:
    below_lamps = lamp_height - 0.3
    heights = {
        "robot": (0.3, 0.6),
        "handheld": (1.2, 1.8),
        "forklift_mast": (1.8, min(4.5, below_lamps)),
        "ceiling": (2.5, min(6.0, below_lamps)),
    }[rig]
    areas = np.array([walkway.area_m2() for walkway in walkways])
    for _ in range(500):
        x, y = walkways[random.choice(len(walkways), p=areas / areas.sum())].draw(random)
        position = (float(x), float(y), float(random.uniform(*heights)))
        if space.fits(camera_clearance_boxes(position), gap_m=0.0):
            return position
    raise RuntimeError(f"no free place for a {rig} camera on the walkways {walkways}")


def camera_clearance_boxes(position_m: Vec3) -> Boxes:
    """The room around a camera that must stay free."""
    x, y, z = position_m
    return Boxes(np.array([(x, y, 0, 2 * CLEARANCE_M, 2 * CLEARANCE_M, max(z - CLEARANCE_M, 0), z + 0.3)]))


def draw_camera_heading(random: np.random.Generator, position_m: Vec3, walkways: list[FloorArea]) -> float:
    """Mostly along the traffic, with jitter; else anywhere."""
    walkway = next(w for w in walkways if np.all(np.clip(position_m[:2], w.low_m, w.high_m) == position_m[:2]))
    if random.random() < 0.3:
        return float(random.uniform(-180, 180))
    return float(walkway.heading_deg + 180 * random.integers(2) + random.normal(0, 20))


def mean_view_depth_m(space: HallSpace, position_m: Vec3, heading_deg: float, fov_deg: float) -> float:
    """Return how deep the view is on average, at most `MAX_VIEW_DEPTH_M`, at the height of a truck's tiller."""
    headings = heading_deg + np.linspace(-0.45, 0.45, 9) * fov_deg
    eye = (position_m[0], position_m[1], min(position_m[2], 1.0))
    return float(np.minimum(space.free_sight_m(eye, headings), MAX_VIEW_DEPTH_M).mean())


def _pitch(random: np.random.Generator, rig: str, position_m: Vec3) -> float:
    """Return the angle above the horizon in degrees."""
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

    Roll turns the image's content counter-clockwise when positive.
    """
    heading, pitch, roll = np.radians([heading_deg, pitch_deg, roll_deg])
    forward = np.array([np.cos(pitch) * np.cos(heading), np.cos(pitch) * np.sin(heading), np.sin(pitch)])
    right = np.array([np.sin(heading), -np.cos(heading), 0.0])
    down = np.cross(forward, right)
    turned_right = np.cos(roll) * right + np.sin(roll) * down
    return np.stack([turned_right, np.cross(forward, turned_right), forward], axis=1)


def make_camera(config: CameraSection, rig: str, fov_deg: float, position_m: Vec3, matrix: np.ndarray) -> Camera:
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


def project(camera: Camera, points_m: np.ndarray) -> np.ndarray:
    """Return (n, 3): u_px, v_px and depth_m of world points (n, 3).

    Points behind the camera are taken as `MIN_DEPTH_M` ahead of it: far outside the image, on the right side.
    """
    camera_points = (points_m - np.array(camera.position_m)) @ np.array(camera.rotation)
    plane = camera_points[:, :2] / np.maximum(camera_points[:, 2:], MIN_DEPTH_M)
    if any(camera.distortion):
        ahead, still = np.c_[plane, np.ones(len(plane))], np.zeros(3)
        plane = cv2.projectPoints(ahead, still, still, np.eye(3), np.array(camera.distortion))[0][:, 0]
    u, v = camera.fx_px * plane[:, 0] + camera.cx_px, camera.fy_px * plane[:, 1] + camera.cy_px
    return np.c_[u, v, camera_points[:, 2]]


def image_box(camera: Camera, boxes: Boxes) -> np.ndarray:
    """Return (left, top, right, bottom) in pixels of what the boxes cover, not cut by the frame; NaN if behind."""
    return _image_boxes(camera, boxes.corners_m()[None])[0]


def _image_boxes(camera: Camera, points_m: np.ndarray) -> np.ndarray:
    """Return (n, 4) for n sets of k points, (n, k, 3)."""
    count = len(points_m)
    u, v, depth = project(camera, points_m.reshape(-1, 3)).T.reshape(3, count, -1)
    boxes_px = np.stack([u.min(axis=1), v.min(axis=1), u.max(axis=1), v.max(axis=1)], axis=1)
    return np.where(depth.max(axis=1, keepdims=True) < MIN_DEPTH_M, np.nan, boxes_px)


def shares_in_frame(camera: Camera, boxes: Boxes, places: Sequence[Place]) -> np.ndarray:
    """Return (n,): how much of the image box of `boxes` lies in the frame, 0..1, if moved to each of n places."""
    positions, yaws = np.array([place[0] for place in places]), np.radians([place[1] for place in places])
    cos, sin, flat = np.cos(yaws)[:, None], np.sin(yaws)[:, None], np.zeros((len(places), 1))
    x, y, z = boxes.corners_m().T
    turned = np.stack([cos * x - sin * y, sin * x + cos * y, flat + z], axis=-1)
    boxes_px = _image_boxes(camera, turned + positions[:, None])
    low, high = boxes_px[:, :2], boxes_px[:, 2:]
    inside = np.minimum(high, (2 * camera.cx_px, 2 * camera.cy_px)) - np.maximum(low, 0)
    return np.nan_to_num(np.prod(np.maximum(inside, 0), axis=1) / np.prod(high - low, axis=1))


def floor_points(camera: Camera, columns_px: np.ndarray, distances_m: np.ndarray) -> np.ndarray:
    """Return (n, 2): points on the floor, so far along the floor from the camera, below the pixel columns (n,)."""
    across = (columns_px - camera.cx_px) / camera.fx_px
    if any(camera.distortion):
        shown = np.c_[across, np.zeros_like(across)][:, None]
        across = cv2.undistortPointsIter(shown, np.eye(3), np.array(camera.distortion), None, None, UNDISTORT_CRITERIA)
        across = across[:, 0, 0]
    ahead = np.column_stack([across, np.zeros_like(across), np.ones_like(across)])
    flat = (ahead @ np.array(camera.rotation).T)[:, :2]
    return np.array(camera.position_m[:2]) + flat * (distances_m / np.linalg.norm(flat, axis=1))[:, None]
