# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a hand pallet truck that turn: steer wheels and pump about the vertical, the tiller on top of them.

`steering` is in the truck's frame with the wheels straight ahead. `tiller` is in its own frame: origin at its pivot,
z up to the grip, +x to the forks; `blender.trucks` turns and tilts them.
"""

import numpy as np

from blender.meshes import Solid, box, cylinder, fillet, plate, prism, revolve, rounded, tube
from blender.truck_chassis import upright_cylinder
from blender.truck_style import Slot, Style

GRIP_M = 1.02  # from the tiller's pivot to the middle of the grip bar
TYRE_WIDTH_M = 0.05
SHAFT_OFFSET_M = -0.095  # the shaft's foot stands behind the pump
LOOP_HEIGHT_M = 0.2


def steering(style: Style) -> list[Solid]:
    """Twin steer wheels on an axle, the yoke between them and the pump on top."""
    radius, half_spacing = style.wheel_radius_m, style.wheel_spacing_m / 2
    wheels = [part.moved((0, y, radius)) for y in (-half_spacing, half_spacing) for part in wheel(style)]
    axle = cylinder(0.012, style.wheel_spacing_m + TYRE_WIDTH_M + 0.012, 14, Slot.PUMP).moved((0, 0, radius))
    yoke = rounded(box((0.06, 0.038, 0.17), (0, 0, 0.145), Slot.PUMP), 0.006)
    return [*wheels, axle, yoke, *pump(), *release_pedal()]


def wheel(style: Style) -> list[Solid]:
    """A steer wheel about the y axis: tyre, rim, and a spoked or dished hub."""
    radius, half = style.wheel_radius_m, TYRE_WIDTH_M / 2
    rim = 0.7 * radius
    tyre = fillet([(rim, -half), (radius, -half), (radius, half), (rim, half)], 0.008, 2, closed=True)
    ring = [(rim - 0.01, -half + 0.004), (rim + 0.002, -half + 0.004), (rim + 0.002, half - 0.004)]
    ring.append((rim - 0.01, half - 0.004))
    web_half = 0.004 if style.spoked_wheels else 0.009
    web = [(0.01, -web_half), (rim - 0.004, -web_half), (rim - 0.004, web_half), (0.01, web_half)]
    boss = [(0.008, -half), (0.026, -half), (0.026, half), (0.008, half)]
    solids = [
        revolve(tyre, 32, Slot.TYRE),
        revolve(np.array(ring), 32, Slot.HUB),
        revolve(np.array(web), 32, Slot.RUBBER if style.spoked_wheels else Slot.HUB),
        revolve(fillet(boss, 0.004, 1, closed=True), 20, Slot.HUB),
    ]
    if style.spoked_wheels:
        spoke = box((0.018, TYRE_WIDTH_M - 0.016, rim - 0.02), (0, 0, rim / 2 + 0.005), Slot.HUB)
        solids += [spoke.turned("y", angle) for angle in range(0, 360, 60)]
    return solids


def pump() -> list[Solid]:
    """The hydraulic block: reservoir, ram housing, pump piston with its spring, plugs and a base plate."""
    reservoir = rounded(box((0.115, 0.13, 0.105), (0.01, 0, 0.305), Slot.PUMP), 0.012, 3)
    base = rounded(box((0.13, 0.11, 0.026), (-0.005, 0, 0.24), Slot.PUMP), 0.005)
    housing = upright_cylinder(0.036, 0.15, Slot.PUMP).moved((0, 0, 0.305))
    collar = upright_cylinder(0.025, 0.012, Slot.HUB).moved((0, 0, 0.382))
    piston = upright_cylinder(0.009, 0.13, Slot.CHROME).moved((-0.06, 0, 0.33))
    cup = upright_cylinder(0.022, 0.012, Slot.PUMP).moved((-0.06, 0, 0.395))
    turns = np.linspace(0, 5 * 2 * np.pi, 5 * 9)
    coil = np.c_[0.017 * np.cos(turns) - 0.06, 0.017 * np.sin(turns), np.linspace(0.29, 0.388, len(turns))]
    plugs = [cylinder(0.012, 0.145, 6, Slot.HUB).moved((x, 0, z)) for x, z in ((0.035, 0.335), (-0.02, 0.285))]
    return [reservoir, base, housing, collar, piston, cup, tube(coil, 0.0035, 5, Slot.PUMP), *plugs]


def release_pedal() -> list[Solid]:
    """The foot pedal on the right of the pump that lets the forks down."""
    rod = fillet([(-0.03, -0.062, 0.25), (-0.075, -0.066, 0.25), (-0.112, -0.072, 0.215)], 0.02)
    tread = rounded(box((0.03, 0.06, 0.012), (-0.113, -0.075, 0.212), Slot.RUBBER), 0.003)
    return [tube(rod, 0.006, 8, Slot.PUMP), tread]


def tiller(style: Style) -> list[Solid]:
    """Forked foot, shaft with a slight bend, D-loop with rubber grips, trigger and labels."""
    foot = SHAFT_OFFSET_M
    outline = [(0.02, -0.018), (0.02, 0.02), (-0.06, 0.02), (-0.07, 0.13), (-0.118, 0.13), (-0.118, -0.002)]
    cheek = prism(fillet([*outline, (-0.1, -0.018)], 0.012, 3, closed=True), 0.008, Slot.TILLER)
    block = rounded(box((0.046, 0.06, 0.05), (foot, 0, 0.11), Slot.TILLER), 0.006)
    pivot = cylinder(0.011, 0.07, 12, Slot.PUMP)
    path = [(foot, 0, 0.11), (foot, 0, 0.30), (0, 0, GRIP_M - LOOP_HEIGHT_M - 0.01), (0, 0, GRIP_M - LOOP_HEIGHT_M)]
    path = fillet(path[:2] + path[2:3], 0.25, 6)
    shaft = tube(path, style.shaft_radius_m, 16, Slot.TILLER)
    return [
        cheek.moved((0, -0.026, 0)),
        cheek.moved((0, 0.026, 0)),
        block,
        pivot,
        shaft,
        *loop(style),
        *trigger(),
        *lettering(style),
    ]


def loop(style: Style) -> list[Solid]:
    """The closed grip: a D of tube round a stem, black sleeves where the hands hold."""
    half = style.loop_width_m / 2
    low = GRIP_M - LOOP_HEIGHT_M
    lower = (half - 0.012, low + 0.085) if style.pointed_loop else (half - 0.03, low + 0.015)
    points = [(half, GRIP_M), (-half, GRIP_M), (-lower[0], lower[1]), (-0.012, low), (0.012, low), lower]
    outline = fillet(points, 0.05, 5, closed=True)
    ring = tube(np.insert(outline, 0, 0, axis=1), 0.013, 12, Slot.TILLER, closed=True)
    sleeve = cylinder(0.0165, half - 0.085, 16, Slot.RUBBER)
    middle = (half - 0.05 + 0.035) / 2
    stem = rounded(box((0.034, 0.046, LOOP_HEIGHT_M + 0.02), (0, 0, GRIP_M - LOOP_HEIGHT_M / 2), Slot.TILLER), 0.008)
    paper = box((0.001, 0.036, 0.07), (-0.0173, 0, GRIP_M - 0.06), Slot.PAPER)
    return [
        ring,
        sleeve.moved((0, -middle, GRIP_M)),
        sleeve.moved((0, middle, GRIP_M)),
        stem,
        paper,
    ]


def trigger() -> list[Solid]:
    """The lever inside the loop: up, drive, down."""
    path = [(0, -0.02, GRIP_M - 0.075), (0, -0.09, GRIP_M - 0.085), (0, -0.13, GRIP_M - 0.125)]
    return [tube(fillet(path, 0.05, 5), 0.0075, 8, Slot.RUBBER)]


def lettering(style: Style) -> list[Solid]:
    """The maker's name down the operator's side of the shaft, a bar for each letter."""
    if not style.lettering:
        return []
    heights = GRIP_M - LOOP_HEIGHT_M - 0.06 - 0.028 * np.arange(8)
    x = np.interp(heights, [0.30, GRIP_M - LOOP_HEIGHT_M], [SHAFT_OFFSET_M, 0]) - style.shaft_radius_m
    corners = np.array([(0, 0.009, -0.009), (0, -0.009, -0.009), (0, -0.009, 0.009), (0, 0.009, 0.009)])
    return [plate(corners[::-1] + np.array([a, 0, z]), 0.002, Slot.PAPER) for a, z in zip(x, heights, strict=True)]
