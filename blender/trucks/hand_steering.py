# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a hand pallet truck that turn: steer wheels and pump about the vertical, and the tiller above them.

`hand_steering_parts` is in the truck's frame with the wheels straight ahead. `hand_tiller_parts` has its own frame:
origin at the pivot, z up to the grip, +x to the forks. `blender.trucks.hand_truck` turns and tilts both. All in meters.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import (
    Solid,
    bevelled,
    box,
    cylinder,
    loft,
    plate,
    prism,
    revolve,
    round_corners,
    tube,
    with_mirror_image,
)
from blender.trucks.hand_style import HandTruckStyle
from blender.trucks.truck_materials import TruckMaterial
from blender.trucks.truck_parts import upright_cylinder

GRIP_DISTANCE_M = 1.02  # from the tiller's pivot to the middle of the grip bar
TIRE_WIDTH_M = 0.05
SHAFT_FOOT_X_M = -0.095  # behind the pump
SHAFT_BEND_HEIGHT_M = 0.3  # above the pivot; from there the shaft leans to the grip
PISTON_X_Y_M = (-0.055, 0.055)
TRIANGLE_EXTRA_M = 0.06  # how much farther a triangular grip reaches down the shaft


def hand_steering_parts(style: HandTruckStyle, covered: bool) -> list[Solid]:
    """Return twin steer wheels on an axle (`covered` by caps or not), the yoke between them, and the pump on top."""
    radius, half_spacing = style.wheel_radius_m, style.wheel_spacing_m / 2
    wheels = [part.moved((0, y, radius)) for y in (-half_spacing, half_spacing) for part in _steer_wheel(style)]
    axle = cylinder(0.012, style.wheel_spacing_m + TIRE_WIDTH_M + 0.012, 14, TruckMaterial.PUMP).moved((0, 0, radius))
    yoke = bevelled(box((0.06, 0.038, 0.17), (0, 0, 0.145), TruckMaterial.PUMP), 0.006)
    caps = _wheel_caps(style) if covered else []
    return [*wheels, *caps, axle, yoke, *_pump(), *_release_pedal()]


def _wheel_caps(style: HandTruckStyle) -> list[Solid]:
    """Return dished caps on the outer sides of the steer wheels; they keep string and film out."""
    radius, outer = style.wheel_radius_m, (style.wheel_spacing_m + TIRE_WIDTH_M) / 2
    profile = [(0.004, -0.012), (0.76 * radius, -0.012), (0.74 * radius, -0.002), (0.4 * radius, 0.007), (0.004, 0.007)]
    cap = revolve(np.array(profile), 24, TruckMaterial.HUB).moved((0, outer, radius))
    return with_mirror_image([cap])


def _steer_wheel(style: HandTruckStyle) -> list[Solid]:
    """Return a steer wheel about the y axis: tire, rim, and a spoked or dished hub."""
    radius, half = style.wheel_radius_m, TIRE_WIDTH_M / 2
    rim = 0.7 * radius
    tire = round_corners([(rim, -half), (radius, -half), (radius, half), (rim, half)], 0.008, 2, closed=True)
    ring = [(rim - 0.01, -half + 0.004), (rim + 0.002, -half + 0.004), (rim + 0.002, half - 0.004)]
    ring.append((rim - 0.01, half - 0.004))
    web_half = 0.004 if style.spoked_wheels else 0.009
    web = [(0.01, -web_half), (rim - 0.004, -web_half), (rim - 0.004, web_half), (0.01, web_half)]
    boss = [(0.008, -half), (0.026, -half), (0.026, half), (0.008, half)]
    solids = [
        revolve(tire, 32, TruckMaterial.TIRE),
        revolve(np.array(ring), 32, TruckMaterial.HUB),
        revolve(np.array(web), 32, TruckMaterial.RUBBER if style.spoked_wheels else TruckMaterial.HUB),
        revolve(round_corners(boss, 0.004, 1, closed=True), 20, TruckMaterial.HUB),
    ]
    if style.spoked_wheels:
        spoke = box((0.018, TIRE_WIDTH_M - 0.016, rim - 0.02), (0, 0, rim / 2 + 0.005), TruckMaterial.HUB)
        solids += [spoke.turned("y", angle) for angle in range(0, 360, 60)]
    return solids


def _pump() -> list[Solid]:
    """Return the hydraulic unit: reservoir, ram housing, pump piston with its spring, plugs and a base plate."""
    reservoir = bevelled(box((0.11, 0.136, 0.105), (0.018, 0, 0.305), TruckMaterial.PUMP), 0.012, 3)
    base = bevelled(box((0.125, 0.13, 0.026), (0.002, 0, 0.24), TruckMaterial.PUMP), 0.005)
    housing = upright_cylinder(0.036, 0.15, TruckMaterial.PUMP).moved((0, 0, 0.305))
    collar = upright_cylinder(0.025, 0.012, TruckMaterial.HUB).moved((0, 0, 0.382))
    x, y = PISTON_X_Y_M
    cylinder_foot = upright_cylinder(0.022, 0.05, TruckMaterial.PUMP).moved((x, y, 0.258))
    piston = upright_cylinder(0.009, 0.08, TruckMaterial.CHROME).moved((x, y, 0.31))
    cup = upright_cylinder(0.022, 0.012, TruckMaterial.PUMP).moved((x, y, 0.354))
    angle = np.linspace(0, 5 * 2 * np.pi, 5 * 9)
    coil = np.c_[0.017 * np.cos(angle) + x, 0.017 * np.sin(angle) + y, np.linspace(0.284, 0.348, len(angle))]
    spring = tube(coil, 0.0035, 5, TruckMaterial.PUMP)
    plugs = [
        cylinder(0.012, 0.15, 6, TruckMaterial.HUB).moved((plug_x, 0, plug_z))
        for plug_x, plug_z in ((0.045, 0.335), (-0.01, 0.285))
    ]
    return [reservoir, base, housing, collar, cylinder_foot, piston, cup, spring, *plugs]


def _release_pedal() -> list[Solid]:
    """Return the foot pedal to the right of the pump, which lowers the forks."""
    rod = round_corners([(-0.03, -0.062, 0.25), (-0.075, -0.066, 0.25), (-0.112, -0.072, 0.215)], 0.02)
    tread = bevelled(box((0.03, 0.06, 0.012), (-0.113, -0.075, 0.212), TruckMaterial.RUBBER), 0.003)
    return [tube(rod, 0.006, 8, TruckMaterial.PUMP), tread]


def hand_tiller_parts(style: HandTruckStyle, grip: str) -> list[Solid]:
    """Return the forked foot, which reaches behind the pump, and the shaft with the grip, which leans forward on it.

    `grip` is "d_loop", "triangle" or "rounded" (see `_grip_loop`).
    """
    bend = np.array([SHAFT_FOOT_X_M, 0, SHAFT_BEND_HEIGHT_M])
    end = np.array([0, 0, GRIP_DISTANCE_M])
    lean_deg = float(np.degrees(np.arctan2(-SHAFT_FOOT_X_M, GRIP_DISTANCE_M - SHAFT_BEND_HEIGHT_M)))
    shaft_length_m = float(np.linalg.norm(end - bend))
    loop_bottom_z = -style.loop_height_m - (TRIANGLE_EXTRA_M if grip == "triangle" else 0.0)
    upper = [
        *_tiller_shaft(style, shaft_length_m, loop_bottom_z),
        *_grip_loop(style, grip, loop_bottom_z),
        *_trigger(style),
        *_shaft_lettering(style, loop_bottom_z),
    ]
    return [*_tiller_foot(), *(part.turned("y", lean_deg).moved(tuple(end)) for part in upper)]


def _tiller_foot() -> list[Solid]:
    """Return two cheeks from the pivot under the pump to a boot, which holds the shaft."""
    rear, front = SHAFT_FOOT_X_M - 0.024, SHAFT_FOOT_X_M + 0.024
    outline = [(0.02, -0.018), (0.02, 0.02), (front - 0.004, 0.02), (front, 0.12), (rear, 0.12), (rear, -0.002)]
    cheek = prism(round_corners([*outline, (rear + 0.02, -0.018)], 0.012, 3, closed=True), 0.008, TruckMaterial.TILLER)
    boot = np.array(
        [
            [(rear, -half, z), (front - inset, -half, z), (front - inset, half, z), (rear, half, z)]
            for half, z, inset in ((0.031, 0.09, 0), (0.031, 0.16, 0.004), (0.026, SHAFT_BEND_HEIGHT_M + 0.01, 0.004))
        ]
    )
    pivot = cylinder(0.011, 0.07, 12, TruckMaterial.PUMP)
    return [
        cheek.moved((0, -0.026, 0)),
        cheek.moved((0, 0.026, 0)),
        bevelled(loft(boot, TruckMaterial.TILLER), 0.006),
        pivot,
    ]


# Functions below use the frame of the upper tiller: origin in the middle of the grip bar, -z down the shaft.


def _tiller_shaft(style: HandTruckStyle, length_m: float, loop_bottom_z: float) -> list[Solid]:
    """Return the shaft from its bend to the grip; it is wider (y) than deep (x)."""
    bar = tube([(0, 0, -length_m), (0, 0, loop_bottom_z + 0.02)], style.shaft_radius_m, 16, TruckMaterial.TILLER)
    return [replace(bar, vertices=bar.vertices * (1, style.shaft_flatness, 1))]


def _grip_loop(style: HandTruckStyle, grip: str, loop_bottom_z: float) -> list[Solid]:
    """Return the closed grip around a stem, with black sleeves for the hands; it ends on the shaft at `loop_bottom_z`.

    `grip`: "d_loop" is a D of tube, "triangle" runs straight to the shaft, "rounded" is a loop with thick sleeves.
    """
    half = style.loop_width_m / 2
    low = loop_bottom_z
    side_points, corner_radius = {
        "d_loop": ([(half - 0.035, low + 0.02)], 0.055),
        "triangle": ([], 0.05),
        "rounded": ([(half - 0.012, 0.45 * low)], 0.09),
    }[grip]
    points = [(half, 0), (-half, 0), *((-y, z) for y, z in side_points), (-0.012, low), (0.012, low), *side_points]
    outline = round_corners(points, corner_radius, 5, closed=True)
    ring = tube(np.insert(outline, 0, 0, axis=1), 0.013, 12, TruckMaterial.TILLER, closed=True)
    stem = bevelled(box((0.034, 0.046, -low + 0.02), (0, 0, low / 2), TruckMaterial.TILLER), 0.008)
    paper = box((0.001, 0.036, 0.07), (-0.0173, 0, -0.06), TruckMaterial.PAPER)
    return [ring, *_sleeves(half, grip == "rounded"), stem, paper]


def _sleeves(half_m: float, thick: bool) -> list[Solid]:
    """Return the rubber on the grip bar, left and right of the stem; thick sleeves have round ends."""
    length, middle = half_m - (0.1 if thick else 0.085), (half_m - 0.015) / 2
    if thick:
        profile = [(0.012, -length / 2), (0.0195, -length / 2), (0.0195, length / 2), (0.012, length / 2)]
        sleeve = revolve(round_corners(profile, 0.007, 2, closed=True), 16, TruckMaterial.RUBBER)
    else:
        sleeve = cylinder(0.0165, length, 16, TruckMaterial.RUBBER)
    return [sleeve.moved((0, -middle, 0)), sleeve.moved((0, middle, 0))]


def _trigger(style: HandTruckStyle) -> list[Solid]:
    """Return the lever inside the loop that sets the pump to lift, drive or lower."""
    reach = style.loop_width_m / 2
    path = [(0, -0.02, -0.075), (0, -0.4 * reach, -0.085), (0, -0.68 * reach, -0.115)]
    return [tube(round_corners(path, 0.05, 5), 0.0075, 8, TruckMaterial.RUBBER)]


def _shaft_lettering(style: HandTruckStyle, loop_bottom_z: float) -> list[Solid]:
    """Return the maker's name down the rear of the shaft: one square per letter, or nothing."""
    if not style.lettering:
        return []
    letter = np.array([(0, 0.009, 0.009), (0, -0.009, 0.009), (0, -0.009, -0.009), (0, 0.009, -0.009)])[::-1]
    heights = loop_bottom_z - 0.06 - 0.028 * np.arange(8)
    return [plate(letter + np.array([-style.shaft_radius_m, 0, z]), 0.002, TruckMaterial.PAPER) for z in heights]
