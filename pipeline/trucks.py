# SPDX-License-Identifier: Apache-2.0
"""Hand pallet trucks: their build, and the groups they stand in (alone, in a row, under or with a load)."""

import numpy as np

from pipeline.goods import SEEDS, Stock, loaded_pallet
from pipeline.palettes import TRUCK_BODIES, TRUCK_WHEELS, draw_color
from pipeline.parts import Vec3
from pipeline.placing import moved
from pipeline.things import HandPalletTruck, HandPalletTruckParameters, Thing
from pipeline.volumes import PALLET_OPENING_M, PALLET_SIZE_M, TILLER_LENGTH_M, TILLER_PIVOT_M, TRUCK_HEEL_M

LOWERED_M, RAISED_M = 0.085, 0.2


def grip_m(parameters: HandPalletTruckParameters) -> Vec3:
    """Return the middle of the grip bar in the truck's frame."""
    tilt, turn = np.radians(parameters.tiller_tilt_deg), np.radians(parameters.tiller_turn_deg)
    back = TILLER_LENGTH_M * np.sin(tilt)
    place = (-back * np.cos(turn), -back * np.sin(turn), TILLER_PIVOT_M + TILLER_LENGTH_M * np.cos(tilt))
    return tuple(round(float(value), 4) for value in place)


def draw_fleet(random: np.random.Generator) -> list[HandPalletTruckParameters]:
    """Draw the one to three kinds of trucks of one hall, lowered, tiller upright; the first fits a EUR pallet."""
    return [_kind(random, narrow=number == 0 or random.random() < 0.75) for number in range(random.integers(1, 4))]


def _kind(random: np.random.Generator, narrow: bool) -> HandPalletTruckParameters:
    """Over forks 540 mm goes into a pallet's openings of 2 x 227.5 mm, 685 mm (wide pallets) does not."""
    return HandPalletTruckParameters(
        fork_length_m=float(random.choice([0.95, 1.15, 1.22], p=[0.08, 0.82, 0.1])),
        width_m=0.54 if narrow else 0.685,
        fork_width_m=float(random.choice([0.15, 0.16])),
        lift_m=LOWERED_M,
        tandem_rollers=bool(random.random() < 0.5),
        tiller_tilt_deg=0,
        tiller_turn_deg=0,
        body_rgb=draw_color(random, TRUCK_BODIES),
        wheel_rgb=draw_color(random, TRUCK_WHEELS),
        wear=round(float(random.beta(2, 2.5)), 3),
        seed=int(random.integers(SEEDS)),
    )


def parked(random: np.random.Generator, fleet: list[HandPalletTruckParameters]) -> HandPalletTruckParameters:
    """One of the fleet as it was left: tiller upright or leaning a little, straight or turned to the side."""
    sideways = random.choice([-1, 1]) * random.uniform(15, 95)
    return one_of(random, fleet).model_copy(
        update={
            "tiller_tilt_deg": round(float(random.choice([0, random.uniform(0, 12), random.uniform(12, 60)],
                                                         p=[0.5, 0.42, 0.08])), 2),
            "tiller_turn_deg": round(float(sideways if random.random() < 0.55 else random.normal(0, 3)), 2),
            "seed": int(random.integers(SEEDS)),
        }
    )  # fmt: skip


def one_of(random: np.random.Generator, fleet: list[HandPalletTruckParameters]) -> HandPalletTruckParameters:
    return fleet[random.integers(len(fleet))]


def as_truck(parameters: HandPalletTruckParameters, name: str = "truck") -> HandPalletTruck:
    """The truck at the origin; it gets its instance id when all trucks and people are there."""
    return HandPalletTruck(
        name=name, position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters
    )


def row_of_trucks(random: np.random.Generator, fleet: list[HandPalletTruckParameters], count: int) -> list[Thing]:
    """Trucks parked side by side, forks the same way."""
    kind, pitch = one_of(random, fleet), random.uniform(0.8, 1.05)
    row = [as_truck(parked(random, [kind]), f"truck{number}") for number in range(count)]
    return [
        moved(truck, (float(random.normal(0, 0.06)), number * pitch, 0), float(random.normal(0, 2.5)))
        for number, truck in enumerate(row)
    ]


def with_pallet(
    random: np.random.Generator, parameters: HandPalletTruckParameters, stock: Stock, raised: bool
) -> list[Thing]:
    """A truck with its forks in a pallet: all the way and carrying it if `raised`, else lowered and anywhere in.

    Forks go in along the pallet's 1200 mm and lift it by the undersides of its stringers, 100 mm above its feet: so a
    carried pallet stands at `lift_m` - 0.100. The truck must be 540 mm wide.
    """
    slip = random.uniform(0.03, 0.06) if raised or random.random() < 0.4 else random.uniform(0.06, 0.75)
    truck = as_truck(parameters.model_copy(update={"lift_m": RAISED_M if raised else LOWERED_M}))
    lifted = RAISED_M - PALLET_OPENING_M if raised else 0.0
    forward = TRUCK_HEEL_M + PALLET_SIZE_M[0] / 2 + slip
    load = [moved(thing, (forward, 0, lifted), 0) for thing in loaded_pallet(random, stock)]
    on = "truck" if raised else "floor"
    return [truck, *(thing.model_copy(update={"stands_on": on}) if thing.name == "pallet" else thing for thing in load)]


def fits_pallet(parameters: HandPalletTruckParameters) -> bool:
    return parameters.width_m < 0.6
