# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of an electric pallet truck that do not turn: what lifts (body, forks, backrest), and the base on wheels.

Truck frame, metres: x towards the fork tips, origin on the floor under the steering's axis; modelled lowered.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, bevelled, box, cylinder, flat_bar, loft, plate, revolve, round_corners, tube
from blender.trucks.electric_style import BATTERY_LAYOUTS, ElectricStyle, ElectricTruckMaterial
from blender.trucks.hand_chassis import (
    FORK_DEPTH_M,
    HEEL_X_M,
    LEG_LENGTH_M,
    LOWERED_M,
    ROLLER_FROM_TIP_M,
    pallet_fork,
    roller_leg,
    upright_cylinder,
)
from blender.trucks.hand_style import TruckMaterial

BODY_M = 0.06  # x where the body begins: before it the tiller swings
BODY_BOTTOM_M = 0.06
TRIM_TOP_M = 0.16  # of the black strip around the foot of the body
FITTINGS_M = 0.05  # what stands on the body is within its height
DECK_M = 0.25
HOOD_FOOT_M = 0.29  # above the gap in which the tiller's arm turns
BACKREST_TOP_M = 1.2


def heel_x_m(parameters: dict) -> float:
    """Return x where the forks begin."""
    return BATTERY_LAYOUTS[parameters["battery"]].rear_m + parameters["heel_to_rear_m"]


def lifted_parts(parameters: dict, style: ElectricStyle) -> list[Solid]:
    """Forks, body with its fittings and labels, and the load backrest, with the fork tops at `LOWERED_M`."""
    heel = heel_x_m(parameters)
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    right = [part.moved((heel - HEEL_X_M, -offset, 0)) for part in pallet_fork(parameters)]
    gap = parameters["width_m"] - 2 * parameters["fork_width_m"]
    cross = box((0.1, gap + 0.02, 0.046), (heel - 0.04, 0, LOWERED_M - FORK_DEPTH_M / 2), TruckMaterial.PAINT)
    body = BodyBox(parameters, style)
    made = [*right, *(part.mirrored() for part in right), cross, *body.shell(), *body.fittings(), *body.labels()]
    return made + (backrest(parameters) if parameters["backrest"] else [])


class BodyBox:
    """The upright box between drive and forks; its sides lean in a little towards the top."""

    def __init__(self, parameters: dict, style: ElectricStyle) -> None:
        self.style = style
        self.lithium = parameters["battery"] == "lithium"
        self.front_m = heel_x_m(parameters)
        self.half_m = parameters["chassis_width_m"] / 2
        self.top_m = parameters["chassis_height_m"] - FITTINGS_M
        self.slot = TruckMaterial.PAINT if style.painted_box else ElectricTruckMaterial.COVER

    def half_at(self, height_m: float) -> float:
        return float(np.interp(height_m, [0.2, self.top_m], [self.half_m - 0.006, 0.94 * self.half_m]))

    def rear_at(self, height_m: float) -> float:
        return float(np.interp(height_m, [0.3, self.top_m], [BODY_M, BODY_M + (0.03 if self.lithium else 0.012)]))

    def section(self, height_m: float, inset_m: float = 0.0) -> np.ndarray:
        """Outline (N, 3) at a height, counter-clockwise from above."""
        rear, front = self.rear_at(height_m) + inset_m, self.front_m - min(inset_m, 0.01)
        half = self.half_at(height_m) - inset_m
        outline = [(rear, -half), (front, -half), (front, half), (rear, half)]
        return np.insert(round_corners(outline, 0.035, 4, closed=True), 2, height_m, axis=1)

    def shell(self) -> list[Solid]:
        """The black strip around the foot, the box with a rounded top, and the steel wall that the load leans on."""
        radius = self.style.rounding_m
        trim = loft(np.array([self.section(BODY_BOTTOM_M, -0.003), self.section(TRIM_TOP_M, -0.003)]),
                    ElectricTruckMaterial.SKIRT)  # fmt: skip
        heights = [(TRIM_TOP_M - 0.01, 0.0), (0.3, 0.0)]
        heights += [
            (self.top_m - radius * (1 - np.sin(a)), radius * (1 - np.cos(a))) for a in np.radians(range(0, 91, 18))
        ]
        box_ = replace(loft(np.array([self.section(*row) for row in heights]), self.slot), smooth=True)
        half = self.half_at(self.top_m) - 0.03
        wall = bevelled(
            box((0.008, 2 * half, self.top_m - 0.1), (self.front_m, 0, self.top_m / 2 + 0.02), TruckMaterial.PUMP),
            0.003,
        )
        return [trim, box_, wall.moved((-0.002, 0, 0))]

    def fittings(self) -> list[Solid]:
        """On the body: mushroom stop, key, display, and the battery: a pack with a handle, or a lid and its plug."""
        middle, rear = (self.rear_at(self.top_m) + self.front_m) / 2, self.rear_at(self.top_m) + self.style.rounding_m
        top, side = self.top_m, self.half_at(self.top_m) - 0.09
        knob = np.array([(0.004, 0.0), (0.012, 0.0), (0.012, 0.016), (0.021, 0.02), (0.019, 0.034), (0.004, 0.038)])
        stop = [
            upright_cylinder(0.03, 0.008, ElectricTruckMaterial.YELLOW).moved((middle, side, top + 0.002)),
            revolve(knob, 16, ElectricTruckMaterial.RED).turned("x", 90).moved((middle, side, top + 0.004)),
        ]
        key = upright_cylinder(0.01, 0.016, TruckMaterial.CHROME).moved((middle, -side, top + 0.006))
        depth = self.front_m - rear
        if self.lithium:
            pack = bevelled(box((0.62 * depth, 0.2, 0.03), (middle, 0, top + 0.012), TruckMaterial.PUMP), 0.008)
            arch = [(middle, y, top + z) for y, z in ((-0.07, 0.02), (-0.06, 0.042), (0.06, 0.042), (0.07, 0.02))]
            battery = [pack, tube(round_corners(arch, 0.015, 3), 0.007, 8, TruckMaterial.RUBBER)]
        else:
            lid = bevelled(box((0.8 * depth, 1.1 * side, 0.016), (middle, 0, top + 0.006), TruckMaterial.PUMP), 0.005)
            plug = bevelled(box((0.05, 0.07, 0.034), (middle, -0.7 * side, top + 0.01), TruckMaterial.RUBBER), 0.005)
            battery = [lid, plug]
        screen = bevelled(
            box((0.035, 0.07, 0.014), (rear + 0.012, 0.3 * side, top + 0.004), ElectricTruckMaterial.SCREEN), 0.003
        )
        return [*stop, key, screen, *battery]

    def labels(self) -> list[Solid]:
        """The maker's name on both sides, the type plate and a warning at the rear."""
        low, high = 0.42 * self.top_m, 0.62 * self.top_m
        start, end = BODY_M + 0.045, self.front_m - 0.04
        right = [self._side_patch(start, end, low, high, 0.001, TruckMaterial.LABEL)]
        if self.style.lettering:
            count = max(3, int((end - start) / 0.02))
            edges = np.linspace(start + 0.01, end - 0.006, count + 1)[:-1]
            right += [self._side_patch(x, x + 0.011, low + 0.03, high - 0.03, 0.0016, TruckMaterial.INK) for x in edges]
        y = (self.half_m + BATTERY_LAYOUTS["lithium" if self.lithium else "lead_acid"].hood_m) / 2
        rear = [
            self._rear_patch(y, 0.05, 0.4, 0.45, TruckMaterial.PAPER),
            self._rear_patch(-y, 0.05, 0.38, 0.45, ElectricTruckMaterial.YELLOW),
        ]
        return [*right, *(part.mirrored() for part in right), *rear]

    def _side_patch(self, start: float, end: float, low: float, high: float, thick_m: float, slot: int) -> Solid:
        corners = [(start, low), (end, low), (end, high), (start, high)]
        return plate([(x, -self.half_at(z), z) for x, z in corners], thick_m, slot)

    def _rear_patch(self, y: float, width_m: float, low: float, high: float, slot: int) -> Solid:
        left, right = y + width_m / 2, y - width_m / 2
        corners = [(left, low), (right, low), (right, high), (left, high)]
        return plate([(self.rear_at(z), across, z) for across, z in corners], 0.001, slot)


def backrest(parameters: dict) -> list[Solid]:
    """A frame of tube with bars at the heel of the forks, which keeps the load off the operator."""
    x, half = heel_x_m(parameters) - 0.016, parameters["width_m"] / 2 - 0.02
    arch = [(x, -half, 0.1), (x, -half, BACKREST_TOP_M - 0.015), (x, half, BACKREST_TOP_M - 0.015), (x, half, 0.1)]
    frame = tube(round_corners(arch, 0.05, 4), 0.014, 10, TruckMaterial.PUMP)
    rail = tube([(x, -half, 0.86), (x, half, 0.86)], 0.01, 8, TruckMaterial.PUMP)
    bars = [
        tube([(x, y, 0.5), (x, y, BACKREST_TOP_M - 0.02)], 0.008, 6, TruckMaterial.PUMP)
        for y in half * np.linspace(-0.6, 0.6, 4)
    ]
    return [frame, rail, *bars]


def base_parts(parameters: dict, style: ElectricStyle) -> list[Solid]:
    """What stays down: skirt, hood over the drive, the mast inside the body, castors."""
    form, half = BATTERY_LAYOUTS[parameters["battery"]], parameters["chassis_width_m"] / 2
    height = parameters["chassis_height_m"]
    mast_depth = heel_x_m(parameters) - BODY_M - 0.05
    mast = box((mast_depth, 1.7 * half, 0.4), (BODY_M + 0.03 + mast_depth / 2, 0, 0.3), TruckMaterial.PUMP)
    return [
        skirt(form.rear_m, half, style),
        *hood(form.hood_m, style.hood_share * height, style),
        mast,
        *castors(form.rear_m, half, style),
    ]


def skirt(rear_m: float, half_m: float, style: ElectricStyle) -> Solid:
    """The black deck around the drive: straight to the body, its rear rounded as a superellipse."""
    rows = (
        (style.skirt_bottom_m, 0.012),
        (style.skirt_bottom_m + 0.02, 0.0),
        (0.2, 0.0),
        (0.232, 0.006),
        (0.245, 0.02),
    )
    rows = (*rows, (DECK_M, 0.04))
    angle = np.linspace(np.pi / 2, -np.pi / 2, 25)
    power = 2 / style.squareness
    arc = np.c_[-(np.abs(np.cos(angle)) ** power), np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power]
    sections = []
    for z, inset in rows:
        rear = arc * (-rear_m - inset, half_m - inset)
        front = [(BODY_M - 0.004, -(half_m - inset)), (BODY_M - 0.004, half_m - inset)]
        sections.append(np.insert(np.concatenate([rear, front]), 2, z, axis=1))
    return replace(loft(np.array(sections), ElectricTruckMaterial.SKIRT), smooth=True)


def hood(radius_m: float, top_m: float, style: ElectricStyle) -> list[Solid]:
    """The moulded cover over the drive motor, round about the steering's axis, with dark slots to breathe."""
    edge = min(0.07, 0.4 * radius_m)
    rows = [(HOOD_FOOT_M, 1.0, 0.0), (HOOD_FOOT_M + 0.06, 1.0, 0.0)]
    for a in np.radians(range(0, 91, 15)):
        rows.append((top_m - edge * (1 - np.sin(a)), 1 - style.hood_taper, edge * (1 - np.cos(a))))
    angle = np.linspace(np.pi / 2, 3 * np.pi / 2, 21)
    arc = np.c_[np.cos(angle), np.sin(angle)]
    front = np.array([(BODY_M + 0.05, -1.0), (BODY_M + 0.05, 1.0)])
    sections = []
    for z, share, inset in rows:
        radius = radius_m * share - inset
        flat = np.concatenate([arc * radius, front * (1, radius)])
        sections.append(np.insert(flat, 2, z, axis=1))
    cover = replace(loft(np.array(sections), ElectricTruckMaterial.COVER), smooth=True)
    return [cover, *vents(radius_m, top_m - edge, style)]


def vents(radius_m: float, top_m: float, style: ElectricStyle) -> list[Solid]:
    """Dark slots around the rear of the hood."""
    angle = np.radians(np.linspace(125, 235, 9))
    made = []
    for z in np.linspace(HOOD_FOOT_M + 0.1, HOOD_FOOT_M + 0.1 + 0.022 * style.vents, style.vents, endpoint=False):
        share = (z - HOOD_FOOT_M - 0.06) / (top_m - HOOD_FOOT_M - 0.06)
        radius = radius_m * (1 - style.hood_taper * share) - 0.001
        path = np.c_[radius * np.cos(angle), radius * np.sin(angle), np.full(len(angle), z)]
        made.append(tube(path, 0.004, 5, TruckMaterial.RUBBER))
    return made


def castors(rear_m: float, half_m: float, style: ElectricStyle) -> list[Solid]:
    """Two small twin wheels that steady the drive, left and right of it under the skirt."""
    radius, y = style.castor_radius_m, half_m - 0.085
    x = 0.45 * rear_m
    wheels = []
    for aside in (-0.02, 0.02):
        tyre = round_corners(
            [(0.5 * radius, -0.014), (radius, -0.014), (radius, 0.014), (0.5 * radius, 0.014)], 0.006, 1, closed=True
        )
        wheels.append(revolve(tyre, 20, TruckMaterial.TYRE).moved((x, y + aside, radius)))
        wheels.append(cylinder(0.5 * radius, 0.02, 12, TruckMaterial.HUB).moved((x, y + aside, radius)))
    axle = cylinder(0.008, 0.08, 8, TruckMaterial.PUMP).moved((x, y, radius))
    stem = upright_cylinder(0.014, 0.15, TruckMaterial.PUMP).moved((x, y, radius + 0.075))
    right = [*wheels, axle, stem]
    return [*right, *(part.mirrored() for part in right)]


def linkage_parts(parameters: dict) -> list[Solid]:
    """Push rods and the load rollers on their legs, which stay on the floor at any lift."""
    up = parameters["lift_m"] - LOWERED_M
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    tip = heel_x_m(parameters) + parameters["fork_length_m"]
    hinge = np.array([tip - ROLLER_FROM_TIP_M - LEG_LENGTH_M, 0.0, LOWERED_M - 0.04 + up])
    rod = flat_bar(
        (heel_x_m(parameters) - 0.03, -offset, 0.05 + up),
        tuple(hinge - (0, offset, 0)),
        0.016,
        0.014,
        TruckMaterial.PUMP,
    )
    right = [rod, *(part.moved((0, -offset, 0)) for part in roller_leg(hinge, parameters["tandem_rollers"]))]
    return [*right, *(part.mirrored() for part in right)]
