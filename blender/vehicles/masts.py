# SPDX-License-Identifier: GPL-3.0-or-later
"""Masts of lift trucks: nested channels with cylinders and chains, the carriage with its backrest, forks."""

from dataclasses import dataclass

import numpy as np

from blender.mesh.shapes import Limits, box_between, lathe, rod
from blender.mesh.solids import Solid, box, loft, prism, with_mirror_image
from blender.vehicles.vehicle_object import VehicleMaterial


@dataclass(frozen=True)
class Mast:
    """A lowered mast: its limits along x, half of its width, and the heights of its foot and its top, in meters."""

    x_m: Limits
    half_width_m: float
    z_m: Limits
    slot: int = VehicleMaterial.MAST

    def solids(self) -> list[Solid]:
        """Return two channels on each side, cross members, two lift cylinders and chains; 350 triangles."""
        rear, front = self.x_m
        low, top = self.z_m
        depth = front - rear
        outer = mast_channel((rear, front - 0.1 * depth), self.half_width_m, 0.06, (low, top - 0.02), self.slot)
        inner = mast_channel((rear + 0.2 * depth, front), self.half_width_m - 0.065, 0.05, (low + 0.04, top), self.slot)
        y = self.half_width_m - 0.15
        lifting = [
            lathe([(0.034, low + 0.05), (0.034, low + 0.62 * (top - low))], VehicleMaterial.DARK, 10),
            lathe([(0.022, low + 0.62 * (top - low)), (0.022, top - 0.06)], VehicleMaterial.CHROME, 10),
        ]
        chain = box((0.016, 0.035, 0.8 * (top - low)), (0, 0, low + 0.55 * (top - low)), VehicleMaterial.DARK)
        sides = [outer, inner, chain.moved((front - 0.03, y - 0.06, 0))]
        sides += [part.moved((rear + 0.045, y, 0)) for part in lifting]
        return with_mirror_image(sides) + self._cross_members()

    def _cross_members(self) -> list[Solid]:
        """Return three cross members of the outer channels behind, and one of the inner channels at the top."""
        rear, front = self.x_m
        low, top = self.z_m
        behind, within = (rear, rear + 0.03), (rear + 0.3 * (front - rear), front - 0.01)
        heights = [low + share * (top - low) for share in (0.04, 0.45, 0.9)]
        outer = [
            box_between(behind, (-self.half_width_m, self.half_width_m), (z, z + 0.07), self.slot) for z in heights
        ]
        inner_half = self.half_width_m - 0.07
        return [*outer, box_between(within, (-inner_half, inner_half), (top - 0.09, top - 0.005), self.slot)]


def mast_channel(x_m: Limits, half_width_m: float, width_m: float, z_m: Limits, slot: int) -> Solid:
    """Return the left channel: a C-section that opens towards the middle, its back at y = `half_width_m`."""
    (rear, front), web = x_m, 0.014
    inside = half_width_m - width_m
    outline = [(rear, inside), (front, inside), (front, half_width_m), (rear, half_width_m)]
    if front - rear > 4 * web:
        outline = [
            *[(rear, half_width_m), (rear, inside), (rear + web, inside), (rear + web, half_width_m - web)],
            *[(front - web, half_width_m - web), (front - web, inside), (front, inside), (front, half_width_m)],
        ]
    return loft(np.array([np.insert(np.array(outline), 2, z, axis=1) for z in z_m]), slot)


def mast_fork(x_m: Limits, y: float, lift_m: float, width_m: float = 0.1, shank_m: float = 0.5) -> Solid:
    """Return an L-shaped fork: its rear and its tip at `x_m`, its lower side at `lift_m`."""
    rear, tip = x_m
    thick = 0.04
    outline = [
        *[(rear, lift_m), (tip - 0.45, lift_m), (tip, lift_m + 0.025), (tip, lift_m + 0.035)],
        *[(tip - 0.03, lift_m + thick), (rear + thick + 0.02, lift_m + thick), (rear + thick, lift_m + thick + 0.02)],
        *[(rear + thick, lift_m + shank_m), (rear, lift_m + shank_m)],
    ]
    return prism(np.array(outline), width_m, VehicleMaterial.FORK).moved((0, y, 0))


def fork_carriage(
    x_m: Limits, half_width_m: float, lift_m: float, backrest_m: float, slot: int = VehicleMaterial.MAST
) -> list[Solid]:
    """Return two plates that hold the forks and, if `backrest_m` is above 0, a backrest of bars up to this height."""
    rear, front = x_m
    plates = [
        box_between((front - 0.035, front), (-half_width_m, half_width_m), (lift_m + z, lift_m + z + 0.09), slot)
        for z in (0.06, 0.4)
    ]
    hangers = with_mirror_image([box_between((rear, front - 0.03), (0.14, 0.18), (lift_m + 0.06, lift_m + 0.49), slot)])
    if backrest_m <= 0:
        return plates + hangers
    low, high, x = lift_m + 0.45, backrest_m - 0.016, front - 0.02
    frame = with_mirror_image([rod((x, half_width_m - 0.016, low), (x, half_width_m - 0.016, backrest_m), 0.016, slot)])
    top = rod((x, -half_width_m + 0.016, high), (x, half_width_m - 0.016, high), 0.016, slot)
    places = np.linspace(-half_width_m, half_width_m, 8)[1:-1]
    bars = [box_between((x - 0.006, x + 0.006), (y - 0.012, y + 0.012), (low, high), slot) for y in places]
    return plates + hangers + frame + [top] + bars
