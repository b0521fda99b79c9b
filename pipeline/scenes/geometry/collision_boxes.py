# SPDX-License-Identifier: Apache-2.0
"""The space that an object takes: a few upright boxes, in meters.

The boxes enclose the meshes that `blender/` builds. They are tight where objects come close to each other (a fork in
the opening of a pallet, a tiller above the feet of a person) and loose elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.record.base_types import Vec3
from pipeline.record.objects import (
    PROP_KINDS,
    CartonParameters,
    CartonStackParameters,
    ColumnParameters,
    CustomMeshParameters,
    CustomObject,
    ElectricPalletTruckParameters,
    EurPalletParameters,
    HandPalletTruckParameters,
    PersonParameters,
    PropParameters,
    RackParameters,
    SceneObject,
)
from pipeline.scenes.geometry.boxes import Boxes, concatenate_boxes

# EUR pallet (UIC 435-2): 1200 x 800 x 144 mm. Bottom boards and blocks form three runners along x. Between them, two
# openings 227.5 mm wide reach from the floor to the stringers, which begin at a height of 100 mm.
PALLET_SIZE_M: Vec3 = (1.2, 0.8, 0.144)
PALLET_OPENING_M = 0.100
PALLET_RUNNERS_M = ((-0.35, 0.1), (0.0, 0.145), (0.35, 0.1))  # y of the center line, width

LOWERED_M = 0.085  # height of the fork tops of every pallet truck when they are lowered

# Hand pallet trucks.
HAND_TILLER_LENGTH_M = 1.02  # from the pivot to the middle of the grip bar
HAND_TILLER_PIVOT_M = 0.2  # above the floor
HAND_TILLER_LOOP_M = (0.2, 0.42)  # length along the tiller, width
HAND_TRUCK_REAR_M, HAND_TRUCK_HEEL_M = -0.14, 0.26  # x of the rear end, and of the start of the forks
HAND_TRUCK_FRAME_TOP_M = 0.62


@dataclass(frozen=True)
class TillerShape:
    """Shape of a tiller.

    `hinge_m` is the distance of the hinge behind the steering axis and its height. `length_m` reaches from the hinge to
    the middle of the grip. `head_m` is the size of the grip or head: length along the tiller, and width. `bend_m` is
    the distance of the foot of the tiller behind the line from hinge to grip.
    """

    hinge_m: tuple[float, float]
    length_m: float
    head_m: tuple[float, float]
    bend_m: float
    thick_m: float


HAND_TILLER = TillerShape(
    (0.0, HAND_TILLER_PIVOT_M), HAND_TILLER_LENGTH_M, HAND_TILLER_LOOP_M, bend_m=0.1, thick_m=0.05
)
ELECTRIC_TILLERS = {
    "lithium": TillerShape((0.18, 0.3), 0.95, (0.2, 0.4), bend_m=0.0, thick_m=0.1),
    "lead_acid": TillerShape((0.24, 0.3), 0.95, (0.2, 0.4), bend_m=0.0, thick_m=0.1),
}
ELECTRIC_REAR_M = {"lithium": -0.2, "lead_acid": -0.26}  # x of the rear end of the skirt
ELECTRIC_BODY_M = 0.055  # x where the body begins at its full width; the tiller swings behind it
ELECTRIC_HOOD_M = {"lithium": 0.135, "lead_acid": 0.195}  # radius of the hood about the steering axis
ELECTRIC_SKIRT_TOP_M = 0.26
BACKREST_TOP_M = 1.2

BEAM_THICKNESS_M = 0.05
FOOT_PLATE_M = 0.025  # from an upright to the edge of its foot plate
END_PLATE_M = 0.06  # from a beam down to the lower end of its end plates
GUARD_M = (0.4, 0.1)  # height of a guard, and its distance in front of the rack


def local_boxes(scene_object: SceneObject) -> Boxes:
    """Return the boxes of an object in its own frame."""
    boxes_of = _box_of_size if isinstance(scene_object, CustomObject) else _LOCAL_BOXES[scene_object.asset]
    return boxes_of(scene_object.parameters)


def world_boxes(objects: Sequence[SceneObject]) -> Boxes:
    """Return the boxes of all objects at their positions, in the order of the objects."""
    boxes_of_each = [local_boxes(scene_object) for scene_object in objects]
    counts = [len(boxes.rows) for boxes in boxes_of_each]
    positions = np.repeat([scene_object.position_m for scene_object in objects], counts, axis=0)
    return concatenate_boxes(boxes_of_each).moved_each(
        positions, np.repeat([scene_object.yaw_deg for scene_object in objects], counts)
    )


def _box_row(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> tuple[float, ...]:
    """Return one row of `Boxes` from the limits along each axis."""
    return (sum(x) / 2, sum(y) / 2, 0.0, x[1] - x[0], y[1] - y[0], z[0], z[1])


def _centered_boxes(length: float, width: float, height: float) -> Boxes:
    """Return one box on z = 0, centered on the origin."""
    return Boxes(np.array([(0.0, 0.0, 0.0, length, width, 0.0, height)]))


def rack_length_m(parameters: RackParameters) -> float:
    """Return the length of a rack over all uprights."""
    return parameters.bays * (parameters.bay_width_m + parameters.upright_width_m) + parameters.upright_width_m


def _rack(parameters: RackParameters) -> Boxes:
    """The frames are slabs across the rack. Each level has a beam in front and one behind, with free space between."""
    length, half_depth, upright = rack_length_m(parameters), parameters.depth_m / 2, parameters.upright_width_m
    rows = []
    for bay in range(parameters.bays + 1):
        left = -length / 2 + bay * (parameters.bay_width_m + upright)
        rows.append(_box_row((left, left + upright), (-half_depth, half_depth), (0, parameters.height_m)))
        plate = half_depth + FOOT_PLATE_M
        rows.append(_box_row((left - FOOT_PLATE_M, left + upright + FOOT_PLATE_M), (-plate, plate), (0, 0.01)))
        if parameters.guards:
            reach = half_depth + GUARD_M[1]
            rows.append(_box_row((left - 0.034, left + upright + 0.034), (-reach, reach), (0, GUARD_M[0])))
    for level in parameters.level_heights_m:
        height = (level - parameters.beam_height_m - END_PLATE_M, level)
        for front in (-half_depth, half_depth - BEAM_THICKNESS_M):
            rows.append(_box_row((-length / 2, length / 2), (front, front + BEAM_THICKNESS_M), height))
    return Boxes(np.array(rows))


def _eur_pallet(_: EurPalletParameters) -> Boxes:
    length, width, height = PALLET_SIZE_M
    rows = [(0.0, y, 0.0, length, runner, 0.0, PALLET_OPENING_M) for y, runner in PALLET_RUNNERS_M]
    return Boxes(np.array([*rows, (0.0, 0.0, 0.0, length, width, PALLET_OPENING_M, height)]))


def _carton_stack(parameters: CartonStackParameters) -> Boxes:
    return _centered_boxes(*np.multiply(parameters.count, parameters.carton_m))


def _box_of_size(parameters: CartonParameters | PropParameters | CustomMeshParameters) -> Boxes:
    return _centered_boxes(*parameters.size_m)


def _column(parameters: ColumnParameters) -> Boxes:
    foot = parameters.width_m + (0.12 if parameters.guard else 0.0)
    return concatenate_boxes(
        [
            _centered_boxes(parameters.width_m, parameters.width_m, parameters.height_m),
            _centered_boxes(foot, foot, 1.2),
        ],
    )


def _hand_pallet_truck(parameters: HandPalletTruckParameters) -> Boxes:
    half, raised = parameters.width_m / 2, parameters.lift_m - LOWERED_M
    rows = [
        *_fork_rows(parameters, HAND_TRUCK_HEEL_M),
        _box_row((0.08, HAND_TRUCK_HEEL_M + 0.02), (-half, half), (0, HAND_TRUCK_FRAME_TOP_M + raised)),
        _box_row((HAND_TRUCK_REAR_M, 0.08), (-0.16, 0.16), (0, HAND_TRUCK_FRAME_TOP_M)),
    ]
    return Boxes(np.array(rows + _tiller(HAND_TILLER, parameters.tiller_tilt_deg, parameters.tiller_turn_deg)))


def _fork_rows(
    parameters: HandPalletTruckParameters | ElectricPalletTruckParameters, start_m: float
) -> list[tuple[float, ...]]:
    """Return rows of `Boxes` for the two forks, which begin at x = `start_m`."""
    half, fork = parameters.width_m / 2, parameters.fork_width_m
    along, heights = (start_m, start_m + parameters.fork_length_m), (0, parameters.lift_m)
    return [_box_row(along, (-half, fork - half), heights), _box_row(along, (half - fork, half), heights)]


def electric_fork_start_m(parameters: ElectricPalletTruckParameters) -> float:
    """Return x of the start of the forks of an electric truck."""
    return ELECTRIC_REAR_M[parameters.battery] + parameters.heel_to_rear_m


def _electric_pallet_truck(parameters: ElectricPalletTruckParameters) -> Boxes:
    """Boxes of the forks, the body, the skirt behind it, the hood, the backrest and the tiller."""
    half, heel = parameters.width_m / 2, electric_fork_start_m(parameters)
    body, radius = parameters.chassis_width_m / 2, ELECTRIC_HOOD_M[parameters.battery]
    raised = parameters.lift_m - LOWERED_M
    rows = [
        *_fork_rows(parameters, heel),
        _box_row((ELECTRIC_BODY_M - 0.01, heel + 0.005), (-body, body), (0, parameters.chassis_height_m + raised)),
        _box_row((ELECTRIC_REAR_M[parameters.battery], ELECTRIC_BODY_M), (-body, body), (0, ELECTRIC_SKIRT_TOP_M)),
        _box_row((-radius, ELECTRIC_BODY_M), (-radius, radius), (0, parameters.chassis_height_m)),
    ]
    if parameters.backrest:
        rows.append(_box_row((heel - 0.04, heel), (-half, half), (0, BACKREST_TOP_M + raised)))
    tiller = ELECTRIC_TILLERS[parameters.battery]
    return Boxes(np.array(rows + _tiller(tiller, parameters.tiller_tilt_deg, parameters.tiller_turn_deg)))


def _tiller(tiller: TillerShape, tilt_deg: float, turn_deg: float) -> list[tuple[float, ...]]:
    """Return rows of `Boxes` for the tilted tiller: short upright boxes along it, the grip or head last."""
    tilt, turn = np.radians(tilt_deg), np.radians(turn_deg)
    head_start = 1 - tiller.head_m[0] / tiller.length_m
    cuts = [*np.linspace(0, head_start, 5), 1.0]
    rows = []
    for start, end in pairwise(cuts):
        bent = tiller.bend_m * (1 - start)
        back = tiller.hinge_m[0] + tiller.length_m * np.sin(tilt) * (start + end) / 2 + bent / 2
        length = tiller.length_m * np.sin(tilt) * (end - start) + tiller.thick_m + bent
        heights = tiller.hinge_m[1] + tiller.length_m * np.cos(tilt) * np.array([start, end])
        heights += np.array([-0.5, 0.5]) * tiller.thick_m
        width = tiller.head_m[1] if end == 1.0 else 0.06
        rows.append((-back * np.cos(turn), -back * np.sin(turn), turn_deg, length, width, *heights))
    return rows


def _person(parameters: PersonParameters) -> Boxes:
    """Legs below 0.5 m and the trunk above it. Arms that hold a tiller or a load are not part of the boxes."""
    top = parameters.height_m + (0.06 if parameters.outfit.head == "helmet" else 0.05)
    legs, trunk = (-0.22, 0.22), (-0.38, 0.38)
    # On the side of the tiller the box is narrower, because the tiller head is close to the body.
    beside = (-0.38, 0.17) if parameters.pose.hand_left_m else (-0.17, 0.38)
    seat = parameters.pose.seat_m or 0.0
    rows = {
        "stand": [_box_row((-0.25, 0.5), trunk, (0, top))],
        "crouch": [_box_row((-0.35, 0.88), trunk, (0, 0.75 * top))],
        "walk": [_box_row((-0.6, 0.62), legs, (0, 0.5)), _box_row((-0.45, 0.6), trunk, (0.5, top))],
        "push": [_box_row((-0.65, 0.5), legs, (0, 0.5)), _box_row((-0.35, 0.4), trunk, (0.5, top))],
        "pull": [_box_row((-0.6, 0.52), legs, (0, 0.5)), _box_row((-0.35, 0.52), trunk, (0.5, top))],
        "walk_beside": [_box_row((-0.6, 0.6), legs, (0, 0.5)), _box_row((-0.4, 0.5), beside, (0.5, top))],
        "carry": [_box_row((-0.6, 0.5), legs, (0, 0.5)), _box_row((-0.4, 0.42), trunk, (0.5, top))],
        "reach": [_box_row((-0.3, 0.4), trunk, (0, top)), _box_row((-0.2, 0.75), trunk, (0.5 * top, 1.32 * top))],
        "bend": [_box_row((-0.45, 0.5), trunk, (0, 0.6 * top)), _box_row((-0.45, 1.05), trunk, (0.0, 0.9 * top))],
        # The seat is below the hips and behind the knees.
        "sit": [
            _box_row((-0.35, 0.6), trunk, (seat, seat + 0.58 * top)),
            _box_row((0.2, 0.95), trunk, (0, seat + 0.5)),
        ],
        "scan": [_box_row((-0.25, 0.75), trunk, (0, top))],
        "talk": [_box_row((-0.3, 0.8), (-0.5, 0.5), (0, top))],
    }[parameters.pose.name]
    if parameters.outfit.bag == "backpack":
        rows.append(_box_row((-0.5, 0), (-0.25, 0.25), (0.5, 0.86 * top)))
    return Boxes(np.array(rows))


_LOCAL_BOXES = {
    "rack": _rack,
    "eur_pallet": _eur_pallet,
    "carton_stack": _carton_stack,
    "carton": _box_of_size,
    "column": _column,
    "hand_pallet_truck": _hand_pallet_truck,
    "electric_pallet_truck": _electric_pallet_truck,
    "person": _person,
    **dict.fromkeys(PROP_KINDS, _box_of_size),
}
