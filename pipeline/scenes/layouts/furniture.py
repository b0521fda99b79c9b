# SPDX-License-Identifier: Apache-2.0
"""Where props stand that no layout needs: what protects and warns, what people climb on, what is parked.

Rules: bollards at the corners of racks and beside dock doors; signs under the ceiling, over the ends of aisles and
before doors; ladders along racks and walls; cones around a spot on the floor. Look-alikes stand where pallet trucks do.
"""

import numpy as np

from pipeline.record.objects import PropParameters, SceneObject
from pipeline.scenes.assets.non_carton_goods import make_prop
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.geometry.collision_boxes import rack_length_m, world_boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import Place
from pipeline.scenes.layouts.hall_plan import HallPlan

SIGN_M = (2.6, 4.5)  # least and greatest height of a sign's lower edge
WIRES_M = 1.0  # what a sign hangs on


def add_furniture(random: np.random.Generator, setting: HallPlan) -> None:
    """Bollards, signs, ladders, cones: each sort in as many images as `setting.furniture` says."""
    sorts = (_bollards, _signs, _ladders, _cones)
    wanted = random.random(len(sorts)) < setting.furniture
    for add, wants in zip(sorts, wanted, strict=True):
        if wants:
            add(random, setting)


def _bollards(random: np.random.Generator, setting: HallPlan) -> None:
    """At the sides of all doors and the four corners of most racks."""
    kind = draw_prop(random, "bollard")
    reach = max(kind.size_m[:2]) / 2 + 0.03
    for door in setting.doors:
        for side in (-1, 1):
            place = _beside((door.x_m, door.y_m), door.yaw_deg, reach + 0.05, side * (door.width_m / 2 + reach))
            _put(setting, [make_prop("bollard", kind)], place)
    for rack in setting.racks():
        ahead, aside = rack_length_m(rack.parameters) / 2 + reach + 0.05, rack.parameters.depth_m / 2 - reach
        if random.random() < 0.7:
            for x, y in ((-ahead, -aside), (-ahead, aside), (ahead, -aside), (ahead, aside)):
                _put(setting, [make_prop("bollard", kind)], _beside(rack.position_m[:2], rack.yaw_deg, x, y))


def _beside(origin_m: tuple[float, float], yaw_deg: float, ahead_m: float, left_m: float) -> Place:
    """Return the place `ahead_m` before and `left_m` beside a place on the floor, looking the same way."""
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    x, y = origin_m[0] + cos * ahead_m - sin * left_m, origin_m[1] + sin * ahead_m + cos * left_m
    return (float(x), float(y), 0.0), yaw_deg


def _put(setting: HallPlan, group: list[SceneObject], place: Place) -> None:
    """Put it there if it fits, on floor that is kept clear of goods as well."""
    if setting.space.fits(world_boxes(group).moved(*place), 0.01):
        setting.space.put(group, *place)


def _signs(random: np.random.Generator, setting: HallPlan) -> None:
    """Over both ends of aisles and before doors, to be read by whoever comes."""
    kinds = [draw_prop(random, "hanging_sign") for _ in range(2)]
    for way in setting.walkways:
        middle = np.add(way.low_m, way.high_m) / 2
        half = np.subtract(way.high_m, way.low_m) / 2 - 0.3
        angle = np.radians(way.heading_deg)
        for end in (-1, 1):
            if random.random() < 0.6:
                x, y = middle + end * half * np.abs((np.cos(angle), np.sin(angle)))
                outwards = way.heading_deg + (0 if end > 0 else 180)
                _hang(random, setting, kinds, ((float(x), float(y), 0.0), outwards))
    for door in setting.doors:
        if random.random() < 0.5:
            _hang(random, setting, kinds, _beside((door.x_m, door.y_m), door.yaw_deg, 1.0, 0.0))


def _hang(random: np.random.Generator, setting: HallPlan, kinds: list[PropParameters], place: Place) -> None:
    kind = kinds[random.integers(len(kinds))]
    below_ceiling = setting.space.size_m[2] - kind.size_m[2]
    height = min(max(below_ceiling - WIRES_M, SIGN_M[0]), SIGN_M[1], below_ceiling)
    group = [make_prop("hanging_sign", kind, place_m=(0, 0, round(float(height), 3)), stands_on="ceiling")]
    _put(setting, group, place)


def _ladders(random: np.random.Generator, setting: HallPlan) -> None:
    """One or two, where somebody left them: along an edge of a walkway, or anywhere if nothing is square."""
    for _ in range(int(random.integers(1, 3))):
        kind = draw_prop(random, "ladder")
        way = _some_walkway(random, setting)
        aside = kind.size_m[1] / 2 + 0.15
        places = []
        for _ in range(6):
            x, y = way.draw(random)
            y = float(random.choice([way.low_m[1] + aside, way.high_m[1] - aside])) if setting.square else y
            yaw = float(random.choice([0, 180]) + random.normal(0, 5) if setting.square else random.uniform(-180, 180))
            places.append(((float(x), float(y), 0.0), yaw))
        setting.try_put([make_prop("ladder", kind)], places, 0.03)


def _some_walkway(random: np.random.Generator, setting: HallPlan) -> FloorArea:
    areas = np.array([way.area_m2() for way in setting.walkways])
    return setting.walkways[random.choice(len(areas), p=areas / areas.sum())]


def _cones(random: np.random.Generator, setting: HallPlan) -> None:
    """One to four around a spot, in one or two spots."""
    kind = draw_prop(random, "cone")
    for _ in range(int(random.integers(1, 3))):
        spot, count = _some_walkway(random, setting).draw(random), int(random.integers(1, 5))
        angles = random.uniform(0, 360) + np.arange(count) * 360 / count + random.normal(0, 10, count)
        away = random.uniform(0.5, 1.2)
        for angle in angles:
            _put(setting, [make_prop("cone", kind)], _beside(spot, float(angle), away, 0.0))
