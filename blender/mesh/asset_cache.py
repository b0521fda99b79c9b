# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes and materials that the objects of one image share: sixty equal pallets are one mesh with sixty users."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import bpy


@dataclass
class AssetCache:
    """Meshes and materials of one image by key; a key holds everything that its content depends on."""

    meshes: dict[Hashable, bpy.types.Mesh] = field(default_factory=dict)
    materials: dict[Hashable, bpy.types.Material] = field(default_factory=dict)
    custom_mesh_files: dict[Hashable, list[bpy.types.Mesh]] = field(default_factory=dict)

    def mesh(self, key: Hashable, make: Callable[[], bpy.types.Mesh]) -> bpy.types.Mesh:
        """Return the mesh with this key; call `make` if it is new."""
        if key not in self.meshes:
            self.meshes[key] = make()
        return self.meshes[key]

    def material(self, key: Hashable, make: Callable[[], bpy.types.Material]) -> bpy.types.Material:
        """Return the material with this key; call `make` if it is new."""
        if key not in self.materials:
            self.materials[key] = make()
        return self.materials[key]

    def custom_meshes(self, key: Hashable, make: Callable[[], list[bpy.types.Mesh]]) -> list[bpy.types.Mesh]:
        """Return the meshes of one file; call `make` if they are new."""
        if key not in self.custom_mesh_files:
            self.custom_mesh_files[key] = make()
        return self.custom_mesh_files[key]
