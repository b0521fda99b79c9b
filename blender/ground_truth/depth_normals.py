# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth and normals of an image as files, in the axes of the record's camera (OpenCV: x right, y down, z forward).

Both are of surfaces, not of pixels' averages: Cycles gives a pixel the depth of its first sample, and normals with
bumps of the material.
"""

from pathlib import Path

import numpy as np
import OpenEXR

from blender.camera.camera import CLIP_END_M
from blender.common import png

MILLIMETRES_MAX = 65535


def write_depth(path: Path, depth_m: np.ndarray) -> None:
    """Write depth along the optical axis, (H, W) float32 m, in the format of the file's name.

    PNG: uint16 whole millimetres, 0 = nothing or beyond 65.535 m. EXR: one float32 channel Z, metres, 0 = nothing.
    """
    found_m = np.where(depth_m < CLIP_END_M, depth_m, np.float32(0))
    if path.suffix == ".exr":
        _write_exr(path, {"Z": found_m})
        return
    millimetres = np.rint(found_m * 1000.0)
    png.write_uint16(path, np.where(millimetres <= MILLIMETRES_MAX, millimetres, 0).astype(np.uint16))


def write_normals(path: Path, normals: np.ndarray, rotation: list[list[float]]) -> None:
    """Write normals (H, W, 3), given in world axes, as unit vectors in camera axes, as the file's name says.

    EXR: float32 X, Y, Z; nothing = 0, 0, 0. PNG: 16-bit RGB, (n + 1) / 2 * 65535. `rotation` is camera-to-world.
    """
    seen = normals.astype(float) @ np.array(rotation)
    length = np.linalg.norm(seen, axis=2, keepdims=True)
    unit = np.divide(seen, length, out=np.zeros_like(seen), where=length > 0)
    if path.suffix == ".exr":
        _write_exr(path, {axis: unit[:, :, k].astype(np.float32) for k, axis in enumerate("XYZ")})
        return
    png.write_uint16(path, np.rint((unit + 1) / 2 * 65535).astype(np.uint16))


def _write_exr(path: Path, channels: dict[str, np.ndarray]) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name: np.ascontiguousarray(pixels) for name, pixels in channels.items()}).write(str(path))
