# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep meshes with their materials in memory while Blender opens other files."""

import tempfile
from pathlib import Path

import bpy


def pack(meshes: list[bpy.types.Mesh]) -> tuple[list[str], bytes]:
    """Return the names of meshes, and the bytes of a .blend file that holds them with their materials and images."""
    with tempfile.TemporaryDirectory(prefix="cariste-mesh-") as folder:
        path = Path(folder) / "meshes.blend"
        bpy.data.libraries.write(str(path), set(meshes), path_remap="ABSOLUTE", fake_user=True)
        return [mesh.name for mesh in meshes], path.read_bytes()


def unpack(names: list[str], content: bytes) -> list[bpy.types.Mesh]:
    """Return what `pack` stored, in the same order."""
    with tempfile.TemporaryDirectory(prefix="cariste-mesh-") as folder:
        path = Path(folder) / "meshes.blend"
        path.write_bytes(content)
        with bpy.data.libraries.load(str(path)) as (_, to_load):
            to_load.meshes = list(names)
    return to_load.meshes
