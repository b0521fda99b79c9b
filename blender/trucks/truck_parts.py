# SPDX-License-Identifier: GPL-3.0-or-later
"""Forks and load rollers, which hand and electric pallet trucks share.

Truck frame, meters: x towards the fork tips, y to the left, z up from the floor. Forks are modeled lowered.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, box, cylinder, flat_bar, loft, revolve, round_corners
from blender.trucks.truck_materials import TruckMaterial

LOWERED_M = 0.085  # height of the fork tops when lowered
FORK_DEPTH_M = 0.05
HEEL_X_M = 0.26  # x from which the length of a fork is measured
SHEET_THICKNESS_M = 0.005
LEG_LENGTH_M = 0.16  # from the hinge of a load roller's leg to its end
ROLLER_FROM_TIP_M = 0.18

_HEEL_REAR_X_M = 0.125
_TIP_TAPER_LENGTH_M = 0.15
_ROLLER_RADIUS_M = 0.04


def upright_cylinder(radius_m: float, length_m: float, slot: int = TruckMaterial.CHROME) -> Solid:
    """Return a cylinder along z, centered on the origin."""
    return cylinder(radius_m, length_m, 20, slot).turned("x", 90)


def pallet_fork(parameters: dict) -> list[Solid]:
    """Return one fork on y = 0: an inverted U with a slot for the load rollers.

    Its tip is tapered from below and rounded seen from above.
    """
    length, half_width = parameters["fork_length_m"], parameters["fork_width_m"] / 2
    tip_x = HEEL_X_M + length
    slot_half_width = _roller_width(parameters["tandem_rollers"]) / 2 + 0.012
    # The slot reaches from `behind` to `ahead` of the tip.
    behind, ahead = 0.285 if parameters["tandem_rollers"] else 0.245, 0.1
    body = [_fork_section(x, half_width, tip_x) for x in (_HEEL_REAR_X_M, tip_x - behind)]
    beside_slot = [
        _half_section(tip_x - distance, half_width, slot_half_width, tip_x)
        for distance in (behind, _TIP_TAPER_LENGTH_M, ahead)
    ]
    nose_distances = (ahead, 0.075, 0.055, 0.042, 0.03, 0.02, 0.012, 0.006, 0.002, 0)
    nose = [_fork_section(tip_x - distance, half_width, tip_x) for distance in nose_distances]
    heel_end = box(
        (SHEET_THICKNESS_M, 2 * half_width - 0.004, FORK_DEPTH_M - 0.002),
        (_HEEL_REAR_X_M, 0, LOWERED_M - FORK_DEPTH_M / 2),
    )
    left_half = loft(np.array(beside_slot), TruckMaterial.FORK)
    entry_roller = cylinder(0.0175, 2 * half_width - 0.07, 16, TruckMaterial.TIRE)
    return [
        loft(np.array(body), TruckMaterial.FORK),
        left_half,
        left_half.mirrored(),
        replace(loft(np.array(nose), TruckMaterial.FORK), smooth=True),
        heel_end,
        entry_roller.moved((tip_x - 0.052, 0, LOWERED_M - 0.032)),
    ]


def _fork_profile(x: float, half_width: float, tip_x: float) -> tuple[float, float, float, float]:
    """Return half width, top, bottom and the sheet's underside of a fork at `x`."""
    to_tip = max(tip_x - x, 0.0)
    corner = 0.06
    half_width_here = half_width - corner + np.sqrt(corner**2 - max(corner - to_tip, 0) ** 2)
    top = LOWERED_M - 0.016 * max(1 - to_tip / 0.07, 0) ** 2
    bottom = LOWERED_M - FORK_DEPTH_M + 0.022 * max(1 - to_tip / _TIP_TAPER_LENGTH_M, 0)
    # The nose is solid: the hollow ends at the entry roller.
    hollow = np.clip((to_tip - 0.02) / 0.02, 0, 1)
    return half_width_here, top, bottom, bottom + 0.001 + hollow * (top - SHEET_THICKNESS_M - bottom - 0.001)


def _fork_section(x: float, half_width: float, tip_x: float) -> np.ndarray:
    """Return the section (N, 3) of a fork at `x`: an inverted U with round corners, counterclockwise in y-z."""
    half, top, bottom, roof = _fork_profile(x, half_width, tip_x)
    outer = round_corners([(half, bottom), (half, top), (-half, top), (-half, bottom)], 0.012, 3)
    inner_half = half - SHEET_THICKNESS_M
    hollow = [(-inner_half, bottom), (-inner_half, roof), (inner_half, roof), (inner_half, bottom)]
    outline = np.concatenate([outer, round_corners(hollow, 0.008, 3)])
    return np.insert(outline, 0, x, axis=1)


def _half_section(x: float, half_width: float, slot_half_width: float, tip_x: float) -> np.ndarray:
    """Return the section (N, 3) of the left half of a fork beside its roller slot."""
    half, top, bottom, roof = _fork_profile(x, half_width, tip_x)
    inner_half = half - SHEET_THICKNESS_M
    outer = round_corners([(half, bottom), (half, top), (slot_half_width, top)], 0.012, 3)
    inner = round_corners([(slot_half_width, roof), (inner_half, roof), (inner_half, bottom)], 0.008, 3)
    return np.insert(np.concatenate([outer, inner]), 0, x, axis=1)


def roller_hinge(tip_x: float, lift_m: float) -> np.ndarray:
    """Return the hinge (3,) of a load roller's leg on a fork at y = 0 whose tip is at `tip_x`."""
    return np.array([tip_x - ROLLER_FROM_TIP_M - LEG_LENGTH_M, 0.0, LOWERED_M - 0.04 + (lift_m - LOWERED_M)])


def roller_leg(hinge: np.ndarray, tandem: bool) -> list[Solid]:
    """Return a leg from its hinge on the fork down to one roller, or to a rocker with two, on the floor."""
    drop = hinge[2] - _ROLLER_RADIUS_M
    end = hinge + np.array([np.sqrt(LEG_LENGTH_M**2 - drop**2), 0, -drop])
    width = _roller_width(tandem)
    side = np.array([0, width / 2 + 0.005, 0])
    centers = [end + np.array([x, 0, 0]) for x in ((-0.043, 0.043) if tandem else (0.0,))]
    plates = [flat_bar(hinge + offset, end + offset, 0.006, 0.03, TruckMaterial.PUMP) for offset in (side, -side)]
    if tandem:
        plates += [
            flat_bar(centers[0] + offset, centers[1] + offset, 0.005, 0.026, TruckMaterial.PUMP)
            for offset in (0.9 * side, -0.9 * side)
        ]
    axles = [cylinder(0.01, width + 0.022, 12, TruckMaterial.PUMP).moved(point) for point in (hinge, *centers)]
    return plates + axles + [_roller(width).moved(center) for center in centers]


def _roller_width(tandem: bool) -> float:
    return 0.07 if tandem else 0.093


def _roller(width_m: float) -> Solid:
    """Return a load roller about the y axis with rounded shoulders."""
    half, radius = width_m / 2, _ROLLER_RADIUS_M
    right = [(0.009, -half), (radius - 0.006, -half), (radius - 0.001, 0.004 - half), (radius, 0.01 - half)]
    profile = right + [(ring_radius, -y) for ring_radius, y in reversed(right)]
    return revolve(np.array(profile), 24, TruckMaterial.TIRE)
