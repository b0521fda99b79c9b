# SPDX-License-Identifier: Apache-2.0
"""Hand and electric pallet trucks: their parameters, and groups of trucks (single, in a row, with a pallet)."""

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.config.world import TrucksSection
from pipeline.record.base_types import Vec3
from pipeline.record.objects import (
    ElectricPalletTruck,
    ElectricPalletTruckParameters,
    HandPalletTruck,
    HandPalletTruckParameters,
    SceneObject,
)
from pipeline.scenes.assets.palettes import ELECTRIC_TRUCK_BODIES, TRUCK_BODIES, TRUCK_WHEELS, draw_color
from pipeline.scenes.assets.pallets_and_cartons import Stock, loaded_pallet
from pipeline.scenes.geometry.collision_boxes import (
    ELECTRIC_TILLERS,
    HAND_TILLER,
    HAND_TRUCK_HEEL_M,
    LOWERED_M,
    PALLET_OPENING_M,
    PALLET_SIZE_M,
    TillerShape,
    electric_fork_start_m,
)
from pipeline.scenes.geometry.free_space import moved
from pipeline.scenes.geometry.transform import to_parent_frame

TruckParameters = HandPalletTruckParameters | ElectricPalletTruckParameters
PalletTruck = HandPalletTruck | ElectricPalletTruck

RAISED_M = 0.2  # height of the fork tops that carry a pallet
FORK_LENGTHS_M, FORK_LENGTH_SHARES = (0.95, 1.15, 1.22), (0.08, 0.82, 0.1)
MAX_ELECTRIC_TURN_DEG = 70.0  # at larger angles the head of an upright tiller touches the load backrest


def grip_m(parameters: HandPalletTruckParameters) -> Vec3:
    """Return the middle of the grip bar in the frame of the truck."""
    return _tiller_point_m(HAND_TILLER, parameters, 0.0)


def electric_grip_m(parameters: ElectricPalletTruckParameters, offset_m: float = 0.0) -> Vec3:
    """Return a point on the line through both grips of the tiller head, in the frame of the truck.

    `offset_m` is the distance from the middle of the head, to the left (+) or right (-) when looking towards the forks.
    The grips reach from 0.07 to 0.17.
    """
    return _tiller_point_m(ELECTRIC_TILLERS[parameters.battery], parameters, offset_m)


def _tiller_point_m(tiller: TillerShape, parameters: TruckParameters, offset_m: float) -> Vec3:
    """Return the point `offset_m` to the left of the end of the tiller, in the frame of the truck."""
    tilt = np.radians(parameters.tiller_tilt_deg)
    back = tiller.hinge_m[0] + tiller.length_m * np.sin(tilt)
    x, y = to_parent_frame(-back, offset_m, parameters.tiller_turn_deg)
    z = tiller.hinge_m[1] + tiller.length_m * np.cos(tilt)
    return tuple(round(float(value), 4) for value in (x, y, z))


def draw_fleet(random: np.random.Generator, config: TrucksSection) -> list[TruckParameters]:
    """Draw one to three kinds of trucks for a hall, lowered and with upright tillers; the first fits a EUR pallet."""
    fleet = []
    for number in range(random.integers(1, 4)):
        draw = _draw_electric_truck if random.random() < config.electric else _draw_hand_truck
        fleet.append(draw(random, config, narrow=number == 0 or random.random() >= config.wide))
    return fleet


def _draw_hand_truck(random: np.random.Generator, config: TrucksSection, narrow: bool) -> HandPalletTruckParameters:
    """Draw a hand pallet truck. Narrow forks (540 mm) fit the openings of a EUR pallet, wide ones (685 mm) do not."""
    return HandPalletTruckParameters(
        fork_length_m=float(random.choice(FORK_LENGTHS_M, p=FORK_LENGTH_SHARES)),
        width_m=0.54 if narrow else 0.685,
        fork_width_m=float(random.choice([0.15, 0.16])),
        lift_m=LOWERED_M,
        tandem_rollers=bool(random.random() < 0.5),
        tiller_tilt_deg=0,
        tiller_turn_deg=0,
        grip=str(random.choice(["d_loop", "triangle", "rounded"], p=[0.45, 0.3, 0.25])),
        wheel_covers=bool(random.random() < 0.3),
        body_rgb=draw_color(random, TRUCK_BODIES),
        wheel_rgb=draw_color(random, TRUCK_WHEELS),
        wear=_draw_wear(random, config),
        seed=draw_seed(random),
    )


def _draw_electric_truck(
    random: np.random.Generator, config: TrucksSection, narrow: bool
) -> ElectricPalletTruckParameters:
    """Draw an electric truck. Narrow forks (540 or 560 mm) fit the openings of a EUR pallet, wide ones do not."""
    battery = str(random.choice(["lithium", "lead_acid"], p=[0.55, 0.45]))
    width = float(random.choice([0.54, 0.56])) if narrow else 0.685
    length = random.uniform(0.4, 0.43) if battery == "lithium" else random.uniform(0.5, 0.62)
    return ElectricPalletTruckParameters(
        battery=battery,
        fork_length_m=float(random.choice(FORK_LENGTHS_M, p=FORK_LENGTH_SHARES)),
        width_m=width,
        fork_width_m=float(random.choice([0.16, 0.17, 0.18])),
        heel_to_rear_m=round(float(length), 3),
        chassis_width_m=round(float(random.uniform(max(width, 0.58), 0.72)), 3),
        chassis_height_m=round(float(random.uniform(0.65, 0.8)), 3),
        lift_m=LOWERED_M,
        tandem_rollers=bool(random.random() < 0.7),
        backrest=bool(random.random() < 0.2),
        tiller_tilt_deg=0,
        tiller_turn_deg=0,
        body_rgb=draw_color(random, ELECTRIC_TRUCK_BODIES),
        wheel_rgb=draw_color(random, TRUCK_WHEELS),
        wear=_draw_wear(random, config),
        seed=draw_seed(random),
    )


def _draw_wear(random: np.random.Generator, config: TrucksSection) -> float:
    """Draw the wear: most trucks are used, some are new, some are worn out."""
    low, high = config.wear
    return round(float(low + (high - low) * random.beta(1.5, 1.8)), 3)


def draw_parked_truck(random: np.random.Generator, fleet: list[TruckParameters]) -> TruckParameters:
    """Draw a truck of the fleet as somebody left it, with the tiller upright or tilted, straight or turned to a side.

    Tillers of electric trucks are mostly upright, because a spring holds them.
    """
    parameters = draw_from_fleet(random, fleet)
    electric = isinstance(parameters, ElectricPalletTruckParameters)
    sideways = random.choice([-1, 1]) * random.uniform(15, MAX_ELECTRIC_TURN_DEG if electric else 95)
    tilt_probabilities = (0.75, 0.15, 0.1) if electric else (0.5, 0.42, 0.08)
    tilt = random.choice([0, random.uniform(0, 12), random.uniform(12, 60)], p=tilt_probabilities)
    turn = sideways if random.random() < 0.55 else random.normal(0, 3)
    return parameters.model_copy(
        update={
            "tiller_tilt_deg": round(float(tilt), 2),
            "tiller_turn_deg": round(float(turn), 2),
            "seed": draw_seed(random),
        }
    )


def draw_from_fleet(random: np.random.Generator, fleet: list[TruckParameters]) -> TruckParameters:
    """Return one of the kinds of trucks of a fleet."""
    return fleet[random.integers(len(fleet))]


def make_truck(parameters: TruckParameters, name: str = "truck") -> PalletTruck:
    """Return the truck at the origin, without an instance id: `sample_scene` assigns it at the end."""
    truck_class = ElectricPalletTruck if isinstance(parameters, ElectricPalletTruckParameters) else HandPalletTruck
    return truck_class(
        name=name, position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters
    )


def row_of_trucks(random: np.random.Generator, fleet: list[TruckParameters], count: int) -> list[SceneObject]:
    """Return equal trucks side by side with the same heading; nearly upright tillers do not collide."""
    parameters = draw_from_fleet(random, fleet)
    electric = isinstance(parameters, ElectricPalletTruckParameters)
    pitch = random.uniform(0.25, 0.5) + (parameters.chassis_width_m if electric else parameters.width_m)
    max_tilt = 0.0 if electric else 12.0
    row = []
    for number in range(count):
        truck = draw_parked_truck(random, [parameters])
        truck = truck.model_copy(update={"tiller_tilt_deg": min(truck.tiller_tilt_deg, max_tilt)})
        position = (float(random.normal(0, 0.06)), number * pitch, 0)
        row.append(moved(make_truck(truck, f"truck{number}"), position, float(np.clip(random.normal(0, 2.5), -4, 4))))
    return row


def truck_with_pallet(
    random: np.random.Generator, parameters: TruckParameters, stock: Stock, raised: bool
) -> list[SceneObject]:
    """Return a truck with its forks in a pallet, and the pallet with its load.

    If `raised`, the forks are fully inserted and carry the pallet. Otherwise they are lowered, inserted to any depth.
    The forks point along the 1200 mm of the pallet and lift it at its stringers, 100 mm above its feet, so a carried
    pallet has z = `lift_m` - 0.100. The truck must fit the pallet (`fits_pallet`).
    """
    slip = random.uniform(0.03, 0.06) if raised or random.random() < 0.4 else random.uniform(0.06, 0.75)
    truck = make_truck(parameters.model_copy(update={"lift_m": RAISED_M if raised else LOWERED_M}))
    lifted = RAISED_M - PALLET_OPENING_M if raised else 0.0
    forward = fork_start_m(parameters) + PALLET_SIZE_M[0] / 2 + slip
    pallet, *goods = (moved(scene_object, (forward, 0, lifted), 0) for scene_object in loaded_pallet(random, stock))
    return [truck, pallet.model_copy(update={"stands_on": "truck" if raised else "floor"}), *goods]


def fork_start_m(parameters: TruckParameters) -> float:
    """Return x of the start of the forks."""
    return (
        electric_fork_start_m(parameters)
        if isinstance(parameters, ElectricPalletTruckParameters)
        else HAND_TRUCK_HEEL_M
    )


def fits_pallet(parameters: TruckParameters) -> bool:
    """Do the forks fit the openings of a EUR pallet?"""
    return parameters.width_m < 0.6
