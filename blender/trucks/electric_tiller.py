# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of an electric pallet truck that turn: drive wheel and arm about the vertical, and the tiller on its hinge.

`electric_steering_parts` is in the truck's frame, straight ahead. `electric_tiller_parts` has its own frame: origin at
the hinge, z up to the grips, +x to the forks. `blender.trucks.electric_truck` turns and tilts both. All in meters.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import (
    UNIT_SQUARE,
    Solid,
    bevelled,
    box,
    cylinder,
    loft,
    prism,
    revolve,
    round_corners,
    tube,
    with_mirror_image,
)
from blender.trucks.electric_style import BatteryLayout, ElectricStyle
from blender.trucks.truck_materials import ElectricTruckMaterial, TruckMaterial
from blender.trucks.truck_parts import upright_cylinder

HINGE_HEIGHT_M = 0.3
TILLER_LENGTH_M = 0.95  # from the hinge to the line of the grips
DRIVE_WIDTH_M = 0.078
HEAD_LENGTH_M = 0.16  # how far the head reaches down the tiller


def electric_steering_parts(style: ElectricStyle, layout: BatteryLayout) -> list[Solid]:
    """Return the drive wheel under the hood, and the arm behind it, which carries the tiller's hinge."""
    radius, half = style.drive_radius_m, DRIVE_WIDTH_M / 2
    rim = 0.72 * radius
    tire = round_corners([(rim, -half), (radius, -half), (radius, half), (rim, half)], 0.01, 2, closed=True)
    hub = np.array([(0.01, -half + 0.012), (rim, -half + 0.004), (rim, half - 0.004), (0.01, half - 0.012)])
    nut = cylinder(0.008, DRIVE_WIDTH_M, 6, TruckMaterial.CHROME).moved((0.45 * radius, 0, 0))
    wheel = [
        revolve(tire, 32, TruckMaterial.TIRE),
        revolve(hub, 24, TruckMaterial.HUB),
        *(nut.turned("y", angle_deg) for angle_deg in range(0, 360, 72)),
    ]
    collar = upright_cylinder(layout.hood_radius_m - 0.012, 0.02, TruckMaterial.PUMP).moved((0, 0, 0.262))
    rear = -layout.hinge_distance_m + 0.02
    arm = bevelled(box((-rear, 0.075, 0.03), (rear / 2, 0, 0.272), TruckMaterial.TILLER), 0.006)
    cheek = prism(_cheek_outline(), 0.012, TruckMaterial.TILLER)
    pin = cylinder(0.012, 0.1, 12, TruckMaterial.CHROME)
    hinge = [cheek.moved((0, 0.041, 0)), cheek.moved((0, -0.041, 0)), pin]
    return [
        *(part.moved((0, 0, radius)) for part in wheel),
        collar,
        arm,
        *(part.moved((-layout.hinge_distance_m, 0, HINGE_HEIGHT_M)) for part in hinge),
    ]


def _cheek_outline() -> np.ndarray:
    """Return the x-z outline (N, 2) of one side of the hinge, about the hinge itself."""
    return round_corners(
        [(-0.025, -0.035), (0.03, -0.04), (0.03, 0.0), (0.012, 0.025), (-0.025, 0.02)], 0.01, 2, closed=True
    )


def electric_tiller_parts(style: ElectricStyle) -> list[Solid]:
    """Return foot, shaft and head; the head leans back to the operator."""
    lean = np.radians(style.head_lean_deg)
    neck = np.array([np.sin(lean) * HEAD_LENGTH_M, 0.0, TILLER_LENGTH_M - np.cos(lean) * HEAD_LENGTH_M])
    head = [*_housing(), *_hand_guards(style), *_control_buttons()]
    placed_head = [part.turned("y", -style.head_lean_deg).moved((0, 0, TILLER_LENGTH_M)) for part in head]
    return [*_shaft(style, neck), *placed_head]


def _shaft(style: ElectricStyle, neck: np.ndarray) -> list[Solid]:
    """Return a molded bar from the hinge to the `neck` (3,) of the head, thicker at its foot."""
    depth, width = style.shaft_size_m
    sections = []
    for share, scale in ((0.0, 1.35), (0.16, 1.35), (0.24, 1.0), (1.04, 0.95)):
        outline = round_corners(UNIT_SQUARE * (depth, width) * scale, 0.011, 3, closed=True)
        sections.append(np.insert(outline, 2, 0, axis=1) + neck * share)
    boot = cylinder(0.026, 0.066, 16, TruckMaterial.TILLER)
    cable = tube([neck * share + (0.024, 0.013, 0) for share in (0.18, 0.5, 1.0)], 0.005, 6, TruckMaterial.RUBBER)
    paper = box((0.001, 0.7 * width, 0.09), tuple(neck * 0.8 + (-0.5 * depth - 0.0002, 0, 0)), TruckMaterial.PAPER)
    return [replace(loft(np.array(sections), TruckMaterial.TILLER), smooth=True), boot, cable, paper]


# Functions below use the frame of the head: origin on the line of the grips, -z down the shaft.


def _housing() -> list[Solid]:
    """Return the housing of the head and the red emergency reverse button on its upper end."""
    # Rows of height, depth and width.
    housing_rows = ((-HEAD_LENGTH_M - 0.012, 0.05, 0.06), (-0.1, 0.07, 0.1), (-0.02, 0.066, 0.112), (0.024, 0.05, 0.1))
    button_rows = ((0.024, 0.044, 0.088), (0.04, 0.042, 0.084), (0.05, 0.034, 0.07), (0.054, 0.02, 0.05))
    return [
        _rounded_loft(housing_rows, 0.016, TruckMaterial.TILLER),
        _rounded_loft(button_rows, 0.01, ElectricTruckMaterial.RED),
    ]


def _rounded_loft(rows: tuple[tuple[float, float, float], ...], corner_m: float, slot: int) -> Solid:
    """Return a smooth body along z from (z, depth, width) of its rounded rectangular sections."""
    sections = [
        np.insert(round_corners(UNIT_SQUARE * size, corner_m, 3, closed=True), 2, z, axis=1) for z, *size in rows
    ]
    return replace(loft(np.array(sections), slot), smooth=True)


def _hand_guards(style: ElectricStyle) -> list[Solid]:
    """Return two closed guards around the hands, each with its grip on the line of the grips."""
    width, depth = style.guard_size_m
    points = [(0.035, 0.0), (0.035, -depth - 0.015), (width - 0.02, -depth), (width, 0.0)]
    path = np.insert(round_corners(points, style.guard_corner_m, 4, closed=True), 0, 0, axis=1)
    round_guard = tube(path, 0.0125, 10, TruckMaterial.TILLER, closed=True)
    guard = replace(round_guard, vertices=round_guard.vertices * (1.25, 1, 1))
    grip = cylinder(0.0165, width - 0.085, 14, TruckMaterial.RUBBER).moved((0, (width + 0.045) / 2, 0))
    return with_mirror_image([guard, grip])


def _control_buttons() -> list[Solid]:
    """Return a thumb throttle on each side, and on the front face three buttons (lift, lower, horn) and a display."""
    throttle = bevelled(box((0.052, 0.03, 0.024), (0.012, 0.064, -0.034), TruckMaterial.RUBBER), 0.007)
    face_x = 0.0355
    screen = box((0.004, 0.05, 0.035), (face_x, 0, -0.105), ElectricTruckMaterial.SCREEN)
    buttons = [
        bevelled(box((0.012, 0.02, 0.016), (face_x, y, -0.062), slot), 0.003)
        for y, slot in (
            (-0.028, TruckMaterial.PAPER),
            (0.0, ElectricTruckMaterial.YELLOW),
            (0.028, TruckMaterial.PAPER),
        )
    ]
    return [*with_mirror_image([throttle]), screen, *buttons]
