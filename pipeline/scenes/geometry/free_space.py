# SPDX-License-Identifier: Apache-2.0
"""The space of a hall while it is filled with objects: what stands where, what fits, what is visible.

Objects are added as groups. A group is a list of objects in a frame of its own, with the first object at the origin: a
pallet with its cartons, a truck with the person who pushes it. Within a group, `stands_on` is "floor", "ceiling" or the
name of another object of the group.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from pipeline.record.base_types import Vec3
from pipeline.record.objects import SceneObject
from pipeline.scenes.geometry.boxes import Boxes, concatenate_boxes
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.transform import to_parent_frame

Place = tuple[Vec3, float]  # position_m, yaw_deg

TOUCH_M = 0.001  # objects that overlap by less only touch


class HallSpace:
    """A hall of `size_m` (x, y, height), centered on the origin, and the objects in it."""

    def __init__(self, size_m: Vec3) -> None:
        self.size_m = size_m
        self.objects: list[SceneObject] = []
        self.boxes = Boxes(np.empty((0, 7)))
        self._reserved = Boxes(np.empty((0, 7)))

    def fits(self, boxes: Boxes, gap_m: float = 0.02) -> bool:
        """Is there room for the boxes in the hall, with a gap of `gap_m` to all walls, objects and reserved space?"""
        hull, limit = boxes.total_bounds_m, np.array(self.size_m)
        if np.any(np.abs(hull[[0, 1, 3, 4]]) > limit[[0, 1, 0, 1]] / 2 - gap_m) or hull[5] > limit[2]:
            return False
        return not any(overlaps(boxes, others, gap_m) for others in (self._reserved, self.boxes))

    def is_free(self, boxes: Boxes) -> bool:
        """Is there no object within the boxes? They may reach beyond the hall."""
        return not overlaps(boxes, self.boxes, 0.0)

    def put(self, group: Sequence[SceneObject], position_m: Vec3 = (0, 0, 0), yaw_deg: float = 0) -> list[SceneObject]:
        """Add a group at a place and return its objects, which get unique names such as `eur_pallet_12`."""
        names, added = {"floor": "floor", "ceiling": "ceiling"}, []
        for scene_object in group:
            names[scene_object.name] = f"{scene_object.asset}_{len(self.objects) + len(added) + 1}"
            added.append(
                moved(
                    scene_object,
                    position_m,
                    yaw_deg,
                    name=names[scene_object.name],
                    stands_on=names[scene_object.stands_on],
                )
            )
        self.objects += added
        self.boxes = concatenate_boxes([self.boxes, world_boxes(added)])
        return added

    def reserve(self, boxes: Boxes) -> None:
        """Keep the space within the boxes free of all further objects."""
        self._reserved = concatenate_boxes([self._reserved, boxes])

    def visible_share(self, origin_m: Vec3, points_m: np.ndarray) -> float:
        """Return the share of the points (k, 3) that are visible from `origin_m`."""
        origin = np.array(origin_m)
        hull = np.concatenate([np.minimum(points_m.min(axis=0), origin), np.maximum(points_m.max(axis=0), origin)])
        entry = self.boxes.within_bounds(hull).ray_entry(origin, points_m - origin)
        return float(np.mean(entry.min(axis=1, initial=np.inf) >= 1))

    def free_sight_m(self, origin_m: Vec3, headings_deg: np.ndarray) -> np.ndarray:
        """Return the distance (k,) from `origin_m` to the first object or wall along horizontal headings (k,)."""
        angle, origin, half = np.radians(headings_deg), np.array(origin_m), np.array(self.size_m[:2]) / 2
        rays = np.column_stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)])
        speeds = np.maximum(np.abs(rays[:, :2]), 1e-9)
        to_wall = ((half - np.sign(rays[:, :2]) * origin[:2]) / speeds).min(axis=1)
        at_height = self.boxes.within_bounds(np.array([*-half, origin[2], *half, origin[2]]))
        return np.minimum(at_height.ray_entry(origin, rays).min(axis=1, initial=np.inf), to_wall)


def moved(scene_object: SceneObject, position_m: Vec3, yaw_deg: float, **changes: str) -> SceneObject:
    """Return the object turned by `yaw_deg` about the z axis, then shifted; rounded to 0.1 mm and 0.001 degrees.

    `changes` are new values of other fields.
    """
    x, y, z = scene_object.position_m
    position = (*to_parent_frame(x, y, yaw_deg, position_m), position_m[2] + z)
    yaw = round(float((scene_object.yaw_deg + yaw_deg + 180) % 360 - 180), 3)
    rounded = tuple(round(float(value), 4) for value in position)
    return scene_object.model_copy(update={"position_m": rounded, "yaw_deg": yaw, **changes})


def overlaps(boxes: Boxes, others: Boxes, gap_m: float) -> bool:
    """Does any of `boxes` come nearer than `gap_m` to any of `others`? Boxes at different heights may share floor."""
    if not len(others.rows):
        return False
    near = others.within_bounds(boxes.total_bounds_m, gap_m)
    return len(near.rows) > 0 and len(colliding_pairs(boxes, near, gap_m)) > 0


def colliding_pairs(boxes: Boxes, others: Boxes, gap_m: float) -> np.ndarray:
    """Return (k, 2): rows of `boxes` and of `others` that collide.

    A pair collides if the footprints are nearer than `gap_m` and the heights overlap by more than `TOUCH_M`. A negative
    gap allows footprints to overlap by that much.
    """
    first_bounds, second_bounds = boxes.bounds_m[:, None], others.bounds_m[None]
    # The bounds are cheap to compare and leave few pairs for the exact test.
    gaps = np.array([gap_m, gap_m, -TOUCH_M])
    near = np.all(
        (first_bounds[..., :3] < second_bounds[..., 3:] + gaps)
        & (second_bounds[..., :3] < first_bounds[..., 3:] + gaps),
        axis=-1,
    )
    pairs = np.argwhere(near)
    first, second = Boxes(boxes.rows[pairs[:, 0]]).footprints(), Boxes(others.rows[pairs[:, 1]]).footprints()
    if gap_m < 0:  # shrink both by half of the allowed overlap
        first, second = shapely.buffer(first, gap_m / 2), shapely.buffer(second, gap_m / 2)
    return pairs[shapely.dwithin(first, second, max(gap_m, 0.0))]


def first_free_place(space: HallSpace, boxes: Boxes, places: Iterable[Place], gap_m: float = 0.05) -> Place | None:
    """Return the first place where the boxes fit, or None."""
    return next((place for place in places if space.fits(boxes.moved(*place), gap_m)), None)
