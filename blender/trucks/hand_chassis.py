# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a hand pallet truck that do not turn: forks and A-frame, modeled lowered, and the lifting linkage.

Truck frame, meters: x towards the fork tips, y to the left, origin on the floor under the tiller's pivot.
"""

import numpy as np

from blender.mesh.solids import (
    Solid,
    bevelled,
    box,
    cylinder,
    flat_bar,
    loft,
    plate,
    round_corners,
    tube,
    with_mirror_image,
)
from blender.trucks.hand_style import HandTruckStyle
from blender.trucks.truck_materials import TruckMaterial
from blender.trucks.truck_parts import (
    HEEL_X_M,
    LOWERED_M,
    SHEET_THICKNESS_M,
    pallet_fork,
    roller_hinge,
    roller_leg,
    upright_cylinder,
)

FRAME_TOP_WIDTH_M = 0.2
FRAME_TOP_X_M = 0.135  # x of the A-frame's front face at its top
LEDGE_REAR_X_M = -0.037
NARROW_LEDGE_X_M = 0.05  # behind this x, the ledge is narrow enough for the tiller to swing around it
ROCKER_SHAFT_X_Z_M = (0.19, 0.135)  # with lowered forks


def chassis_parts(parameters: dict, style: HandTruckStyle) -> list[Solid]:
    """Return all that lifting moves: forks, heel, A-frame, ram and labels, with the fork tops at `LOWERED_M`."""
    width, fork_width = parameters["width_m"], parameters["fork_width_m"]
    offset = (width - fork_width) / 2
    right = [part.moved((0, -offset, 0)) for part in pallet_fork(parameters)]
    right += [_heel_pin(width, style), *_leg_label(width, style)]
    gap = width - 2 * fork_width
    crossbar = box(
        (HEEL_X_M - 0.16, gap + 0.02, 0.046), ((HEEL_X_M + 0.16) / 2, 0, LOWERED_M - 0.026), TruckMaterial.PAINT
    )
    top = style.frame_top_m
    ram = upright_cylinder(0.018, top - 0.02 - 0.22).moved((0, 0, (top - 0.02 + 0.22) / 2))
    socket = upright_cylinder(0.034, 0.05, TruckMaterial.PAINT).moved((0, 0, top - 0.03))
    return [
        *with_mirror_image(right),
        bevelled(crossbar, 0.004),
        _a_frame(width, style),
        ram,
        socket,
        *_front_label(style),
    ]


def _a_frame(width_m: float, style: HandTruckStyle) -> Solid:
    """Return the A-frame: a bent sheet, open to the rear, that leans back from the heel and ends as a ledge on the ram.

    The loft runs up the frame: `outer` (N, 2) is the x-z path of its front face, `inner` that of its rear edges.
    """
    top = style.frame_top_m
    outer = round_corners([(HEEL_X_M, LOWERED_M - 0.002), (FRAME_TOP_X_M, top), (LEDGE_REAR_X_M, top)], 0.045, 4)
    inner = round_corners([(0.145, LOWERED_M - 0.002), (0.068, top - 0.085), (LEDGE_REAR_X_M, top - 0.045)], 0.02, 4)
    outer = np.insert(outer, -1, (NARROW_LEDGE_X_M, top), axis=0)
    inner = np.insert(inner, -1, (NARROW_LEDGE_X_M, top - 0.07), axis=0)
    lips = np.interp(outer[:, 0], [LEDGE_REAR_X_M, 0.1, 0.14], [0.012, 0.02, 0.035])
    sections = []
    for (x, z), (inner_x, inner_z), lip in zip(outer, inner, lips, strict=True):
        depth = np.hypot(inner_x - x, inner_z - z)
        half = _frame_half_width(width_m, x, z, style)
        # The sides of the ledge are vertical, so that the tiller can pass. The sides of the legs spread to the forks.
        spread = np.interp(x, [0.05, 0.13], [0, 0.03])
        inner_half = min(_frame_half_width(width_m, inner_x, inner_z, style), half + spread)
        outline = _lipped_channel(half, depth, lip)
        share = outline[:, 0] / depth
        y = outline[:, 1] + np.sign(outline[:, 1]) * (inner_half - half) * share
        sections.append(np.c_[x + (inner_x - x) * share, y, z + (inner_z - z) * share])
    return loft(np.array(sections), TruckMaterial.PAINT)


def _frame_half_width(width_m: float, x: float, z: float, style: HandTruckStyle) -> float:
    """Return half the width of the A-frame at a point of its side.

    It narrows from the outer sides of the forks to `FRAME_TOP_WIDTH_M` at the top, and to the rear along the ledge.
    """
    ledge = np.interp(x, [NARROW_LEDGE_X_M, 0.115], [0.052, FRAME_TOP_WIDTH_M / 2])
    leg = np.interp(z, [LOWERED_M, style.frame_top_m], [width_m / 2 - 0.004, FRAME_TOP_WIDTH_M / 2])
    return float(min(leg, ledge) if z > style.frame_top_m - 0.04 else leg)


def _lipped_channel(half: float, depth: float, lip: float) -> np.ndarray:
    """Return the outline (N, 2) of a C-section: depth behind its web, and y.

    At full depth, a lip on each side closes the section partly.
    """
    inside, rear = half - SHEET_THICKNESS_M, depth - SHEET_THICKNESS_M
    left = [(0, half), (depth, half), (depth, half - lip), (rear, half - lip), (rear, inside)]
    left.append((SHEET_THICKNESS_M, inside))
    right = [(d, -y) for d, y in reversed(left)]
    return round_corners([*left, *right], 0.008, 2, closed=True)


def _heel_pin(width_m: float, style: HandTruckStyle) -> Solid:
    """Return the right end of the rocker's shaft: a disc at the foot of the A-frame."""
    x, z = ROCKER_SHAFT_X_Z_M
    y = _frame_half_width(width_m, 0.2, z, style)
    return cylinder(0.016, 0.05, 16, TruckMaterial.PUMP).moved((x, -y + 0.018, z))


def _leg_label(width_m: float, style: HandTruckStyle) -> list[Solid]:
    """Return the maker's label along the right leg of the A-frame, with bars in place of print."""
    top = style.frame_top_m

    def corner(share: float, z: float) -> tuple[float, float, float]:
        """Return the point at height `z`, at a share of the leg's depth from its rear edge (0) to its front (1)."""
        front = np.interp(z, [LOWERED_M, top], [HEEL_X_M, FRAME_TOP_X_M])
        rear = np.interp(z, [LOWERED_M, top - 0.085], [0.145, 0.068])
        return rear + (front - rear) * share, -_frame_half_width(width_m, 0.2, z, style), z

    def patch(rear: float, front: float, low: float, high: float, thickness_m: float, slot: TruckMaterial) -> Solid:
        corners = [corner(rear, low), corner(front, low), corner(front, high), corner(rear, high)]
        return plate(corners, thickness_m, slot)

    low, high = 0.16, top - 0.11
    # Bars by their extent along the depth and along the height of the label, in shares.
    if style.lettered_leg:
        bars = [(0.3, 0.72, start, start + 0.08) for start in np.linspace(0.08, 0.82, 7)]
    else:
        bars = [(0.28, 0.74, 0.08, 0.3), (0.34, 0.68, 0.42, 0.9)]
    extents = [(rear, front, *(low + (high - low) * np.array(heights))) for rear, front, *heights in bars]
    return [
        patch(0.2, 0.82, low, high, 0.001, TruckMaterial.LABEL),
        *(patch(*extent, 0.0016, TruckMaterial.INK) for extent in extents),
    ]


def _front_label(style: HandTruckStyle) -> list[Solid]:
    """Return the load plate on the front of the A-frame."""
    top = style.frame_top_m

    def patch(half_y: float, low: float, high: float, thickness_m: float, slot: TruckMaterial) -> Solid:
        x_low, x_high = np.interp([low, high], [LOWERED_M, top], [HEEL_X_M, FRAME_TOP_X_M])
        corners = [(x_low, -half_y, low), (x_low, half_y, low), (x_high, half_y, high), (x_high, -half_y, high)]
        return plate(corners, thickness_m, slot)

    return [patch(0.085, 0.22, 0.32, 0.001, TruckMaterial.LABEL), patch(0.07, 0.235, 0.265, 0.0016, TruckMaterial.INK)]


def linkage_parts(parameters: dict, style: HandTruckStyle) -> list[Solid]:
    """Return rocker arms, push rods and the legs with the load rollers, which stay on the floor at any lift."""
    raised = parameters["lift_m"] - LOWERED_M
    offset = (parameters["width_m"] - parameters["fork_width_m"]) / 2
    hinge = roller_hinge(HEEL_X_M + parameters["fork_length_m"], parameters["lift_m"])
    shaft_x, shaft_z = ROCKER_SHAFT_X_Z_M[0], ROCKER_SHAFT_X_Z_M[1] + raised
    slot = TruckMaterial.PAINT if style.painted_rocker else TruckMaterial.PUMP
    arm = flat_bar((0.035, -0.05, 0.212), (shaft_x, -offset, shaft_z), 0.014, 0.045, slot)
    crank = plate(_crank_outline(), 0.012, slot).moved((shaft_x, -offset + 0.006, shaft_z))
    rod = tube([(0.2, -offset, 0.052 + raised), hinge - np.array([0, offset, 0])], 0.007, 10, TruckMaterial.PUMP)
    legs = [part.moved((0, -offset, 0)) for part in roller_leg(hinge, parameters["tandem_rollers"])]
    shaft = cylinder(0.013, 2 * offset, 14, TruckMaterial.PUMP).moved((shaft_x, 0, shaft_z))
    return [*with_mirror_image([bevelled(arm, 0.003), crank, rod, *legs]), shaft]


def _crank_outline() -> np.ndarray:
    """Return the outline (N, 3) of the bell crank, which hangs from its shaft at the origin down to the push rod."""
    x_z = np.array([(-0.02, 0.015), (-0.01, -0.095), (0.03, -0.095), (0.02, 0.015)])
    return np.insert(round_corners(x_z, 0.01, 2, closed=True), 1, 0, axis=1)
