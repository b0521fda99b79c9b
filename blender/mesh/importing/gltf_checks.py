# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's importer of glTF does not check: points at NaN, and textures that it cannot read."""

import logging
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np

# Formats of textures that Blender lacks, with what to do.
TEXTURE_EXTENSIONS = ("KHR_texture_basisu", "MSFT_texture_dds", "EXT_texture_avif", "EXT_texture_video")


def check_gltf(path: Path) -> str | None:
    """Return what is wrong with a .gltf or .glb file, None if nothing is or if the importer will say it."""
    from io_scene_gltf2.io.imp.gltf2_io_gltf import glTFImporter  # part of Blender; it exists only once bpy is loaded

    reader = glTFImporter(str(path), {"import_user_extensions": [], "loglevel": logging.CRITICAL})
    try:
        reader.read()
    except Exception:
        return None
    document = reader.data
    required = [name for name in document.extensions_required or [] if name not in reader.extensions_managed]
    if required:
        return f"needs {', '.join(required)}, which Blender cannot read: export it without"
    return _absolute_path_problem(document) or _texture_problem(document) or _position_problem(reader)


def _absolute_path_problem(document: Any) -> str | None:
    names = [entry.uri or "" for entry in [*(document.buffers or []), *(document.images or [])]]
    absolute = [name for name in names if name.startswith("/") and Path(urllib.parse.unquote(name)).exists()]
    return f"names {absolute[0]} by its absolute path: export it with relative paths" if absolute else None


def _texture_problem(document: Any) -> str | None:
    for texture in document.textures or []:
        unreadable = [name for name in TEXTURE_EXTENSIONS if name in (texture.extensions or {})]
        if unreadable and texture.source is None:
            return f"has textures of {unreadable[0]}, which Blender cannot read: export them as PNG or JPEG"
    return None


def _position_problem(reader: Any) -> str | None:
    from io_scene_gltf2.io.imp.gltf2_io_binary import BinaryData

    for number, mesh in enumerate(reader.data.meshes or []):
        for primitive in mesh.primitives or []:
            try:
                points = BinaryData.decode_accessor(reader, primitive.attributes["POSITION"])
            except Exception:  # compressed, or damaged: the importer knows
                continue
            if points is not None and not np.isfinite(points).all():
                return f"has points at infinity or NaN in mesh {mesh.name or number}: remove them where it was made"
    return None
