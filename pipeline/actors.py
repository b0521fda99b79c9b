# SPDX-License-Identifier: Apache-2.0
"""Trucks and people put where the camera sees them, from far to near.

For every group a height in the picture is drawn log-uniformly between 20 of 288 pixels and the whole frame; distance
follows from it. Trucks then snap to what trucks are parked at: a free slot of a rack, a wall of pallets, a row.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.cameras import floor_points, shares_in_frame, surroundings
from pipeline.config import SceneSection
from pipeline.goods import SEEDS
from pipeline.layouts import Setting
from pipeline.placing import Place, find_place
from pipeline.scene import Camera
from pipeline.things import HandPalletTruckParameters, Person, Thing
from pipeline.trucks import as_truck, draw_fleet, fits_pallet, one_of, parked, row_of_trucks, with_pallet
from pipeline.volumes import Boxes, own_boxes, volumes
from pipeline.workers import as_person, draw_person, draw_pose, working_pair

SMALLEST = 20 / 288  # of the picture's height
OUT_OF_VIEW = 0.04  # share of groups that may stand anywhere, seen or not
GAP_M = 0.04  # between a group and all else
TRIES = 120
TRIES_ANYWHERE = 2000


class NoRoomError(Exception):
    """The hall is too full for the people and trucks that were asked for."""


@dataclass(frozen=True)
class Counts:
    people: int
    trucks: int
    pairs: int


def draw_counts(random: np.random.Generator, config: SceneSection) -> Counts:
    """Draw how many people and trucks there are, those who work together (`pairs`) among them.

    Both ranges count evenly, except that nothing at all comes up as often as `empty` says (or always, if the ranges
    allow nothing else); a working pair needs one of each, so it raises a zero that the ranges allow to be one.
    """
    people = range(int(config.people[0]), int(config.people[1]) + 1)
    trucks = range(int(config.trucks[0]), int(config.trucks[1]) + 1)
    all_counts = [(p, t) for p in people for t in trucks if p + t > 0]
    pair_counts = [(p, t) for p, t in all_counts if p and t]
    if random.random() < config.empty or not all_counts:
        return Counts(0, 0, 0)
    works = bool(pair_counts) and random.random() < config.working_pairs
    choices = pair_counts if works else all_counts
    chosen = choices[random.integers(len(choices))]
    pairs = 1 + int(min(chosen) > 1 and random.random() < 0.25) if works else 0
    return Counts(*chosen, pairs)


def add_actors(random: np.random.Generator, config: SceneSection, setting: Setting, camera: Camera) -> None:
    """Put trucks and people into the hall.

    Raises:
        NoRoomError: a group found no free place anywhere.
    """
    counts = draw_counts(random, config)
    setting.space.keep_free(surroundings(camera.position_m))
    fleet = draw_fleet(random)
    for _ in range(counts.pairs):
        _place(random, setting, camera, _pair(random, setting, fleet))
    _add_trucks(random, setting, camera, fleet, counts.trucks - counts.pairs)
    _add_people(random, setting, camera, counts.people - counts.pairs)


def _pair(random: np.random.Generator, setting: Setting, fleet: list[HandPalletTruckParameters]) -> list[Thing]:
    """Somebody at work with a truck that is empty or carries a pallet."""
    kind = one_of(random, fleet).model_copy(update={"seed": int(random.integers(SEEDS))})
    truck, person = working_pair(random, kind, str(random.choice(["push", "pull"])))
    if fits_pallet(truck) and truck.fork_length_m > 1 and random.random() < 0.55:
        return [*with_pallet(random, truck, setting.stock, raised=True), person]
    return [as_truck(truck), person]


def _add_trucks(
    random: np.random.Generator,
    setting: Setting,
    camera: Camera,
    fleet: list[HandPalletTruckParameters],
    count: int,
) -> None:
    """Park trucks: alone, in a row, in or before a rack, with the forks in a pallet."""
    left = count
    while left > 0:
        row = int(random.integers(2, 4)) if random.random() < 0.12 else 1
        if 1 < row <= left:
            _place(random, setting, camera, row_of_trucks(random, fleet, row))
            left -= row
            continue
        _park_one(random, setting, camera, fleet)
        left -= 1


def _park_one(
    random: np.random.Generator, setting: Setting, camera: Camera, fleet: list[HandPalletTruckParameters]
) -> None:
    truck = parked(random, fleet)
    if fits_pallet(truck) and random.random() < 0.35:
        raised = truck.fork_length_m > 1 and random.random() < 0.4
        _place(random, setting, camera, with_pallet(random, truck, setting.stock, raised))
    else:
        at_rack = bool(setting.slots) and random.random() < 0.5
        _place(random, setting, camera, [as_truck(truck)], at_rack)


def _add_people(random: np.random.Generator, setting: Setting, camera: Camera, count: int) -> None:
    for _ in range(count):
        person = as_person(draw_person(random, draw_pose(random)))
        others = [thing for thing in setting.space.things if isinstance(thing, Person)]
        if others and person.parameters.pose.name == "stand" and random.random() < 0.35:
            beside = _facing(random, others[-1])
            if _put_in_view(setting, camera, [person], beside, 0.3):
                continue
        _place(random, setting, camera, [person])


def _facing(random: np.random.Generator, other: Thing) -> list[Place]:
    """Return places in front of or beside somebody, looking at them: two people who talk."""
    bearings = other.yaw_deg + random.normal(0, 50, 10)
    distances = random.uniform(0.9, 1.5, 10)
    angles = np.radians(bearings)
    points = np.array(other.position_m[:2]) + distances[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return _places(points, bearings + 180 + random.normal(0, 15, 10))


def _places(points_m: np.ndarray, yaws_deg: np.ndarray) -> list[Place]:
    return [((float(x), float(y), 0.0), float(yaw)) for (x, y), yaw in zip(points_m, yaws_deg, strict=True)]


def _place(
    random: np.random.Generator, setting: Setting, camera: Camera, group: list[Thing], at_rack: bool = False
) -> None:
    """Put a group where the camera sees it well, at least in part, or (rarely wanted, rarely needed) anywhere."""
    if random.random() > OUT_OF_VIEW:
        if at_rack and _put_in_view(setting, camera, group, _near_slots(random, setting, camera, group), 0.35):
            return
        for visible in (0.1,) if random.random() < 0.15 else (0.5, 0.1):
            if _put_in_view(setting, camera, group, _in_view(random, setting, camera, group), visible):
                return
    half = np.array(setting.space.size_m[:2]) / 2
    points = random.uniform(-half, half, (TRIES_ANYWHERE, 2))
    place = find_place(setting.space, volumes(group), _places(points, _draw_headings(random, setting, points)), GAP_M)
    if place is None:
        names = ", ".join(thing.asset for thing in group)
        raise NoRoomError(f"no free place for {names}; lower scene.people, scene.trucks or scene.goods")
    setting.space.put(group, *place)


def _put_in_view(
    setting: Setting, camera: Camera, group: list[Thing], places: list[Place], least_visible: float
) -> bool:
    """Put the group on the first place where it fits and is seen, and return whether there was one.

    Every fourth place may have most of a truck or person cut off by the frame, the others little.
    """
    boxes = volumes(group)
    actors = [volumes([thing]) for thing in group if thing.category is not None]
    inside = np.min([shares_in_frame(camera, actor, places) for actor in actors], axis=0)
    for number in np.flatnonzero(inside >= np.where(np.arange(len(places)) % 4 == 0, 0.3, 0.85)):
        place = places[number]
        if setting.space.fits(boxes.moved(*place), GAP_M) and all(
            _visible(setting, camera, actor.moved(*place)) >= least_visible for actor in actors
        ):
            setting.space.put(group, *place)
            return True
    return False


def _visible(setting: Setting, camera: Camera, actor: Boxes) -> float:
    """Return the share of the actor that nothing hides, judged by points on the axes of its boxes and around them."""
    low, high = actor.rows[:, 5:6], actor.rows[:, 6:7]
    points = [np.column_stack([actor.rows[:, :2], low + (high - low) * share]) for share in (0.25, 0.6, 0.95)]
    corners = actor.corners_m()
    middle = corners.mean(axis=0)
    points.append(middle + 0.6 * (corners - middle))
    return setting.space.visible_share(camera.position_m, np.concatenate(points))


def _in_view(random: np.random.Generator, setting: Setting, camera: Camera, group: list[Thing]) -> list[Place]:
    """Return places where the group's first truck or person has a log-uniform height in the picture.

    There are some columns of the picture for every height, so that great distances get their chance.
    """
    distances = np.repeat([_draw_distance(random, camera, group) for _ in range(TRIES // 6)], 6)
    columns = random.uniform(-0.05, 1.05, len(distances)) * 2 * camera.cx_px
    points = floor_points(camera, columns, distances)
    return _places(points, _draw_headings(random, setting, points))


def _draw_distance(random: np.random.Generator, camera: Camera, group: list[Thing]) -> float:
    """Return the distance along the floor at which the group's first actor is as high in the picture as drawn."""
    actor = next(thing for thing in group if thing.category is not None)
    tall = float(own_boxes(actor).rows[:, 6].max())
    pixels = 2 * camera.cy_px * np.exp(random.uniform(np.log(SMALLEST), 0))
    slant = camera.fy_px * tall / pixels
    return float(np.sqrt(max(slant**2 - (camera.position_m[2] - tall / 2) ** 2, 0.25)))


def _draw_headings(random: np.random.Generator, setting: Setting, points_m: np.ndarray) -> np.ndarray:
    """Return (n,) headings at points (n, 2): along the traffic or square to it in a tidy hall, anyhow elsewhere."""
    count = len(points_m)
    anyhow = random.uniform(-180, 180, count)
    if not setting.square:
        return anyhow
    along = np.zeros(count)
    for way in setting.walkways:
        along[np.all((points_m >= way.low_m) & (points_m <= way.high_m), axis=1)] = way.heading_deg
    turned = random.choice([0, 180, 90, -90], count, p=[0.35, 0.35, 0.15, 0.15]) + random.normal(0, 8, count)
    return np.where(random.random(count) < 0.35, anyhow, along + turned)


def _near_slots(random: np.random.Generator, setting: Setting, camera: Camera, group: list[Thing]) -> list[Place]:
    """Return places at free rack slots whose distance suits a log-uniform height: forks in the rack or before it."""
    slots = np.array([(slot.x_m, slot.y_m, slot.yaw_deg) for slot in setting.slots])
    away = np.linalg.norm(slots[:, :2] - camera.position_m[:2], axis=1)
    wanted = [_draw_distance(random, camera, group) for _ in range(4)]
    nearest = [np.argsort(np.abs(np.log(np.maximum(away, 0.1) / distance)))[:12] for distance in wanted]
    x, y, yaw = slots[np.concatenate(nearest)].T
    out = np.where(random.random(len(x)) < 0.75, random.uniform(0.1, 0.7, len(x)), random.uniform(1.6, 1.8, len(x)))
    angle = np.radians(yaw)
    points = np.column_stack([x - out * np.cos(angle), y - out * np.sin(angle)])
    return _places(points, yaw + random.normal(0, 3, len(x)))
