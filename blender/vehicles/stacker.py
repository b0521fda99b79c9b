# SPDX-License-Identifier: GPL-3.0-or-later
"""Pedestrian stackers: a mast, a low motor cover and a tiller. They look like pallet trucks with a mast."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import bent_tube, box_between, lathe, rod
from blender.mesh.solids import Solid, bevelled, box, cylinder, loft, prism, round_corners, with_mirror_image
from blender.vehicles.masts import Mast, fork_carriage, mast_channel, mast_fork
from blender.vehicles.vehicle_object import VehicleMaterial, build_vehicle_object
from blender.vehicles.vehicle_parts import castor, maker_name, wheel

STACKERS = ("electric", "straddle", "manual")
FORK_LENGTH_M = 1.15
ROLLER_RADIUS_M = 0.037
GRIP_HEIGHT_M = 1.2


def build_stacker(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a stacker from `PropParameters`, its forks at +x: electric, with straddle legs, or manual."""
    return build_vehicle_object("stacker", parameters, cache, lambda: stacker_solids(parameters))


def stacker_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], STACKERS)
    rng = np.random.default_rng(parameters["seed"])
    half, rear, tip = width / 2, -length / 2, length / 2
    shank_x = tip - FORK_LENGTH_M
    lift = float(rng.choice([0.0, rng.uniform(0.05, 0.6)]))
    if form == "manual":
        return [*_manual_stacker(rear, shank_x, tip, half, height, lift), *_straddle_legs(shank_x, tip, half)]
    legs = _straddle_legs(shank_x, tip, half) if form == "straddle" else _inner_legs(shank_x, tip)
    mast = Mast((shank_x - 0.2, shank_x - 0.06), min(0.32, half - 0.02), (0.06, height))
    forks = with_mirror_image(
        [mast_fork((shank_x - 0.04, tip), 0.19, 0.045 + lift, 0.17 if form == "electric" else 0.12)]
    )
    return [
        *mast.solids(),
        *_finger_guard(shank_x - 0.2, min(0.3, half - 0.04), height),
        *fork_carriage((shank_x - 0.07, shank_x - 0.035), min(0.34, half - 0.02), 0.045 + lift, 0.0),
        *forks,
        *legs,
        *_motor_cover(rear, shank_x, half),
        *_tiller(rear + 0.13, rear - 0.025),
        *maker_name(parameters["seed"], (rear + shank_x - 0.05) / 2, half, 0.5, 0.075),
    ]


def _inner_legs(shank_x: float, tip: float) -> list[Solid]:
    """Return the legs under the forks, each with a roller near its end; only raised forks make them visible."""
    leg = box_between((shank_x - 0.2, tip - 0.06), (0.13, 0.25), (0.02, 0.044), VehicleMaterial.PAINT)
    roller = cylinder(ROLLER_RADIUS_M, 0.07, 14, VehicleMaterial.PALE_TIRE).moved((tip - 0.16, 0.19, ROLLER_RADIUS_M))
    return with_mirror_image([leg, roller])


def _straddle_legs(shank_x: float, tip: float, half: float) -> list[Solid]:
    """Return the legs outside the forks, which reach around a pallet."""
    leg = bevelled(
        box_between((shank_x - 0.22, tip - 0.25), (half - 0.085, half), (0.045, 0.15), VehicleMaterial.PAINT), 0.01, 1
    )
    rollers = [
        cylinder(0.045, 0.055, 14, VehicleMaterial.PALE_TIRE).moved((x, half - 0.042, 0.045))
        for x in (tip - 0.33, tip - 0.44)
    ]
    cross = box_between((shank_x - 0.22, shank_x - 0.12), (-half, half), (0.05, 0.15), VehicleMaterial.PAINT)
    return [*with_mirror_image([leg, *rollers]), cross]


def _finger_guard(x: float, half: float, height: float) -> list[Solid]:
    """Return the grille in front of the mast that protects fingers."""
    places = np.linspace(-half + 0.04, half - 0.04, 9)
    z_m = (0.78, height - 0.14)
    wires = [box_between((x - 0.008, x - 0.002), (y - 0.003, y + 0.003), z_m, VehicleMaterial.DARK) for y in places]
    rails = [
        box_between((x - 0.008, x - 0.002), (-half, half), (z - 0.006, z + 0.006), VehicleMaterial.DARK)
        for z in np.linspace(*z_m, 4)
    ]
    return wires + rails


def _motor_cover(rear: float, shank_x: float, half: float) -> list[Solid]:
    """Return the cover of motor and battery, a skirt, drive wheel, castors, stop button and display."""
    back, front = rear + 0.13, shank_x - 0.19
    outline = [(back, 0.2), (front, 0.2), (front, 0.82), (front - 0.1, 0.86), (back + 0.09, 0.7), (back, 0.62)]
    top = (front - 0.15, 0.825)
    return [
        bevelled(
            prism(round_corners(np.array(outline), 0.05, 2, closed=True), 2 * half - 0.004, VehicleMaterial.PAINT),
            0.03,
            2,
        ),
        bevelled(
            box_between((back - 0.03, front), (0.02 - half, half - 0.02), (0.05, 0.22), VehicleMaterial.DARK), 0.02, 1
        ),
        *(part.moved((back + 0.1, 0, 0.115)) for part in wheel(0.115, 0.07)),
        *with_mirror_image([part.moved((back + 0.1, half - 0.1, 0)) for part in castor(0.06, 0.04, 0.15, 0)]),
        lathe([(0.02, 0), (0.02, 0.03), (0.035, 0.035), (0.03, 0.055)], VehicleMaterial.RED, 10).moved(
            (top[0], -0.16, 0.815)
        ),
        box((0.1, 0.14, 0.02), (top[0] - 0.01, 0.12, 0.84), VehicleMaterial.DARK),
    ]


def _tiller(foot: float, rear: float) -> list[Solid]:
    """Return the tiller: an arm, and a head with two ring guards and the red safety button."""
    low, top = np.array([foot - 0.03, 0, 0.22]), np.array([rear + 0.09, 0, GRIP_HEIGHT_M - 0.1])
    arm = loft(
        np.array([_rectangle_section(low, 0.05, 0.1), _rectangle_section(top, 0.04, 0.07)]), VehicleMaterial.DARK
    )
    z = GRIP_HEIGHT_M - 0.05
    x = rear + 0.08
    head = bevelled(box((0.07, 0.12, 0.17), (x, 0, z), VehicleMaterial.DARK), 0.02, 2)
    ring = [(x, 0.04, z - 0.07), (x, 0.17, z - 0.06), (x, 0.17, z + 0.06), (x, 0.04, z + 0.07)]
    button = lathe([(0.025, 0), (0.02, 0.02)], VehicleMaterial.RED, 10).turned("y", -90).moved((x - 0.033, 0, z + 0.03))
    hub = cylinder(0.06, 0.12, 14, VehicleMaterial.DARK).moved((foot, 0, 0.24))
    return [arm, head, hub, button, *with_mirror_image([bent_tube(ring, 0.014, 0.05, VehicleMaterial.DARK)])]


def _rectangle_section(center: np.ndarray, deep: float, wide: float) -> np.ndarray:
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * (deep, wide)
    return center + np.insert(corners, 2, 0, axis=1)


def _manual_stacker(rear: float, shank_x: float, tip: float, half: float, height: float, lift: float) -> list[Solid]:
    """Return a manual stacker: painted channels, one ram, a push bar, a pump with a tiller, two castors."""
    mast_half = min(0.3, half - 0.04)
    rear_mast = shank_x - 0.16
    uprights = [mast_channel((rear_mast, shank_x - 0.06), mast_half, 0.05, (0.1, height), VehicleMaterial.PAINT)]
    ties = [
        box_between((rear_mast, shank_x - 0.09), (-mast_half, mast_half), (z, z + 0.08), VehicleMaterial.PAINT)
        for z in (0.12, height - 0.09)
    ]
    ram = [
        lathe([(0.035, 0.15), (0.035, 0.95)], VehicleMaterial.DARK, 12),
        lathe([(0.02, 0.95), (0.02, height - 0.06)], VehicleMaterial.CHROME, 10),
    ]
    bar_x = rear_mast - 0.14
    push = [(rear_mast + 0.01, -mast_half + 0.03, 0.95), (bar_x, -mast_half + 0.03, 1.0)]
    push += [(bar_x, mast_half - 0.03, 1.0), (rear_mast + 0.01, mast_half - 0.03, 0.95)]
    castors = with_mirror_image(
        [part.moved((rear + 0.22, mast_half - 0.03, 0)) for part in castor(0.075, 0.045, 0.2, 15)]
    )
    frame = with_mirror_image(
        [
            box_between(
                (rear + 0.14, rear_mast + 0.02), (mast_half - 0.07, mast_half), (0.17, 0.23), VehicleMaterial.PAINT
            )
        ]
    )
    grip = GRIP_HEIGHT_M - 0.02
    handle = [rod((rear + 0.2, 0, 0.3), (rear + 0.025, 0, grip - 0.18), 0.018, VehicleMaterial.PAINT, 8)]
    x = rear + 0.016
    loop = [(x, -0.03, grip - 0.19), (x, -0.17, grip), (x, 0.17, grip), (x, 0.03, grip - 0.19)]
    return [
        *with_mirror_image(uprights), *ties, *(part.moved((rear_mast + 0.05, 0, 0)) for part in ram),
        *castors, *frame, *handle,
        bent_tube(push, 0.014, 0.06, VehicleMaterial.DARK), bent_tube(loop, 0.014, 0.05, VehicleMaterial.DARK),
        bevelled(box((0.2, 0.16, 0.26), (rear + 0.25, 0, 0.24), VehicleMaterial.DARK), 0.02, 1),
        *_finger_guard(rear_mast, mast_half, height),
        *fork_carriage((shank_x - 0.08, shank_x - 0.035), mast_half - 0.06, 0.03 + lift, 0.0, VehicleMaterial.PAINT),
        *with_mirror_image([mast_fork((shank_x - 0.04, tip), 0.18, 0.03 + lift, 0.12)]),
    ]  # fmt: skip
