# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of an electric pallet truck that turn: drive wheel and arm about the vertical, the tiller on its hinge.

`electric_steering_parts` is in the truck's frame, straight ahead. `electric_tiller_parts` is in its own frame: origin at its hinge, z up to the
grips, +x to the forks; `blender.trucks.electric_truck` turns and tilts them.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, bevelled, box, cylinder, loft, prism, revolve, round_corners, tube
from blender.trucks.electric_style import BatteryLayout, ElectricStyle, ElectricTruckMaterial
from blender.trucks.hand_chassis import upright_cylinder
from blender.trucks.hand_style import TruckMaterial

HINGE_HEIGHT_M = 0.3
TILLER_LENGTH_M = 0.95  # from the hinge to the line of the grips
DRIVE_WIDTH_M = 0.078
HEAD_M = 0.16  # how far the head reaches down the tiller


def electric_steering_parts(style: ElectricStyle, form: BatteryLayout) -> list[Solid]:
    """Drive wheel under the hood, and the arm that comes out behind it and carries the tiller's hinge."""
    radius, half = style.drive_radius_m, DRIVE_WIDTH_M / 2
    rim = 0.72 * radius
    tyre = round_corners([(rim, -half), (radius, -half), (radius, half), (rim, half)], 0.01, 2, closed=True)
    hub = np.array([(0.01, -half + 0.012), (rim, -half + 0.004), (rim, half - 0.004), (0.01, half - 0.012)])
    wheel = [revolve(tyre, 32, TruckMaterial.TYRE), revolve(hub, 24, TruckMaterial.HUB)]
    nuts = [cylinder(0.008, DRIVE_WIDTH_M, 6, TruckMaterial.CHROME).moved((0.45 * radius, 0, 0)).turned("y", a)
            for a in range(0, 360, 72)]  # fmt: skip
    collar = upright_cylinder(form.hood_m - 0.012, 0.02, TruckMaterial.PUMP).moved((0, 0, 0.262))
    rear = -form.hinge_m + 0.02
    arm = bevelled(box((-rear, 0.075, 0.03), (rear / 2, 0, 0.272), TruckMaterial.TILLER), 0.006)
    cheek = prism(_cheek_outline(), 0.012, TruckMaterial.TILLER)
    pin = cylinder(0.012, 0.1, 12, TruckMaterial.CHROME)
    hinge = [part.moved((-form.hinge_m, 0, HINGE_HEIGHT_M)) for part in [*_sides(cheek, 0.041), pin]]
    return [*(part.moved((0, 0, radius)) for part in wheel + nuts), collar, arm, *hinge]


def _cheek_outline() -> np.ndarray:
    """Side of the hinge, about the hinge itself."""
    return round_corners(
        [(-0.025, -0.035), (0.03, -0.04), (0.03, 0.0), (0.012, 0.025), (-0.025, 0.02)], 0.01, 2, closed=True
    )


def _sides(part: Solid, half_m: float) -> list[Solid]:
    """The part to the left and to the right."""
    return [part.moved((0, half_m, 0)), part.moved((0, -half_m, 0))]


def electric_tiller_parts(style: ElectricStyle) -> list[Solid]:
    """Foot, shaft and the head, which leans back to the operator."""
    lean = np.radians(style.head_lean_deg)
    neck = np.array([np.sin(lean) * HEAD_M, 0.0, TILLER_LENGTH_M - np.cos(lean) * HEAD_M])
    head = [*housing(style), *hand_guards(style), *control_buttons()]
    upright = [part.turned("y", -style.head_lean_deg).moved((0, 0, TILLER_LENGTH_M)) for part in head]
    return [*shaft(style, neck), *upright]


def shaft(style: ElectricStyle, neck: np.ndarray) -> list[Solid]:
    """A moulded bar from the hinge to the neck of the head, thicker at its foot."""
    depth, width = style.shaft_m
    outline = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    sections = []
    for share, scale in ((0.0, 1.35), (0.16, 1.35), (0.24, 1.0), (1.04, 0.95)):
        flat = round_corners(outline * (depth, width) * scale, 0.011, 3, closed=True)
        sections.append(np.insert(flat, 2, 0, axis=1) + neck * share)
    boot = cylinder(0.026, 0.066, 16, TruckMaterial.TILLER)
    cable = tube([neck * share + (0.024, 0.013, 0) for share in (0.18, 0.5, 1.0)], 0.005, 6, TruckMaterial.RUBBER)
    paper = box((0.001, 0.7 * width, 0.09), tuple(neck * 0.8 + (-0.5 * depth - 0.0002, 0, 0)), TruckMaterial.PAPER)
    return [replace(loft(np.array(sections), TruckMaterial.TILLER), smooth=True), boot, cable, paper]


def housing(style: ElectricStyle) -> list[Solid]:
    """The body of the head: from here on the origin is on the line of the grips, -z down the shaft."""
    rows = ((-HEAD_M - 0.012, 0.05, 0.06), (-0.1, 0.07, 0.1), (-0.02, 0.066, 0.112), (0.024, 0.05, 0.1))
    outline = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    sections = [np.insert(round_corners(outline * size, 0.016, 3, closed=True), 2, z, axis=1) for z, *size in rows]
    belly_rows = ((0.024, 0.044, 0.088), (0.04, 0.042, 0.084), (0.05, 0.034, 0.07), (0.054, 0.02, 0.05))
    belly = [np.insert(round_corners(outline * size, 0.01, 3, closed=True), 2, z, axis=1) for z, *size in belly_rows]
    made = [loft(np.array(sections), TruckMaterial.TILLER), loft(np.array(belly), ElectricTruckMaterial.RED)]
    return [replace(part, smooth=True) for part in made]


def hand_guards(style: ElectricStyle) -> list[Solid]:
    """Two closed guards around the hands, each with its grip on the line of the head's end."""
    reach, deep = style.ring_m
    points = [(0.035, 0.0), (0.035, -deep - 0.015), (reach - 0.02, -deep), (reach, 0.0)]
    ring = tube(np.insert(round_corners(points, style.ring_corner_m, 4, closed=True), 0, 0, axis=1), 0.0125, 10, TruckMaterial.TILLER,
                closed=True)  # fmt: skip
    flat = replace(ring, vertices=ring.vertices * (1.25, 1, 1))
    grip = cylinder(0.0165, reach - 0.085, 14, TruckMaterial.RUBBER).moved((0, (reach + 0.045) / 2, 0))
    return [flat, grip, flat.mirrored(), grip.mirrored()]


def control_buttons() -> list[Solid]:
    """Thumb throttles on both sides, and on the upper face lift, lower and horn buttons and a display."""
    wing = bevelled(box((0.052, 0.03, 0.024), (0.012, 0.064, -0.034), TruckMaterial.RUBBER), 0.007)
    face = 0.0355
    screen = box((0.004, 0.05, 0.035), (face, 0, -0.105), ElectricTruckMaterial.SCREEN)
    buttons = [bevelled(box((0.012, 0.02, 0.016), (face, y, -0.062), slot), 0.003)
               for y, slot in ((-0.028, TruckMaterial.PAPER), (0.0, ElectricTruckMaterial.YELLOW), (0.028, TruckMaterial.PAPER))]  # fmt: skip
    return [wing, wing.mirrored(), screen, *buttons]
