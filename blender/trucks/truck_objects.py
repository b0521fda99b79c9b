# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks and mesh sharing that the builders of hand and electric pallet trucks have in common."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import bpy

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh

LIFT_RANGE_M = (0.08, 0.22)


def check_lift(lift_m: float, truck: str) -> None:
    """Refuse a height of the fork tops at which the load rollers cannot stand on the floor.

    Raises:
        ValueError: `lift_m` is out of `LIFT_RANGE_M`; `truck` is the subject of the message, for example
            "a hand pallet truck".
    """
    low, high = LIFT_RANGE_M
    if not low <= lift_m <= high:
        raise ValueError(f"lift_m of {truck} is {lift_m}: choose {low} to {high}")


@dataclass(frozen=True)
class TruckObjects:
    """Makes the objects of one truck; parts that look the same share a mesh in `cache`.

    `appearance` is the part of a mesh's key that is the same for the whole truck; `materials` returns its materials.
    """

    truck: str
    appearance: Hashable
    materials: Callable[[], list[bpy.types.Material]]
    cache: AssetCache

    def make(self, part: str, solids: Callable[[], list[Solid]], *shape: Hashable) -> bpy.types.Object:
        """Return a new object of the solids; `shape` holds all values, apart from `appearance`, that they depend on."""
        name = f"{self.truck} {part}"
        key = (name, self.appearance, *shape)
        mesh = self.cache.mesh(key, lambda: solids_to_mesh(name, solids(), self.materials()))
        return bpy.data.objects.new(name, mesh)


def appearance_key(style: Hashable, parameters: dict) -> Hashable:
    """Return what the surfaces of a truck depend on, as a key; `parameters` is the JSON dict of a truck."""
    return style, tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"]), parameters["wear"]
