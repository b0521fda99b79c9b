# SPDX-License-Identifier: Apache-2.0
"""A camera that aims at a subject: a person or a truck that is near, complete and not hidden.

Without such cameras most people are far away, at the edge of the frame or half hidden, because full halls have few free
places near the camera.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.config.world import CameraSection
from pipeline.record.base_types import Category, Vec3
from pipeline.record.scene import Camera
from pipeline.scenes.cameras.rigs import (
    camera_rotation,
    draw_camera_heading,
    draw_free_position,
    draw_rig,
    make_camera,
    mean_view_depth_m,
)
from pipeline.scenes.geometry.boxes import Boxes, concatenate_boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace
from pipeline.scenes.geometry.transform import to_parent_frame

SUBJECT_HEIGHT_M = {"pedestrian": 1.75, "pallet_truck": 1.2}
SUBJECT_ROOM_M = {"pedestrian": 0.9, "pallet_truck": 1.4}  # side of the free square of floor around the subject
MAX_OFF_CENTER = 0.3  # horizontal distance of the subject from the image center, as a share of the image width
MAX_DOWN_ANGLE_DEG = 55.0
MIN_SUBJECT_DISTANCE_M = 1.0
MAX_TRIES = 24


@dataclass(frozen=True)
class CameraSubject:
    """The place for a subject (x, y), the space for it, and the space between it and the camera."""

    category: Category
    spot_m: tuple[float, float]
    room: Boxes
    sight_corridor: Boxes

    def reserved_boxes(self) -> Boxes:
        """Return the space that all other objects leave free."""
        return concatenate_boxes([self.room, self.sight_corridor])


def draw_subject_category(
    random: np.random.Generator, config: CameraSection, people: int, trucks: int
) -> Category | None:
    """Draw the category that the camera aims at, among those in the image; None for a camera without a subject."""
    present = ["pedestrian"] * (people > 0) + ["pallet_truck"] * (trucks > 0)
    drawn, number = random.random() < config.subject, random.integers(2)
    return present[number % len(present)] if drawn and present else None


def draw_aimed_camera(
    random: np.random.Generator,
    config: CameraSection,
    space: HallSpace,
    walkways: list[FloorArea],
    lamp_height: float,
    category: Category,
) -> tuple[Camera, CameraSubject] | None:
    """Draw a camera and a subject at the distance that gives the subject its drawn height in the image.

    The camera with the deepest view of `MAX_TRIES` is returned, because it leaves room for other objects. Cameras of
    high rigs look down by at most `MAX_DOWN_ANGLE_DEG`, so their subjects can be smaller than drawn. Returns None if no
    camera has room for a subject.
    """
    rig, fov_deg = draw_rig(random, config)
    pixels = config.height * random.uniform(*config.subject_height)
    focal_px = config.width / 2 / np.tan(np.radians(fov_deg) / 2)
    aside_deg = np.degrees(np.arctan(random.uniform(-MAX_OFF_CENTER, MAX_OFF_CENTER) * config.width / focal_px))
    pitch_error, roll = random.normal(0, config.aim_deg), random.normal(0, config.roll_deg)
    best, best_m = None, 0.0
    for _ in range(MAX_TRIES):
        position = draw_free_position(random, rig, space, walkways, lamp_height)
        bearing = draw_camera_heading(random, position, walkways)
        above = position[2] - SUBJECT_HEIGHT_M[category] / 2
        floor_distance = np.sqrt(max((focal_px * SUBJECT_HEIGHT_M[category] / pixels) ** 2 - above**2, 0.0))
        distance = float(max(floor_distance, above / np.tan(np.radians(MAX_DOWN_ANGLE_DEG)), MIN_SUBJECT_DISTANCE_M))
        subject = _free_subject(space, position, bearing, distance, category)
        if subject and (depth := mean_view_depth_m(space, position, bearing + aside_deg, fov_deg)) > best_m:
            pitch = -np.degrees(np.arctan2(above, distance)) + pitch_error
            matrix = camera_rotation(bearing + aside_deg, pitch, roll)
            best, best_m = (make_camera(config, rig, fov_deg, position, matrix), subject), depth
    return best


def _free_subject(
    space: HallSpace, position_m: Vec3, bearing_deg: float, distance_m: float, category: Category
) -> CameraSubject | None:
    """Return a subject at this bearing and distance, or None if there is no room or something hides it."""
    spot = to_parent_frame(distance_m, 0.0, bearing_deg, position_m)
    middle = to_parent_frame(distance_m / 2, 0.0, bearing_deg, position_m)
    side, height = SUBJECT_ROOM_M[category], SUBJECT_HEIGHT_M[category]
    room = Boxes(np.array([(*spot, bearing_deg, side, side, 0.0, height)]))
    if not space.fits(room) or space.visible_share(position_m, room.corners_m()) < 1:
        return None
    sight_corridor = Boxes(np.array([(*middle, bearing_deg, distance_m, side, 0.0, height)]))
    return CameraSubject(category, (float(spot[0]), float(spot[1])), room, sight_corridor)
