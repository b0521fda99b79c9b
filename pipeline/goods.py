# SPDX-License-Identifier: Apache-2.0
"""Pallets, what lies on them, and racks full of them: groups of things to be put into a hall.

A picture has a small stock of pallets and cartons that it uses again and again, as a warehouse does; so Blender builds
a few meshes and shows them many times.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.palettes import CARTONS, PRINTED_CARTONS, RACK_BEAMS, RACK_UPRIGHTS, draw_color
from pipeline.placing import moved
from pipeline.things import (
    Carton,
    CartonParameters,
    CartonStack,
    CartonStackParameters,
    EurPallet,
    EurPalletParameters,
    Rack,
    RackParameters,
    Thing,
)
from pipeline.volumes import PALLET_SIZE_M, rack_length_m

PALLET_M = PALLET_SIZE_M[2]
FREE_ABOVE_LOAD_M = 0.1  # what a fork lift needs to lift a pallet off its beams
STACKED, LOOSE = 0.78, 0.12  # shares of pallets with a stack of cartons, with a few cartons; the others are empty
SEEDS = 2**31


@dataclass(frozen=True)
class Stock:
    """The kinds of pallets, carton stacks (as one layer) and single cartons of one picture."""

    pallets: tuple[EurPalletParameters, ...]
    stacks: tuple[CartonStackParameters, ...]
    cartons: tuple[CartonParameters, ...]


@dataclass(frozen=True)
class Slot:
    """A free place for a pallet at floor level of a rack: on its front line, `yaw_deg` looking into the rack."""

    x_m: float
    y_m: float
    yaw_deg: float


def draw_stock(random: np.random.Generator) -> Stock:
    age = random.beta(1.5, 1.8)
    pallets = tuple(
        EurPalletParameters(age=round(float(np.clip(age + random.normal(0, 0.2), 0, 1)), 3), seed=_seed(random))
        for _ in range(4)
    )
    stacks = tuple(_stack_kind(random) for _ in range(6))
    return Stock(pallets, stacks, tuple(_carton_kind(random) for _ in range(4)))


def _seed(random: np.random.Generator) -> int:
    return int(random.integers(SEEDS))


def _stack_kind(random: np.random.Generator) -> CartonStackParameters:
    """Draw cartons that tile the pallet's top: one to four along it, one to three across, shrunk a little."""
    along, across = int(random.integers(1, 5)), int(random.integers(1, 4))
    shrink = random.uniform(0.9, 0.985)
    height = random.uniform(0.5, 0.95) if along * across == 1 else random.uniform(0.18, 0.42)
    size = (PALLET_SIZE_M[0] / along * shrink, PALLET_SIZE_M[1] / across * shrink, height)
    return CartonStackParameters(
        count=(along, across, 1),
        carton_m=tuple(round(float(value), 3) for value in size),
        missing=0,
        color_rgb=draw_color(random, CARTONS if random.random() < 0.8 else PRINTED_CARTONS),
        wrapped=bool(random.random() < 0.3),
        seed=_seed(random),
    )


def _carton_kind(random: np.random.Generator) -> CartonParameters:
    size = tuple(round(float(value), 3) for value in random.uniform((0.25, 0.2, 0.15), (0.58, 0.38, 0.45)))
    return CartonParameters(
        size_m=size,
        color_rgb=draw_color(random, CARTONS if random.random() < 0.8 else PRINTED_CARTONS),
        seed=_seed(random),
    )


def pallet(random: np.random.Generator, stock: Stock, name: str = "pallet") -> EurPallet:
    kind = stock.pallets[random.integers(len(stock.pallets))]
    turned = 180.0 * random.integers(2)
    return EurPallet(name=name, position_m=(0, 0, 0), yaw_deg=turned, stands_on="floor", instance_id=0, parameters=kind)


def loaded_pallet(random: np.random.Generator, stock: Stock, most_m: float = 1.9) -> list[Thing]:
    """A pallet with cartons stacked or lying on it, or with nothing; `most_m` high at most."""
    carrier = pallet(random, stock)
    room = most_m - PALLET_M
    kind = random.random()
    if kind < STACKED:
        return [carrier, *_stack_on(random, stock, room)]
    if kind < STACKED + LOOSE:
        return [carrier, *_cartons_on(random, stock, room)]
    return [carrier]


def _stack_on(random: np.random.Generator, stock: Stock, room_m: float) -> list[Thing]:
    """A stack of as many layers as fit and please; none if not even one layer fits."""
    kind = stock.stacks[random.integers(len(stock.stacks))]
    along, across, _ = kind.count
    most = int(min(room_m, 1.75) / kind.carton_m[2])
    if most < 1:
        return []
    layers = int(random.integers(max(1, most // 2), most + 1))
    full = kind.wrapped or along * across == 1 or layers == 1 or random.random() < 0.6
    missing = 0 if full else int(random.integers(1, along * across))
    parameters = kind.model_copy(update={"count": (along, across, layers), "missing": missing})
    return [
        CartonStack(
            name="load", position_m=(0, 0, PALLET_M), yaw_deg=0, stands_on="pallet", instance_id=0,
            parameters=parameters,
        )
    ]  # fmt: skip


def _cartons_on(random: np.random.Generator, stock: Stock, room_m: float) -> list[Thing]:
    """Up to four cartons, one in each quarter of the pallet's top."""
    quarters = [(x, y) for x in (-0.3, 0.3) for y in (-0.2, 0.2)]
    things: list[Thing] = []
    for number in random.permutation(4)[: random.integers(1, 5)]:
        kind = stock.cartons[random.integers(len(stock.cartons))]
        if kind.size_m[2] <= room_m:
            place = (*quarters[number], PALLET_M)
            things.append(_carton(kind, f"carton{number}", place, 180.0 * random.integers(2), "pallet"))
    return things


def _carton(kind: CartonParameters, name: str, place: tuple, yaw_deg: float, stands_on: str) -> Carton:
    return Carton(name=name, position_m=place, yaw_deg=yaw_deg, stands_on=stands_on, instance_id=0, parameters=kind)


def pallet_pile(random: np.random.Generator, stock: Stock, count: int) -> list[Thing]:
    """Empty pallets on each other, each a little askew."""
    things: list[Thing] = [pallet(random, stock, "pallet0")]
    for level in range(1, count):
        shift, askew = random.uniform(-0.012, 0.012, 2), random.uniform(-0.8, 0.8)
        place = (float(shift[0]), float(shift[1]), level * PALLET_M)
        changes = {"position_m": place, "stands_on": f"pallet{level - 1}"}
        upper = pallet(random, stock, f"pallet{level}")
        things.append(upper.model_copy(update={**changes, "yaw_deg": upper.yaw_deg + askew}))
    return things


def carton_pile(random: np.random.Generator, stock: Stock) -> list[Thing]:
    """One to three equal cartons on the floor, on each other."""
    kind = stock.cartons[random.integers(len(stock.cartons))]
    things: list[Thing] = []
    for level in range(int(random.integers(1, 4))):
        below = f"carton{level - 1}" if level else "floor"
        things.append(_carton(kind, f"carton{level}", (0, 0, level * kind.size_m[2]), 180.0 * (level % 2), below))
    return things


def draw_rack(random: np.random.Generator, hall_height_m: float) -> RackParameters:
    """Draw the kind of rack that a hall uses; `bays` is to be replaced. The floor level is open below 1.5 to 2.2 m."""
    height_limit = hall_height_m - 0.4
    levels = [random.uniform(1.5, 2.2)]
    pitch = random.uniform(1.1, 1.9)
    while levels[-1] + pitch + 0.9 < height_limit and len(levels) < 4:
        levels.append(levels[-1] + pitch)
    height = min(levels[-1] + random.uniform(0.1, 1.0), height_limit)
    return RackParameters(
        bays=1,
        bay_width_m=float(random.choice([1.825, 2.7, 3.6], p=[0.25, 0.65, 0.1])),
        depth_m=1.1,
        height_m=round(float(height), 3),
        level_heights_m=tuple(round(float(level), 3) for level in levels),
        upright_width_m=round(float(random.uniform(0.08, 0.12)), 3),
        beam_height_m=round(float(random.uniform(0.1, 0.14)), 3),
        upright_rgb=draw_color(random, RACK_UPRIGHTS),
        beam_rgb=draw_color(random, RACK_BEAMS),
        guards=bool(random.random() < 0.5),
        wear=round(float(random.beta(2, 3)), 3),
        seed=_seed(random),
    )


def filled_rack(
    random: np.random.Generator, stock: Stock, parameters: RackParameters, hall_height_m: float, fill: float
) -> tuple[list[Thing], list[Slot]]:
    """A rack along x with pallets standing across it, and the places at floor level that stayed empty.

    `fill` is the share of taken places on the beams; fewer are taken on the floor, where people pick and park.
    """
    rack = Rack(name="rack", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)
    things, slots = [rack], []
    levels = (0.0, *parameters.level_heights_m)
    places = _places_along(parameters)
    for number, level in enumerate(levels):
        above = levels[number + 1] - parameters.beam_height_m if number + 1 < len(levels) else hall_height_m
        most = above - level - FREE_ABOVE_LOAD_M
        share = 0.65 * fill if number == 0 else 0.25 + 0.7 * fill
        for place, x in enumerate(places):
            if random.random() < share:
                group = loaded_pallet(random, stock, min(most, 1.9))
                position = (x + float(random.uniform(-0.012, 0.012)), float(random.uniform(-0.03, 0.03)), level)
                things += _shelved(group, f"{number}-{place}-", "rack" if number else "floor", position)
            elif number == 0:
                slots += [Slot(x, -parameters.depth_m / 2, 90.0), Slot(x, parameters.depth_m / 2, -90.0)]
    return things, slots


def _shelved(group: list[Thing], prefix: str, stands_on: str, position: tuple[float, float, float]) -> list[Thing]:
    """Move a loaded pallet across the rack onto its place and tell its names from those of the other places."""
    names = {"floor": stands_on} | {thing.name: prefix + thing.name for thing in group}
    return [moved(thing, position, 90.0, name=names[thing.name], stands_on=names[thing.stands_on]) for thing in group]


def _places_along(parameters: RackParameters) -> list[float]:
    """Return x of every pallet place: the pallets of 800 mm stand in a bay with equal gaps."""
    per_bay = int(parameters.bay_width_m / (PALLET_SIZE_M[1] + 0.07))
    pitch = parameters.bay_width_m / per_bay
    first = -rack_length_m(parameters) / 2 + parameters.upright_width_m + pitch / 2
    bay_pitch = parameters.bay_width_m + parameters.upright_width_m
    return [first + bay * bay_pitch + place * pitch for bay in range(parameters.bays) for place in range(per_bay)]
