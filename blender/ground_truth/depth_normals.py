# SPDX-License-Identifier: GPL-3.0-or-later
"""Write depth and normals of an image, in the axes of the record's camera (OpenCV: x right, y down, z forward).

The depth of a pixel is that of its first sample, not an average over the pixel. Normals include the bumps of materials.
"""

from pathlib import Path

import numpy as np
import OpenEXR

from blender.camera.camera import CLIP_END_M
from blender.common import png

MAX_MILLIMETERS = 65535


def write_depth(path: Path, depth_m: np.ndarray) -> None:
    """Write depth along the optical axis, given as (H, W) float32 in meters.

    The suffix of `path` decides on the format. PNG: uint16 millimeters; 0 means no surface, or beyond 65.535 m.
    EXR: a float32 channel Z in meters; 0 means no surface.
    """
    surface_depth_m = np.where(depth_m < CLIP_END_M, depth_m, np.float32(0))
    if path.suffix == ".exr":
        _write_exr(path, {"Z": surface_depth_m})
        return
    millimeters = np.rint(surface_depth_m * 1000.0)
    png.write_uint16(path, np.where(millimeters <= MAX_MILLIMETERS, millimeters, 0).astype(np.uint16))


def write_normals(path: Path, normals: np.ndarray, rotation: list[list[float]]) -> None:
    """Write normals, given as (H, W, 3) in world axes, as unit vectors in camera axes.

    The suffix of `path` decides on the format. EXR: float32 channels X, Y and Z. PNG: 16-bit RGB, (n + 1) / 2 * 65535.
    Where no surface is, the normal is 0, 0, 0. `rotation` is the camera-to-world matrix.
    """
    camera_normals = normals.astype(float) @ np.array(rotation)
    length = np.linalg.norm(camera_normals, axis=2, keepdims=True)
    unit = np.divide(camera_normals, length, out=np.zeros_like(camera_normals), where=length > 0)
    if path.suffix == ".exr":
        _write_exr(path, {axis: unit[:, :, k].astype(np.float32) for k, axis in enumerate("XYZ")})
        return
    png.write_uint16(path, np.rint((unit + 1) / 2 * 65535).astype(np.uint16))


def _write_exr(path: Path, channels: dict[str, np.ndarray]) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name: np.ascontiguousarray(pixels) for name, pixels in channels.items()}).write(str(path))
