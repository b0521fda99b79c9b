# SPDX-License-Identifier: Apache-2.0
"""Put groups of things where the camera sees them.

For every group a height in the image is drawn log-uniformly between 16 of 288 pixels and a quarter more than the
whole frame; distance follows from it. What is found to fit is smaller on the whole: near places are often taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.record.objects import CustomObject, Prop, SceneObject
from pipeline.record.scene import Camera
from pipeline.scenes.cameras.aimed_camera import CameraSubject
from pipeline.scenes.cameras.rigs import floor_points, shares_in_frame
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import local_boxes, world_boxes
from pipeline.scenes.geometry.free_space import Place, overlaps
from pipeline.scenes.layouts.hall_plan import HallPlan

SMALLEST, LARGEST = 16 / 288, 1.25  # of the image's height
MIN_GAP_M = 0.04  # between a group and all else
TRIES = 120
SUBJECT_OFF_M = 0.3  # from where the camera aims, along each axis
SUBJECT_VISIBLE = 0.9
ASKEW_DEG = 18.0  # standard deviation of what turns its back to the camera
MOST_ASKEW_DEG = 50.0  # more, and it does not turn its back


@dataclass(frozen=True)
class View:
    """A furnished hall, the camera in it, and what the camera aims at, if at anything."""

    setting: HallPlan
    camera: Camera
    subject: CameraSubject | None = None


# Returns headings (n,) in degrees for points (n, 2) of the floor.
HeadingSampler = Callable[[np.random.Generator, View, np.ndarray], np.ndarray]


def key_objects(group: list[SceneObject]) -> list[SceneObject]:
    """Return what of a group is to be seen: its people and trucks, or else the things themselves."""
    labelled = [thing for thing in group if thing.category is not None]
    return labelled or [thing for thing in group if isinstance(thing, Prop | CustomObject)]


def put_in_view(view: View, group: list[SceneObject], places: list[Place], least_visible: float) -> list[SceneObject]:
    """Put the group on the first place where it fits and is seen; return what was put, nothing if there is no place.

    Every fourth place may have most of a truck or person cut off by the frame, the others little.
    """
    if not places:
        return []
    boxes = world_boxes(group)
    actors = [world_boxes([thing]) for thing in key_objects(group)]
    inside = np.min([shares_in_frame(view.camera, actor, places) for actor in actors], axis=0)
    for number in np.flatnonzero(inside >= np.where(np.arange(len(places)) % 4 == 0, 0.3, 0.85)):
        place = places[number]
        if _has_room(view, boxes.moved(*place)) and all(
            _visible(view, actor.moved(*place)) >= least_visible for actor in actors
        ):
            return view.setting.space.put(group, *place)
    return []


def _has_room(view: View, boxes: Boxes) -> bool:
    in_the_way = view.subject is not None and overlaps(boxes, view.subject.kept_free(), MIN_GAP_M)
    return not in_the_way and view.setting.space.fits(boxes, MIN_GAP_M)


def put_as_subject(
    random: np.random.Generator, view: View, group: list[SceneObject], turn: HeadingSampler
) -> list[SceneObject]:
    """Put the group where the camera aims, if it holds what the camera aims at and nobody is there yet."""
    if view.subject is None or all(thing.category != view.subject.category for thing in group):
        return []
    if not view.setting.space.is_free(view.subject.room):
        return []
    points = np.array(view.subject.spot_m) + random.uniform(-SUBJECT_OFF_M, SUBJECT_OFF_M, (TRIES // 6, 2))
    places = make_places(points, turn(random, view, points))
    return put_in_view(replace(view, subject=None), group, places, SUBJECT_VISIBLE)


def _visible(view: View, actor: Boxes) -> float:
    """Return the share of the actor that nothing hides, judged by points on the axes of its boxes and around them."""
    low, high = actor.rows[:, 5:6], actor.rows[:, 6:7]
    points = [np.column_stack([actor.rows[:, :2], low + (high - low) * share]) for share in (0.25, 0.6, 0.95)]
    corners = actor.corners_m()
    middle = corners.mean(axis=0)
    points.append(middle + 0.6 * (corners - middle))
    return view.setting.space.visible_share(view.camera.position_m, np.concatenate(points))


def propose_places_in_view(
    random: np.random.Generator, view: View, group: list[SceneObject], turn: HeadingSampler
) -> list[Place]:
    """Return places where the group's first truck or person has a log-uniform height in the image.

    There are some columns of the image for every height, so that great distances get their chance.
    """
    distances = np.repeat([draw_camera_distance(random, view.camera, group) for _ in range(TRIES // 6)], 6)
    columns = random.uniform(-0.05, 1.05, len(distances)) * 2 * view.camera.cx_px
    points = floor_points(view.camera, columns, distances)
    return make_places(points, turn(random, view, points))


def draw_camera_distance(random: np.random.Generator, camera: Camera, group: list[SceneObject]) -> float:
    """Return the distance along the floor at which the group's first actor is as high in the image as drawn."""
    tall = float(local_boxes(key_objects(group)[0]).rows[:, 6].max())
    pixels = 2 * camera.cy_px * np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST)))
    slant = camera.fy_px * tall / pixels
    return float(np.sqrt(max(slant**2 - (camera.position_m[2] - tall / 2) ** 2, 0.25)))


def draw_traffic_headings(random: np.random.Generator, view: View, points_m: np.ndarray) -> np.ndarray:
    """Return (n,) headings at points (n, 2): along the traffic or square to it in a tidy hall, anyhow elsewhere."""
    setting = view.setting
    count = len(points_m)
    anyhow = random.uniform(-180, 180, count)
    if not setting.square:
        return anyhow
    along = np.zeros(count)
    for way in setting.walkways:
        along[np.all((points_m >= way.low_m) & (points_m <= way.high_m), axis=1)] = way.heading_deg
    turned = random.choice([0, 180, 90, -90], count, p=[0.35, 0.35, 0.15, 0.15]) + random.normal(0, 8, count)
    return np.where(random.random(count) < 0.35, anyhow, along + turned)


def draw_headings_from_camera(random: np.random.Generator, view: View, points_m: np.ndarray) -> np.ndarray:
    """Return (n,) headings at points (n, 2), away from the camera and a little askew."""
    return _away_deg(view, points_m) + random.normal(0, ASKEW_DEG, len(points_m))


def keep_backs_to_camera(view: View, places: list[Place]) -> list[Place]:
    """Return those places whose heading is about away from the camera."""
    away = _away_deg(view, np.array([position[:2] for position, _ in places]))
    askew = np.abs((np.array([yaw for _, yaw in places]) - away + 180) % 360 - 180)
    return [place for place, off in zip(places, askew, strict=True) if off <= MOST_ASKEW_DEG]


def _away_deg(view: View, points_m: np.ndarray) -> np.ndarray:
    x, y = (points_m - view.camera.position_m[:2]).T
    return np.degrees(np.arctan2(y, x))


def make_places(points_m: np.ndarray, yaws_deg: np.ndarray) -> list[Place]:
    """Return places on the floor at points (n, 2) with headings (n,)."""
    return [((float(x), float(y), 0.0), float(yaw)) for (x, y), yaw in zip(points_m, yaws_deg, strict=True)]


def select_by_distance(
    random: np.random.Generator, view: View, group: list[SceneObject], spots: np.ndarray
) -> np.ndarray:
    """Return those rows of `spots` (n, 2 or more: x, y ..) whose distance suits a log-uniform height: up to 48."""
    away = np.linalg.norm(spots[:, :2] - view.camera.position_m[:2], axis=1)
    wanted = [draw_camera_distance(random, view.camera, group) for _ in range(4)]
    return spots[
        np.concatenate([np.argsort(np.abs(np.log(np.maximum(away, 0.1) / distance)))[:12] for distance in wanted])
    ]
