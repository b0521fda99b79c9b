# SPDX-License-Identifier: GPL-3.0-or-later
"""What the objects of one image share: a pallet that stands there sixty times is one mesh with sixty users."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import bpy


@dataclass
class AssetCache:
    """Meshes and materials of one image by key; a key names everything that its maker depends on."""

    meshes: dict[Hashable, bpy.types.Mesh] = field(default_factory=dict)
    materials: dict[Hashable, bpy.types.Material] = field(default_factory=dict)
    files: dict[Hashable, list[bpy.types.Mesh]] = field(default_factory=dict)

    def mesh(self, key: Hashable, make: Callable[[], bpy.types.Mesh]) -> bpy.types.Mesh:
        if key not in self.meshes:
            self.meshes[key] = make()
        return self.meshes[key]

    def material(self, key: Hashable, make: Callable[[], bpy.types.Material]) -> bpy.types.Material:
        if key not in self.materials:
            self.materials[key] = make()
        return self.materials[key]

    def imported(self, key: Hashable, make: Callable[[], list[bpy.types.Mesh]]) -> list[bpy.types.Mesh]:
        """Return the meshes of one file."""
        if key not in self.files:
            self.files[key] = make()
        return self.files[key]
