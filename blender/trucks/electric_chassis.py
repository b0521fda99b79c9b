# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of an electric pallet truck that do not turn: what lifts (body, forks, backrest), and the base on wheels.

Truck frame, meters: x towards the fork tips, y to the left, origin on the floor under the steering axis; modeled
lowered.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import (
    Solid,
    bevelled,
    box,
    cylinder,
    flat_bar,
    loft,
    plate,
    revolve,
    round_corners,
    tube,
    with_mirror_image,
)
from blender.trucks.electric_style import BATTERY_LAYOUTS, ElectricStyle
from blender.trucks.truck_materials import ElectricTruckMaterial, TruckMaterial
from blender.trucks.truck_parts import (
    FORK_DEPTH_M,
    HEEL_X_M,
    LOWERED_M,
    pallet_fork,
    roller_hinge,
    roller_leg,
    upright_cylinder,
)

BODY_REAR_X_M = 0.06  # the tiller swings behind it
BODY_BOTTOM_M = 0.06
TRIM_TOP_M = 0.16  # of the black strip around the foot of the body
FITTINGS_HEIGHT_M = 0.05  # `chassis_height_m` includes what stands on the body
DECK_HEIGHT_M = 0.25
HOOD_BOTTOM_M = 0.29  # above the gap in which the tiller's arm turns
BACKREST_TOP_M = 1.2


def heel_x_m(parameters: dict) -> float:
    """Return x where the forks begin."""
    return BATTERY_LAYOUTS[parameters["battery"]].rear_x_m + parameters["heel_to_rear_m"]


def lifted_parts(parameters: dict, style: ElectricStyle) -> list[Solid]:
    """Return forks, body with its fittings and labels, and the load backrest, with the fork tops at `LOWERED_M`."""
    heel = heel_x_m(parameters)
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    right = [part.moved((heel - HEEL_X_M, -offset, 0)) for part in pallet_fork(parameters)]
    gap = parameters["width_m"] - 2 * parameters["fork_width_m"]
    crossbar = box((0.1, gap + 0.02, 0.046), (heel - 0.04, 0, LOWERED_M - FORK_DEPTH_M / 2), TruckMaterial.PAINT)
    body = BodyBox(parameters, style)
    parts = [*with_mirror_image(right), crossbar, *body.shell(), *body.fittings(), *body.labels()]
    return parts + (_backrest(parameters) if parameters["backrest"] else [])


class BodyBox:
    """The upright box between drive and forks; its sides lean in a little towards the top."""

    def __init__(self, parameters: dict, style: ElectricStyle) -> None:
        self.style = style
        self.layout = BATTERY_LAYOUTS[parameters["battery"]]
        self.lithium = parameters["battery"] == "lithium"
        self.front_x_m = heel_x_m(parameters)
        self.half_width_m = parameters["chassis_width_m"] / 2
        self.top_m = parameters["chassis_height_m"] - FITTINGS_HEIGHT_M
        self.slot = TruckMaterial.PAINT if style.painted_box else ElectricTruckMaterial.COVER

    def half_width_at(self, height_m: float) -> float:
        """Return half the width (m) at a height."""
        return float(np.interp(height_m, [0.2, self.top_m], [self.half_width_m - 0.006, 0.94 * self.half_width_m]))

    def rear_x_at(self, height_m: float) -> float:
        """Return x (m) of the rear face at a height."""
        top_rear = BODY_REAR_X_M + (0.03 if self.lithium else 0.012)
        return float(np.interp(height_m, [0.3, self.top_m], [BODY_REAR_X_M, top_rear]))

    def outline_at(self, height_m: float, inset_m: float = 0.0) -> np.ndarray:
        """Return the outline (N, 3) at a height, counterclockwise from above."""
        rear, front = self.rear_x_at(height_m) + inset_m, self.front_x_m - min(inset_m, 0.01)
        half = self.half_width_at(height_m) - inset_m
        outline = [(rear, -half), (front, -half), (front, half), (rear, half)]
        return np.insert(round_corners(outline, 0.035, 4, closed=True), 2, height_m, axis=1)

    def shell(self) -> list[Solid]:
        """Return the black strip around the foot, the box with a rounded top, and the steel wall behind the load."""
        radius = self.style.rounding_m
        trim_sections = [self.outline_at(height, -0.003) for height in (BODY_BOTTOM_M, TRIM_TOP_M)]
        trim = loft(np.array(trim_sections), ElectricTruckMaterial.SKIRT)
        rows = [(TRIM_TOP_M - 0.01, 0.0), (0.3, 0.0)]
        rows += [
            (self.top_m - radius * (1 - np.sin(angle)), radius * (1 - np.cos(angle)))
            for angle in np.radians(range(0, 91, 18))
        ]
        body = replace(loft(np.array([self.outline_at(*row) for row in rows]), self.slot), smooth=True)
        half = self.half_width_at(self.top_m) - 0.03
        wall_size = (0.008, 2 * half, self.top_m - 0.1)
        wall = bevelled(box(wall_size, (self.front_x_m, 0, self.top_m / 2 + 0.02), TruckMaterial.PUMP), 0.003)
        return [trim, body, wall.moved((-0.002, 0, 0))]

    def fittings(self) -> list[Solid]:
        """Return what stands on the body: emergency stop, key, display, and what belongs to the battery."""
        top, rear = self.top_m, self.rear_x_at(self.top_m)
        middle, side = (rear + self.front_x_m) / 2, self.half_width_at(top) - 0.09
        knob = np.array([(0.004, 0.0), (0.012, 0.0), (0.012, 0.016), (0.021, 0.02), (0.019, 0.034), (0.004, 0.038)])
        stop = [
            upright_cylinder(0.03, 0.008, ElectricTruckMaterial.YELLOW).moved((middle, side, top + 0.002)),
            revolve(knob, 16, ElectricTruckMaterial.RED).turned("x", 90).moved((middle, side, top + 0.004)),
        ]
        key = upright_cylinder(0.01, 0.016, TruckMaterial.CHROME).moved((middle, -side, top + 0.006))
        screen_center = (rear + self.style.rounding_m + 0.012, 0.3 * side, top + 0.004)
        screen = bevelled(box((0.035, 0.07, 0.014), screen_center, ElectricTruckMaterial.SCREEN), 0.003)
        return [*stop, key, screen, *self._battery_fittings()]

    def _battery_fittings(self) -> list[Solid]:
        """Return a lithium pack with its handle, or the lid and the plug of a lead-acid battery."""
        top, rear = self.top_m, self.rear_x_at(self.top_m)
        middle, side = (rear + self.front_x_m) / 2, self.half_width_at(top) - 0.09
        depth = self.front_x_m - (rear + self.style.rounding_m)
        if self.lithium:
            pack = bevelled(box((0.62 * depth, 0.2, 0.03), (middle, 0, top + 0.012), TruckMaterial.PUMP), 0.008)
            arch = [(middle, y, top + z) for y, z in ((-0.07, 0.02), (-0.06, 0.042), (0.06, 0.042), (0.07, 0.02))]
            return [pack, tube(round_corners(arch, 0.015, 3), 0.007, 8, TruckMaterial.RUBBER)]
        lid = bevelled(box((0.8 * depth, 1.1 * side, 0.016), (middle, 0, top + 0.006), TruckMaterial.PUMP), 0.005)
        plug = bevelled(box((0.05, 0.07, 0.034), (middle, -0.7 * side, top + 0.01), TruckMaterial.RUBBER), 0.005)
        return [lid, plug]

    def labels(self) -> list[Solid]:
        """Return the maker's name on both sides, and the type plate and a warning at the rear."""
        low, high = 0.42 * self.top_m, 0.62 * self.top_m
        start, end = BODY_REAR_X_M + 0.045, self.front_x_m - 0.04
        right = [self._side_patch(start, end, low, high, 0.001, TruckMaterial.LABEL)]
        if self.style.lettering:
            count = max(3, int((end - start) / 0.02))
            edges = np.linspace(start + 0.01, end - 0.006, count + 1)[:-1]
            right += [self._side_patch(x, x + 0.011, low + 0.03, high - 0.03, 0.0016, TruckMaterial.INK) for x in edges]
        y = (self.half_width_m + self.layout.hood_radius_m) / 2
        rear = [
            self._rear_patch(y, 0.05, 0.4, 0.45, TruckMaterial.PAPER),
            self._rear_patch(-y, 0.05, 0.38, 0.45, ElectricTruckMaterial.YELLOW),
        ]
        return [*with_mirror_image(right), *rear]

    def _side_patch(self, start: float, end: float, low: float, high: float, thickness_m: float, slot: int) -> Solid:
        corners = [(start, low), (end, low), (end, high), (start, high)]
        return plate([(x, -self.half_width_at(z), z) for x, z in corners], thickness_m, slot)

    def _rear_patch(self, center_y: float, width_m: float, low: float, high: float, slot: int) -> Solid:
        left, right = center_y + width_m / 2, center_y - width_m / 2
        corners = [(left, low), (right, low), (right, high), (left, high)]
        return plate([(self.rear_x_at(z), y, z) for y, z in corners], 0.001, slot)


def _backrest(parameters: dict) -> list[Solid]:
    """Return a frame of tube with bars at the heel of the forks, which keeps the load off the operator."""
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
    """Return what stays down: skirt, hood over the drive, the mast inside the body, castors."""
    layout, half = BATTERY_LAYOUTS[parameters["battery"]], parameters["chassis_width_m"] / 2
    hood_top = style.hood_share * parameters["chassis_height_m"]
    mast_depth = heel_x_m(parameters) - BODY_REAR_X_M - 0.05
    mast = box((mast_depth, 1.7 * half, 0.4), (BODY_REAR_X_M + 0.03 + mast_depth / 2, 0, 0.3), TruckMaterial.PUMP)
    return [
        _skirt(layout.rear_x_m, half, style),
        *_hood(layout.hood_radius_m, hood_top, style),
        mast,
        *_castors(layout.rear_x_m, half, style),
    ]


def _skirt(rear_x_m: float, half_m: float, style: ElectricStyle) -> Solid:
    """Return the black deck around the drive: straight up to the body, its rear rounded as a superellipse."""
    rows = (
        (style.skirt_bottom_m, 0.012),
        (style.skirt_bottom_m + 0.02, 0.0),
        (0.2, 0.0),
        (0.232, 0.006),
        (0.245, 0.02),
        (DECK_HEIGHT_M, 0.04),
    )
    angle = np.linspace(np.pi / 2, -np.pi / 2, 25)
    power = 2 / style.squareness
    arc = np.c_[-(np.abs(np.cos(angle)) ** power), np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power]
    front_x = BODY_REAR_X_M - 0.004
    sections = []
    for z, inset in rows:
        rear = arc * (-rear_x_m - inset, half_m - inset)
        front = [(front_x, -(half_m - inset)), (front_x, half_m - inset)]
        sections.append(np.insert(np.concatenate([rear, front]), 2, z, axis=1))
    return replace(loft(np.array(sections), ElectricTruckMaterial.SKIRT), smooth=True)


def _hood(radius_m: float, top_m: float, style: ElectricStyle) -> list[Solid]:
    """Return the molded cover over the drive motor: its rear is round about the steering axis and has vents."""
    edge = min(0.07, 0.4 * radius_m)
    # Rows of height, share of the radius, inset.
    rows = [(HOOD_BOTTOM_M, 1.0, 0.0), (HOOD_BOTTOM_M + 0.06, 1.0, 0.0)]
    for angle in np.radians(range(0, 91, 15)):
        rows.append((top_m - edge * (1 - np.sin(angle)), 1 - style.hood_taper, edge * (1 - np.cos(angle))))
    rear_angle = np.linspace(np.pi / 2, 3 * np.pi / 2, 21)
    arc = np.c_[np.cos(rear_angle), np.sin(rear_angle)]
    front = np.array([(BODY_REAR_X_M + 0.05, -1.0), (BODY_REAR_X_M + 0.05, 1.0)])
    sections = []
    for z, share, inset in rows:
        radius = radius_m * share - inset
        outline = np.concatenate([arc * radius, front * (1, radius)])
        sections.append(np.insert(outline, 2, z, axis=1))
    cover = replace(loft(np.array(sections), ElectricTruckMaterial.COVER), smooth=True)
    return [cover, *_vents(radius_m, top_m - edge, style)]


def _vents(radius_m: float, top_m: float, style: ElectricStyle) -> list[Solid]:
    """Return dark slots around the rear of the hood."""
    angle = np.radians(np.linspace(125, 235, 9))
    lowest = HOOD_BOTTOM_M + 0.1
    slots = []
    for z in np.linspace(lowest, lowest + 0.022 * style.vents, style.vents, endpoint=False):
        share = (z - HOOD_BOTTOM_M - 0.06) / (top_m - HOOD_BOTTOM_M - 0.06)
        radius = radius_m * (1 - style.hood_taper * share) - 0.001
        path = np.c_[radius * np.cos(angle), radius * np.sin(angle), np.full(len(angle), z)]
        slots.append(tube(path, 0.004, 5, TruckMaterial.RUBBER))
    return slots


def _castors(rear_x_m: float, half_m: float, style: ElectricStyle) -> list[Solid]:
    """Return a small twin wheel on each side under the skirt; both steady the drive."""
    radius, x, y = style.castor_radius_m, 0.45 * rear_x_m, half_m - 0.085
    profile = [(0.5 * radius, -0.014), (radius, -0.014), (radius, 0.014), (0.5 * radius, 0.014)]
    tire = revolve(round_corners(profile, 0.006, 1, closed=True), 20, TruckMaterial.TIRE)
    hub = cylinder(0.5 * radius, 0.02, 12, TruckMaterial.HUB)
    wheels = [part.moved((x, y + offset, radius)) for offset in (-0.02, 0.02) for part in (tire, hub)]
    axle = cylinder(0.008, 0.08, 8, TruckMaterial.PUMP).moved((x, y, radius))
    stem = upright_cylinder(0.014, 0.15, TruckMaterial.PUMP).moved((x, y, radius + 0.075))
    return with_mirror_image([*wheels, axle, stem])


def linkage_parts(parameters: dict) -> list[Solid]:
    """Return push rods and the legs with the load rollers, which stay on the floor at any lift."""
    raised = parameters["lift_m"] - LOWERED_M
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    heel = heel_x_m(parameters)
    hinge = roller_hinge(heel + parameters["fork_length_m"], parameters["lift_m"])
    rod_start, rod_end = (heel - 0.03, -offset, 0.05 + raised), tuple(hinge - (0, offset, 0))
    rod = flat_bar(rod_start, rod_end, 0.016, 0.014, TruckMaterial.PUMP)
    legs = [part.moved((0, -offset, 0)) for part in roller_leg(hinge, parameters["tandem_rollers"])]
    return with_mirror_image([rod, *legs])
