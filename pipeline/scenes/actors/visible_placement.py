# SPDX-License-Identifier: Apache-2.0
"""Place groups of objects where the camera sees them.

For every group, a height in the image is drawn log-uniformly between 16 of 288 pixels and 1.25 times the frame. The
height gives the distance. The heights of the placed groups are smaller on average, because near places are often taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.record.objects import CustomObject, Prop, SceneObject
from pipeline.record.scene import Camera
from pipeline.scenes.cameras.aimed_camera import CameraSubject
from pipeline.scenes.cameras.projection import floor_points, shares_in_frame
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import local_boxes, world_boxes
from pipeline.scenes.geometry.free_space import Place, overlaps
from pipeline.scenes.layouts.hall_plan import HallPlan

MIN_HEIGHT_SHARE, MAX_HEIGHT_SHARE = 16 / 288, 1.25  # of the image height
MIN_GAP_M = 0.04  # between a group and all other objects
MAX_TRIES = 120
SUBJECT_JITTER_M = 0.3  # distance from the point that the camera aims at, along each axis
MIN_SUBJECT_VISIBLE_SHARE = 0.9
HEADING_STD_DEG = 18.0  # of objects with their backs to the camera
MAX_HEADING_ERROR_DEG = 50.0  # at larger angles an object does not count as having its back to the camera


@dataclass(frozen=True)
class View:
    """A furnished hall, the camera in it, and the subject that the camera aims at, if there is one."""

    plan: HallPlan
    camera: Camera
    subject: CameraSubject | None = None


# Draws headings (n,) in degrees for floor points (n, 2).
HeadingSampler = Callable[[np.random.Generator, View, np.ndarray], np.ndarray]


def key_objects(group: list[SceneObject]) -> list[SceneObject]:
    """Return the objects of a group that must be visible: its people and trucks, or else its props."""
    labeled = [scene_object for scene_object in group if scene_object.category is not None]
    return labeled or [scene_object for scene_object in group if isinstance(scene_object, Prop | CustomObject)]


def put_in_view(
    view: View, group: list[SceneObject], places: list[Place], min_visible_share: float
) -> list[SceneObject]:
    """Add the group at the first place where it fits and is visible; return the added objects, or [] without a place.

    A key object must lie in the frame by 85 %, at every fourth place by 30 %, so that some objects are truncated.
    `min_visible_share` is the share of each key object that nothing hides.
    """
    if not places:
        return []
    boxes = world_boxes(group)
    actors = [world_boxes([scene_object]) for scene_object in key_objects(group)]
    inside = np.min([shares_in_frame(view.camera, actor, places) for actor in actors], axis=0)
    for number in np.flatnonzero(inside >= np.where(np.arange(len(places)) % 4 == 0, 0.3, 0.85)):
        place = places[number]
        if _has_room(view, boxes.moved(*place)) and all(
            _visible_share(view, actor.moved(*place)) >= min_visible_share for actor in actors
        ):
            return view.plan.space.put(group, *place)
    return []


def _has_room(view: View, boxes: Boxes) -> bool:
    blocks_subject = view.subject is not None and overlaps(boxes, view.subject.reserved_boxes(), MIN_GAP_M)
    return not blocks_subject and view.plan.space.fits(boxes, MIN_GAP_M)


def put_as_subject(
    random: np.random.Generator, view: View, group: list[SceneObject], draw_headings: HeadingSampler
) -> list[SceneObject]:
    """Add the group as the subject of the camera, if it has the right category and the place is still free."""
    if view.subject is None or all(scene_object.category != view.subject.category for scene_object in group):
        return []
    if not view.plan.space.is_free(view.subject.room):
        return []
    points = np.array(view.subject.spot_m) + random.uniform(-SUBJECT_JITTER_M, SUBJECT_JITTER_M, (MAX_TRIES // 6, 2))
    places = make_places(points, draw_headings(random, view, points))
    return put_in_view(replace(view, subject=None), group, places, MIN_SUBJECT_VISIBLE_SHARE)


def _visible_share(view: View, actor: Boxes) -> float:
    """Return the visible share of an object, estimated from points on the axes and near the corners of its boxes."""
    low, high = actor.rows[:, 5:6], actor.rows[:, 6:7]
    points = [np.column_stack([actor.rows[:, :2], low + (high - low) * share]) for share in (0.25, 0.6, 0.95)]
    corners = actor.corners_m()
    middle = corners.mean(axis=0)
    points.append(middle + 0.6 * (corners - middle))
    return view.plan.space.visible_share(view.camera.position_m, np.concatenate(points))


def propose_places_in_view(
    random: np.random.Generator, view: View, group: list[SceneObject], draw_headings: HeadingSampler
) -> list[Place]:
    """Return random places where the first key object of the group has a log-uniform height in the image.

    Every height is tried in six columns of the image, so that small heights also find a free place.
    """
    distances = np.repeat([draw_camera_distance(random, view.camera, group) for _ in range(MAX_TRIES // 6)], 6)
    columns = random.uniform(-0.05, 1.05, len(distances)) * 2 * view.camera.cx_px
    points = floor_points(view.camera, columns, distances)
    return make_places(points, draw_headings(random, view, points))


def draw_camera_distance(random: np.random.Generator, camera: Camera, group: list[SceneObject]) -> float:
    """Draw a height in the image; return the floor distance at which the first key object has it."""
    height = float(local_boxes(key_objects(group)[0]).rows[:, 6].max())
    pixels = 2 * camera.cy_px * np.exp(random.uniform(np.log(MIN_HEIGHT_SHARE), np.log(MAX_HEIGHT_SHARE)))
    line_of_sight = camera.fy_px * height / pixels
    return float(np.sqrt(max(line_of_sight**2 - (camera.position_m[2] - height / 2) ** 2, 0.25)))


def draw_traffic_headings(random: np.random.Generator, view: View, points_m: np.ndarray) -> np.ndarray:
    """Return headings (n,) at points (n, 2): mostly along or across the walkway in an orderly hall, else random."""
    plan = view.plan
    count = len(points_m)
    random_headings = random.uniform(-180, 180, count)
    if not plan.orderly:
        return random_headings
    along = np.zeros(count)
    for walkway in plan.walkways:
        along[np.all((points_m >= walkway.low_m) & (points_m <= walkway.high_m), axis=1)] = walkway.heading_deg
    offsets = random.choice([0, 180, 90, -90], count, p=[0.35, 0.35, 0.15, 0.15]) + random.normal(0, 8, count)
    return np.where(random.random(count) < 0.35, random_headings, along + offsets)


def draw_headings_from_camera(random: np.random.Generator, view: View, points_m: np.ndarray) -> np.ndarray:
    """Return headings (n,) at points (n, 2): away from the camera, with a random error."""
    return _heading_from_camera_deg(view, points_m) + random.normal(0, HEADING_STD_DEG, len(points_m))


def keep_backs_to_camera(view: View, places: list[Place]) -> list[Place]:
    """Return the places whose heading points roughly away from the camera."""
    away = _heading_from_camera_deg(view, np.array([position[:2] for position, _ in places]))
    errors = np.abs((np.array([yaw for _, yaw in places]) - away + 180) % 360 - 180)
    return [place for place, error in zip(places, errors, strict=True) if error <= MAX_HEADING_ERROR_DEG]


def _heading_from_camera_deg(view: View, points_m: np.ndarray) -> np.ndarray:
    """Return the headings (n,) from the camera to points (n, 2)."""
    x, y = (points_m - view.camera.position_m[:2]).T
    return np.degrees(np.arctan2(y, x))


def make_places(points_m: np.ndarray, yaws_deg: np.ndarray) -> list[Place]:
    """Return places at floor points (n, 2) with headings (n,)."""
    return [((float(x), float(y), 0.0), float(yaw)) for (x, y), yaw in zip(points_m, yaws_deg, strict=True)]


def select_by_distance(
    random: np.random.Generator, view: View, group: list[SceneObject], spots: np.ndarray
) -> np.ndarray:
    """Return up to 48 rows of `spots` (n, 2 or more: x, y, ...) whose distances fit log-uniform image heights."""
    spot_distances = np.linalg.norm(spots[:, :2] - view.camera.position_m[:2], axis=1)
    distances = [draw_camera_distance(random, view.camera, group) for _ in range(4)]
    ratios = [np.maximum(spot_distances, 0.1) / distance for distance in distances]
    return spots[np.concatenate([np.argsort(np.abs(np.log(ratio)))[:12] for ratio in ratios])]
