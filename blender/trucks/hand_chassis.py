# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a hand pallet truck that do not turn: forks and A-frame, modelled lowered, and the lifting linkage.

Truck frame, metres: x towards the fork tips, origin on the floor under the tiller pivot.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, bevelled, box, cylinder, flat_bar, loft, plate, revolve, round_corners, tube
from blender.trucks.hand_style import HandTruckStyle, TruckMaterial

LOWERED_M = 0.085
FORK_DEPTH_M = 0.05
HEEL_X_M = 0.26  # x of the A-frame's front: fork length counts from here
HEEL_REAR_M = 0.125
FRAME_TOP_WIDTH_M = 0.2
LEDGE_END_M = -0.037
LEDGE_NARROW_M = 0.05  # x behind which the ledge is narrow enough for the tiller to swing round it
SHEET_M = 0.005
TIP_TAPER_M = 0.15
LEG_LENGTH_M = 0.16  # from the hinge of a load roller's leg to its end
ROLLER_RADIUS_M = 0.04
ROLLER_FROM_TIP_M = 0.18


def chassis_parts(parameters: dict, style: HandTruckStyle) -> list[Solid]:
    """Forks, heel, A-frame, ram and labels with the fork tops at `LOWERED_M`: lifting moves them up as one."""
    width, fork_width = parameters["width_m"], parameters["fork_width_m"]
    offset = (width - fork_width) / 2
    right = [part.moved((0, -offset, 0)) for part in pallet_fork(parameters)]
    right += [heel_pin(width, style), *leg_label(width, style)]
    gap = width - 2 * fork_width
    cross = box(
        (HEEL_X_M - 0.16, gap + 0.02, 0.046), ((HEEL_X_M + 0.16) / 2, 0, LOWERED_M - 0.026), TruckMaterial.PAINT
    )
    top = style.frame_top_m
    ram = upright_cylinder(0.018, top - 0.02 - 0.22).moved((0, 0, (top - 0.02 + 0.22) / 2))
    socket = upright_cylinder(0.034, 0.05, TruckMaterial.PAINT).moved((0, 0, top - 0.03))
    return [
        *right,
        *(part.mirrored() for part in right),
        bevelled(cross, 0.004),
        a_frame(width, style),
        ram,
        socket,
        *front_label(width, style),
    ]


def upright_cylinder(radius_m: float, length_m: float, slot: int = TruckMaterial.CHROME) -> Solid:
    """A cylinder along z, centred."""
    return cylinder(radius_m, length_m, 20, slot).turned("x", 90)


def pallet_fork(parameters: dict) -> list[Solid]:
    """One fork on y = 0: an inverted U with a slot for the load rollers, its tip tapered below and round from above."""
    length, half = parameters["fork_length_m"], parameters["fork_width_m"] / 2
    tip = HEEL_X_M + length
    slot_half = _roller_width(parameters["tandem_rollers"]) / 2 + 0.012
    behind, before = 0.285 if parameters["tandem_rollers"] else 0.245, 0.1
    body = [_channel(x, half, tip) for x in (HEEL_REAR_M, tip - behind)]
    cheek = [_cheek(tip - d, half, slot_half, tip) for d in (behind, TIP_TAPER_M, before)]
    nose = [_channel(tip - d, half, tip) for d in (before, 0.075, 0.055, 0.042, 0.03, 0.02, 0.012, 0.006, 0.002, 0)]
    heel_end = box((SHEET_M, 2 * half - 0.004, FORK_DEPTH_M - 0.002), (HEEL_REAR_M, 0, LOWERED_M - FORK_DEPTH_M / 2))
    cheek_solid = loft(np.array(cheek), TruckMaterial.FORK)
    entry_roller = cylinder(0.0175, 2 * half - 0.07, 16, TruckMaterial.TYRE).moved((tip - 0.052, 0, LOWERED_M - 0.032))
    return [
        loft(np.array(body), TruckMaterial.FORK),
        cheek_solid,
        cheek_solid.mirrored(),
        replace(loft(np.array(nose), TruckMaterial.FORK), smooth=True),
        heel_end,
        entry_roller,
    ]


def _fork_profile(x: float, half: float, tip: float) -> tuple[float, float, float, float]:
    """Half width, top, bottom and the sheet's underside of a fork at `x`."""
    left = max(tip - x, 0.0)
    corner = 0.06
    half_here = half - corner + np.sqrt(corner**2 - max(corner - left, 0) ** 2)
    top = LOWERED_M - 0.016 * max(1 - left / 0.07, 0) ** 2
    bottom = LOWERED_M - FORK_DEPTH_M + 0.022 * max(1 - left / TIP_TAPER_M, 0)
    # The nose is solid: the hollow ends where entry rollers sit.
    hollow = np.clip((left - 0.02) / 0.02, 0, 1)
    return half_here, top, bottom, bottom + 0.001 + hollow * (top - SHEET_M - bottom - 0.001)


def _channel(x: float, half: float, tip: float) -> np.ndarray:
    """Section of a fork at `x`: an inverted U, counter-clockwise in y-z, corners bent round."""
    half, top, bottom, roof = _fork_profile(x, half, tip)
    outer = round_corners([(half, bottom), (half, top), (-half, top), (-half, bottom)], 0.012, 3)
    inner_half = half - SHEET_M
    hollow = [(-inner_half, bottom), (-inner_half, roof), (inner_half, roof), (inner_half, bottom)]
    outline = np.concatenate([outer, round_corners(hollow, 0.008, 3)])
    return np.insert(outline, 0, x, axis=1)


def _cheek(x: float, half: float, slot_half: float, tip: float) -> np.ndarray:
    """Section of the left half of a fork beside its roller slot."""
    half, top, bottom, roof = _fork_profile(x, half, tip)
    outer = round_corners([(half, bottom), (half, top), (slot_half, top)], 0.012, 3)
    inner = round_corners([(slot_half, roof), (half - SHEET_M, roof), (half - SHEET_M, bottom)], 0.008, 3)
    return np.insert(np.concatenate([outer, inner]), 0, x, axis=1)


def a_frame(width_m: float, style: HandTruckStyle) -> Solid:
    """The A-frame: one bent sheet, open to the rear, that leans back from the heel and ends as a ledge on the ram."""
    top = style.frame_top_m
    outer = round_corners([(HEEL_X_M, LOWERED_M - 0.002), (0.135, top), (LEDGE_END_M, top)], 0.045, 4)
    inner = round_corners([(0.145, LOWERED_M - 0.002), (0.068, top - 0.085), (LEDGE_END_M, top - 0.045)], 0.02, 4)
    outer = np.insert(outer, -1, (LEDGE_NARROW_M, top), axis=0)
    inner = np.insert(inner, -1, (LEDGE_NARROW_M, top - 0.07), axis=0)
    lips = np.interp(outer[:, 0], [LEDGE_END_M, 0.1, 0.14], [0.012, 0.02, 0.035])
    sections = []
    for (x, z), (inner_x, inner_z), lip in zip(outer, inner, lips, strict=True):
        depth = np.hypot(inner_x - x, inner_z - z)
        half = _frame_half_width(width_m, x, z, style)
        # The ledge's sides hang straight down, so that the tiller can pass; the legs' sides spread to the forks.
        spread = np.interp(x, [0.05, 0.13], [0, 0.03])
        inner_half = min(_frame_half_width(width_m, inner_x, inner_z, style), half + spread)
        outline = _lipped_channel(half, depth, lip)
        share = outline[:, 0] / depth
        y = outline[:, 1] + np.sign(outline[:, 1]) * (inner_half - half) * share
        sections.append(np.c_[x + (inner_x - x) * share, y, z + (inner_z - z) * share])
    return loft(np.array(sections), TruckMaterial.PAINT)


def _frame_half_width(width_m: float, x: float, z: float, style: HandTruckStyle) -> float:
    """Half width of the A-frame: from the forks' outer sides to `FRAME_TOP_WIDTH_M`, the ledge narrower to the rear."""
    narrow = np.interp(x, [LEDGE_NARROW_M, 0.115], [0.052, FRAME_TOP_WIDTH_M / 2])
    slope = np.interp(z, [LOWERED_M, style.frame_top_m], [width_m / 2 - 0.004, FRAME_TOP_WIDTH_M / 2])
    return float(min(slope, narrow) if z > style.frame_top_m - 0.04 else slope)


def _lipped_channel(half: float, depth: float, lip: float) -> np.ndarray:
    """Outline (N, 2) of a C-section: depth behind the skin, y; the lips close it partly at full depth."""
    inside, rear = half - SHEET_M, depth - SHEET_M
    left = [(0, half), (depth, half), (depth, half - lip), (rear, half - lip), (rear, inside), (SHEET_M, inside)]
    right = [(d, -y) for d, y in reversed(left)]
    return round_corners([*left, *right], 0.008, 2, closed=True)


def heel_pin(width_m: float, style: HandTruckStyle) -> Solid:
    """The right end of the rocker's shaft, seen as a disc at the foot of the A-frame."""
    z = 0.135
    y = _frame_half_width(width_m, 0.2, z, style)
    return cylinder(0.016, 0.05, 16, TruckMaterial.PUMP).moved((0.19, -y + 0.018, z))


def leg_label(width_m: float, style: HandTruckStyle) -> list[Solid]:
    """The maker's label along the right leg of the A-frame, with bars for its print."""
    top = style.frame_top_m

    def corner(across: float, z: float) -> tuple[float, float, float]:
        front = np.interp(z, [LOWERED_M, top], [HEEL_X_M, 0.135])
        rear = np.interp(z, [LOWERED_M, top - 0.085], [0.145, 0.068])
        return rear + (front - rear) * across, -_frame_half_width(width_m, 0.2, z, style), z

    def patch(a: float, b: float, low: float, high: float, thickness_m: float, slot: TruckMaterial) -> Solid:
        return plate([corner(a, low), corner(b, low), corner(b, high), corner(a, high)], thickness_m, slot)

    low, high = 0.16, top - 0.11
    if style.lettered_leg:
        starts = np.linspace(0.08, 0.82, 7)
        print_on = [(0.3, 0.72, start, start + 0.08) for start in starts]
    else:
        print_on = [(0.28, 0.74, 0.08, 0.3), (0.34, 0.68, 0.42, 0.9)]
    marks = [(a, b, *(low + (high - low) * np.array(share))) for a, b, *share in print_on]
    return [
        patch(0.2, 0.82, low, high, 0.001, TruckMaterial.LABEL),
        *(patch(*mark, 0.0016, TruckMaterial.INK) for mark in marks),
    ]


def front_label(width_m: float, style: HandTruckStyle) -> list[Solid]:
    """The load plate on the A-frame's front."""
    top = style.frame_top_m

    def patch(half_y: float, low: float, high: float, thickness_m: float, slot: TruckMaterial) -> Solid:
        x_low, x_high = np.interp([low, high], [LOWERED_M, top], [HEEL_X_M, 0.135])
        corners = [(x_low, -half_y, low), (x_low, half_y, low), (x_high, half_y, high), (x_high, -half_y, high)]
        return plate(corners, thickness_m, slot)

    return [patch(0.085, 0.22, 0.32, 0.001, TruckMaterial.LABEL), patch(0.07, 0.235, 0.265, 0.0016, TruckMaterial.INK)]


def linkage_parts(parameters: dict, style: HandTruckStyle) -> list[Solid]:
    """Rocker arms, push rods and the load rollers on their legs; the rollers stay on the floor at any lift."""
    up = parameters["lift_m"] - LOWERED_M
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    tip = HEEL_X_M + parameters["fork_length_m"]
    hinge = np.array([tip - ROLLER_FROM_TIP_M - LEG_LENGTH_M, 0.0, LOWERED_M - 0.04 + up])
    shaft = (0.19, -offset, 0.135 + up)
    slot = TruckMaterial.PAINT if style.painted_rocker else TruckMaterial.PUMP
    arm = flat_bar((0.035, -0.05, 0.212), shaft, 0.014, 0.045, slot)
    crank = plate(_crank_outline(), 0.012, slot).moved((0.19, -offset + 0.006, 0.135 + up))
    rod = tube([(0.2, -offset, 0.052 + up), hinge - np.array([0, offset, 0])], 0.007, 10, TruckMaterial.PUMP)
    legs = [part.moved((0, -offset, 0)) for part in roller_leg(hinge, parameters["tandem_rollers"])]
    right = [bevelled(arm, 0.003), crank, rod, *legs]
    cross_shaft = cylinder(0.013, 2 * offset, 14, TruckMaterial.PUMP).moved((0.19, 0, 0.135 + up))
    return [*right, *(part.mirrored() for part in right), cross_shaft]


def _crank_outline() -> np.ndarray:
    """The bell crank's lever seen from the right, hanging from its shaft at (0, 0) down to the push rod."""
    x_z = np.array([(-0.02, 0.015), (-0.01, -0.095), (0.03, -0.095), (0.02, 0.015)])
    return np.insert(round_corners(x_z, 0.01, 2, closed=True), 1, 0, axis=1)


def _roller_width(tandem: bool) -> float:
    return 0.07 if tandem else 0.093


def roller_leg(hinge: np.ndarray, tandem: bool) -> list[Solid]:
    """A leg from its hinge on the fork down to one roller, or to a rocker with two, on the floor."""
    drop = hinge[2] - ROLLER_RADIUS_M
    end = hinge + np.array([np.sqrt(LEG_LENGTH_M**2 - drop**2), 0, -drop])
    width = _roller_width(tandem)
    side = np.array([0, width / 2 + 0.005, 0])
    centers = [end + np.array([x, 0, 0]) for x in ((-0.043, 0.043) if tandem else (0.0,))]
    plates = [flat_bar(hinge + s, end + s, 0.006, 0.03, TruckMaterial.PUMP) for s in (side, -side)]
    if tandem:
        plates += [
            flat_bar(centers[0] + s, centers[1] + s, 0.005, 0.026, TruckMaterial.PUMP)
            for s in (0.9 * side, -0.9 * side)
        ]
    axles = [cylinder(0.01, width + 0.022, 12, TruckMaterial.PUMP).moved(point) for point in (hinge, *centers)]
    return plates + axles + [roller(width).moved(center) for center in centers]


def roller(width_m: float) -> Solid:
    """A load roller about the y axis with rounded shoulders."""
    half = width_m / 2
    edge = ROLLER_RADIUS_M - 0.006
    right = [(0.009, -half), (edge, -half), (ROLLER_RADIUS_M - 0.001, 0.004 - half), (ROLLER_RADIUS_M, 0.01 - half)]
    profile = right + [(radius, -y) for radius, y in reversed(right)]
    return revolve(np.array(profile), 24, TruckMaterial.TYRE)
