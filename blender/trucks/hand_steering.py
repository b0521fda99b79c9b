# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a hand pallet truck that turn: steer wheels and pump about the vertical, the tiller on top of them.

`hand_steering_parts` is in the truck's frame with the wheels straight ahead. `hand_tiller_parts` is in its own frame: origin at its pivot,
z up to the grip, +x to the forks; `blender.trucks.hand_truck` turns and tilts them.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, bevelled, box, cylinder, loft, plate, prism, revolve, round_corners, tube
from blender.trucks.hand_chassis import upright_cylinder
from blender.trucks.hand_style import HandTruckStyle, TruckMaterial

GRIP_DISTANCE_M = 1.02  # from the tiller's pivot to the middle of the grip bar
TYRE_WIDTH_M = 0.05
SHAFT_FOOT_M = -0.095  # x of the shaft's foot: behind the pump
KNEE_M = 0.3  # where the shaft starts to lean to the grip, above the pivot
PISTON_X_Y_M = (-0.055, 0.055)
LONG_LOOP_M = 0.06  # how much farther down the shaft a loop reaches that runs to a point


def hand_steering_parts(style: HandTruckStyle, covered: bool) -> list[Solid]:
    """Twin steer wheels on an axle, `covered` by caps or open, the yoke between them and the pump on top."""
    radius, half_spacing = style.wheel_radius_m, style.wheel_spacing_m / 2
    wheels = [part.moved((0, y, radius)) for y in (-half_spacing, half_spacing) for part in steer_wheel(style)]
    axle = cylinder(0.012, style.wheel_spacing_m + TYRE_WIDTH_M + 0.012, 14, TruckMaterial.PUMP).moved((0, 0, radius))
    yoke = bevelled(box((0.06, 0.038, 0.17), (0, 0, 0.145), TruckMaterial.PUMP), 0.006)
    caps = wheel_caps(style) if covered else []
    return [*wheels, *caps, axle, yoke, *pump(), *release_pedal()]


def wheel_caps(style: HandTruckStyle) -> list[Solid]:
    """Dished caps that keep string and film out of the outer sides of the steer wheels."""
    radius, outer = style.wheel_radius_m, (style.wheel_spacing_m + TYRE_WIDTH_M) / 2
    profile = [(0.004, -0.012), (0.76 * radius, -0.012), (0.74 * radius, -0.002), (0.4 * radius, 0.007), (0.004, 0.007)]
    cap = revolve(np.array(profile), 24, TruckMaterial.HUB).moved((0, outer, radius))
    return [cap, cap.mirrored()]


def steer_wheel(style: HandTruckStyle) -> list[Solid]:
    """A steer wheel about the y axis: tyre, rim, and a spoked or dished hub."""
    radius, half = style.wheel_radius_m, TYRE_WIDTH_M / 2
    rim = 0.7 * radius
    tyre = round_corners([(rim, -half), (radius, -half), (radius, half), (rim, half)], 0.008, 2, closed=True)
    ring = [(rim - 0.01, -half + 0.004), (rim + 0.002, -half + 0.004), (rim + 0.002, half - 0.004)]
    ring.append((rim - 0.01, half - 0.004))
    web_half = 0.004 if style.spoked_wheels else 0.009
    web = [(0.01, -web_half), (rim - 0.004, -web_half), (rim - 0.004, web_half), (0.01, web_half)]
    boss = [(0.008, -half), (0.026, -half), (0.026, half), (0.008, half)]
    solids = [
        revolve(tyre, 32, TruckMaterial.TYRE),
        revolve(np.array(ring), 32, TruckMaterial.HUB),
        revolve(np.array(web), 32, TruckMaterial.RUBBER if style.spoked_wheels else TruckMaterial.HUB),
        revolve(round_corners(boss, 0.004, 1, closed=True), 20, TruckMaterial.HUB),
    ]
    if style.spoked_wheels:
        spoke = box((0.018, TYRE_WIDTH_M - 0.016, rim - 0.02), (0, 0, rim / 2 + 0.005), TruckMaterial.HUB)
        solids += [spoke.turned("y", angle) for angle in range(0, 360, 60)]
    return solids


def pump() -> list[Solid]:
    """The hydraulic block: reservoir, ram housing, pump piston with its spring, plugs and a base plate."""
    reservoir = bevelled(box((0.11, 0.136, 0.105), (0.018, 0, 0.305), TruckMaterial.PUMP), 0.012, 3)
    base = bevelled(box((0.125, 0.13, 0.026), (0.002, 0, 0.24), TruckMaterial.PUMP), 0.005)
    housing = upright_cylinder(0.036, 0.15, TruckMaterial.PUMP).moved((0, 0, 0.305))
    collar = upright_cylinder(0.025, 0.012, TruckMaterial.HUB).moved((0, 0, 0.382))
    x, y = PISTON_X_Y_M
    cylinder_foot = upright_cylinder(0.022, 0.05, TruckMaterial.PUMP).moved((x, y, 0.258))
    piston = upright_cylinder(0.009, 0.08, TruckMaterial.CHROME).moved((x, y, 0.31))
    cup = upright_cylinder(0.022, 0.012, TruckMaterial.PUMP).moved((x, y, 0.354))
    turns = np.linspace(0, 5 * 2 * np.pi, 5 * 9)
    coil = np.c_[0.017 * np.cos(turns) + x, 0.017 * np.sin(turns) + y, np.linspace(0.284, 0.348, len(turns))]
    spring = tube(coil, 0.0035, 5, TruckMaterial.PUMP)
    plugs = [
        cylinder(0.012, 0.15, 6, TruckMaterial.HUB).moved((px, 0, pz)) for px, pz in ((0.045, 0.335), (-0.01, 0.285))
    ]
    return [reservoir, base, housing, collar, cylinder_foot, piston, cup, spring, *plugs]


def release_pedal() -> list[Solid]:
    """The foot pedal on the right of the pump that lets the forks down."""
    rod = round_corners([(-0.03, -0.062, 0.25), (-0.075, -0.066, 0.25), (-0.112, -0.072, 0.215)], 0.02)
    tread = bevelled(box((0.03, 0.06, 0.012), (-0.113, -0.075, 0.212), TruckMaterial.RUBBER), 0.003)
    return [tube(rod, 0.006, 8, TruckMaterial.PUMP), tread]


def hand_tiller_parts(style: HandTruckStyle, grip: str) -> list[Solid]:
    """Forked foot that reaches behind the pump; the shaft and all that is on it lean from there to the grip."""
    knee = np.array([SHAFT_FOOT_M, 0, KNEE_M])
    end = np.array([0, 0, GRIP_DISTANCE_M])
    lean_deg = float(np.degrees(np.arctan2(-SHAFT_FOOT_M, GRIP_DISTANCE_M - KNEE_M)))
    length = float(np.linalg.norm(end - knee))
    low = -style.loop_height_m - (LONG_LOOP_M if grip == "triangle" else 0.0)
    upper = [
        *tiller_shaft(style, length, low),
        *grip_loop(style, grip, low),
        *trigger(style),
        *shaft_lettering(style, low),
    ]
    return [*tiller_foot(), *(part.turned("y", lean_deg).moved(tuple(end)) for part in upper)]


def tiller_foot() -> list[Solid]:
    """Two cheeks from the pivot under the pump to a boot, which takes up the shaft."""
    rear, front = SHAFT_FOOT_M - 0.024, SHAFT_FOOT_M + 0.024
    outline = [(0.02, -0.018), (0.02, 0.02), (front - 0.004, 0.02), (front, 0.12), (rear, 0.12), (rear, -0.002)]
    cheek = prism(round_corners([*outline, (rear + 0.02, -0.018)], 0.012, 3, closed=True), 0.008, TruckMaterial.TILLER)
    boot = np.array(
        [
            [(rear, -half, z), (front - inset, -half, z), (front - inset, half, z), (rear, half, z)]
            for half, z, inset in ((0.031, 0.09, 0), (0.031, 0.16, 0.004), (0.026, KNEE_M + 0.01, 0.004))
        ]
    )
    pivot = cylinder(0.011, 0.07, 12, TruckMaterial.PUMP)
    return [
        cheek.moved((0, -0.026, 0)),
        cheek.moved((0, 0.026, 0)),
        bevelled(loft(boot, TruckMaterial.TILLER), 0.006),
        pivot,
    ]


def tiller_shaft(style: HandTruckStyle, length_m: float, low: float) -> list[Solid]:
    """From here on, the origin is the middle of the grip bar and -z runs down the shaft, wider than it is deep."""
    bar = tube([(0, 0, -length_m), (0, 0, low + 0.02)], style.shaft_radius_m, 16, TruckMaterial.TILLER)
    return [replace(bar, vertices=bar.vertices * (1, style.shaft_flatness, 1))]


def grip_loop(style: HandTruckStyle, grip: str, low: float) -> list[Solid]:
    """The closed grip around a stem, black sleeves where the hands hold; it ends at height `low` on the shaft.

    `grip`: a "d_loop" of tube, a "triangle" that runs straight to the shaft, or a "rounded" loop with thick grips.
    """
    half = style.loop_width_m / 2
    lower, corner = {
        "d_loop": ([(half - 0.035, low + 0.02)], 0.055),
        "triangle": ([], 0.05),
        "rounded": ([(half - 0.012, 0.45 * low)], 0.09),
    }[grip]
    points = [(half, 0), (-half, 0), *((-y, z) for y, z in lower), (-0.012, low), (0.012, low), *lower]
    outline = round_corners(points, corner, 5, closed=True)
    ring = tube(np.insert(outline, 0, 0, axis=1), 0.013, 12, TruckMaterial.TILLER, closed=True)
    stem = bevelled(box((0.034, 0.046, -low + 0.02), (0, 0, low / 2), TruckMaterial.TILLER), 0.008)
    paper = box((0.001, 0.036, 0.07), (-0.0173, 0, -0.06), TruckMaterial.PAPER)
    return [ring, *sleeves(half, grip == "rounded"), stem, paper]


def sleeves(half_m: float, thick: bool) -> list[Solid]:
    """The rubber on the grip bar, left and right of the stem; thick grips have round ends."""
    length, middle = half_m - (0.1 if thick else 0.085), (half_m - 0.015) / 2
    if thick:
        profile = [(0.012, -length / 2), (0.0195, -length / 2), (0.0195, length / 2), (0.012, length / 2)]
        sleeve = revolve(round_corners(profile, 0.007, 2, closed=True), 16, TruckMaterial.RUBBER)
    else:
        sleeve = cylinder(0.0165, length, 16, TruckMaterial.RUBBER)
    return [sleeve.moved((0, -middle, 0)), sleeve.moved((0, middle, 0))]


def trigger(style: HandTruckStyle) -> list[Solid]:
    """The lever inside the loop: up, drive, down."""
    reach = style.loop_width_m / 2
    path = [(0, -0.02, -0.075), (0, -0.4 * reach, -0.085), (0, -0.68 * reach, -0.115)]
    return [tube(round_corners(path, 0.05, 5), 0.0075, 8, TruckMaterial.RUBBER)]


def shaft_lettering(style: HandTruckStyle, low: float) -> list[Solid]:
    """The maker's name down the operator's side of the shaft, a bar for each letter."""
    if not style.lettering:
        return []
    letter = np.array([(0, 0.009, 0.009), (0, -0.009, 0.009), (0, -0.009, -0.009), (0, 0.009, -0.009)])[::-1]
    heights = low - 0.06 - 0.028 * np.arange(8)
    return [plate(letter + np.array([-style.shaft_radius_m, 0, z]), 0.002, TruckMaterial.PAPER) for z in heights]
