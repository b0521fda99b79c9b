# SPDX-License-Identifier: Apache-2.0
"""Furniture that every layout may have: bollards, signs, ladders and cones.

Rules: bollards stand at the corners of racks and beside dock doors. Signs hang over the ends of aisles and in front of
doors. Ladders stand along the edges of walkways. Cones stand around a spot on the floor.
"""

import numpy as np

from pipeline.record.objects import PropParameters, SceneObject
from pipeline.scenes.assets.non_carton_goods import make_prop
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.geometry.collision_boxes import rack_length_m, world_boxes
from pipeline.scenes.geometry.floor_area import draw_by_area
from pipeline.scenes.geometry.free_space import Place
from pipeline.scenes.geometry.transform import to_parent_frame
from pipeline.scenes.layouts.hall_plan import HallPlan

SIGN_HEIGHT_RANGE_M = (2.6, 4.5)  # of the lower edge
SIGN_WIRE_LENGTH_M = 1.0


def add_furniture(random: np.random.Generator, plan: HallPlan) -> None:
    """Add bollards, signs, ladders and cones, each kind with the probability `plan.furniture_density`."""
    adders = (_add_bollards, _add_signs, _add_ladders, _add_cones)
    wanted = random.random(len(adders)) < plan.furniture_density
    for add, is_wanted in zip(adders, wanted, strict=True):
        if is_wanted:
            add(random, plan)


def _add_bollards(random: np.random.Generator, plan: HallPlan) -> None:
    """Add bollards at both sides of all doors and at the four corners of 70 % of the racks."""
    parameters = draw_prop(random, "bollard")
    reach = max(parameters.size_m[:2]) / 2 + 0.03
    for door in plan.doors:
        for side in (-1, 1):
            place = _place_beside((door.x_m, door.y_m), door.yaw_deg, reach + 0.05, side * (door.width_m / 2 + reach))
            _put_if_free(plan, [make_prop("bollard", parameters)], place)
    for rack in plan.racks():
        ahead, aside = rack_length_m(rack.parameters) / 2 + reach + 0.05, rack.parameters.depth_m / 2 - reach
        if random.random() < 0.7:
            for x, y in ((-ahead, -aside), (-ahead, aside), (ahead, -aside), (ahead, aside)):
                place = _place_beside(rack.position_m[:2], rack.yaw_deg, x, y)
                _put_if_free(plan, [make_prop("bollard", parameters)], place)


def _place_beside(origin_m: tuple[float, float], yaw_deg: float, ahead_m: float, left_m: float) -> Place:
    """Return the place `ahead_m` in front of and `left_m` to the left of a floor point, with the same heading."""
    x, y = to_parent_frame(ahead_m, left_m, yaw_deg, origin_m)
    return (float(x), float(y), 0.0), yaw_deg


def _put_if_free(plan: HallPlan, group: list[SceneObject], place: Place) -> None:
    """Add the group at the place if it fits, even in `no_goods_boxes`."""
    if plan.space.fits(world_boxes(group).moved(*place), 0.01):
        plan.space.put(group, *place)


def _add_signs(random: np.random.Generator, plan: HallPlan) -> None:
    """Hang signs over both ends of walkways and in front of doors; they face the people who arrive."""
    boards = [draw_prop(random, "hanging_sign") for _ in range(2)]
    for walkway in plan.walkways:
        middle = np.add(walkway.low_m, walkway.high_m) / 2
        half = np.subtract(walkway.high_m, walkway.low_m) / 2 - 0.3
        angle = np.radians(walkway.heading_deg)
        for end in (-1, 1):
            if random.random() < 0.6:
                x, y = middle + end * half * np.abs((np.cos(angle), np.sin(angle)))
                outwards = walkway.heading_deg + (0 if end > 0 else 180)
                _hang_sign(random, plan, boards, ((float(x), float(y), 0.0), outwards))
    for door in plan.doors:
        if random.random() < 0.5:
            _hang_sign(random, plan, boards, _place_beside((door.x_m, door.y_m), door.yaw_deg, 1.0, 0.0))


def _hang_sign(random: np.random.Generator, plan: HallPlan, boards: list[PropParameters], place: Place) -> None:
    parameters = boards[random.integers(len(boards))]
    below_ceiling = plan.space.size_m[2] - parameters.size_m[2]
    height = min(max(below_ceiling - SIGN_WIRE_LENGTH_M, SIGN_HEIGHT_RANGE_M[0]), SIGN_HEIGHT_RANGE_M[1], below_ceiling)
    group = [make_prop("hanging_sign", parameters, position_m=(0, 0, round(float(height), 3)), stands_on="ceiling")]
    _put_if_free(plan, group, place)


def _add_ladders(random: np.random.Generator, plan: HallPlan) -> None:
    """Add one or two ladders along an edge of a walkway, or anywhere on it if the plan is not orderly."""
    for _ in range(int(random.integers(1, 3))):
        parameters = draw_prop(random, "ladder")
        walkway = draw_by_area(random, plan.walkways)
        aside = parameters.size_m[1] / 2 + 0.15
        places = []
        for _ in range(6):
            x, y = walkway.draw(random)
            y = float(random.choice([walkway.low_m[1] + aside, walkway.high_m[1] - aside])) if plan.orderly else y
            yaw = float(random.choice([0, 180]) + random.normal(0, 5) if plan.orderly else random.uniform(-180, 180))
            places.append(((float(x), float(y), 0.0), yaw))
        plan.try_put([make_prop("ladder", parameters)], places, 0.03)


def _add_cones(random: np.random.Generator, plan: HallPlan) -> None:
    """Add one to four cones around each of one or two spots."""
    parameters = draw_prop(random, "cone")
    for _ in range(int(random.integers(1, 3))):
        spot, count = draw_by_area(random, plan.walkways).draw(random), int(random.integers(1, 5))
        angles = random.uniform(0, 360) + np.arange(count) * 360 / count + random.normal(0, 10, count)
        distance = random.uniform(0.5, 1.2)
        for angle in angles:
            _put_if_free(plan, [make_prop("cone", parameters)], _place_beside(spot, float(angle), distance, 0.0))
