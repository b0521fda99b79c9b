# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cycles wrote into the multilayer EXR file: instance ids from Cryptomatte, depth, normals, the seconds it took.

Cryptomatte *asset* groups by the top-most parent, with anti-aliasing, transparency and blur right. Rank 0 of a pixel
is the id with the largest coverage: a float whose bits are the hash of the parent's name, listed in the manifest.
Source: Psyop, Cryptomatte Specification 1.2.0.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

from blender.common.errors import CaristeError

INSTANCE_PREFIX = "instance_"


class PassError(CaristeError):
    """The passes of an image do not say what they must."""


@dataclass(frozen=True)
class RenderPasses:
    """`ids` (H, W) uint16 instance ids, 0 = nothing labelled; `sync_s` and `sample_s` seconds of Cycles.

    `coverage` (H, W) float32 of that id's (or the unlabelled thing's) share of the pixel. `depth_m` (H, W) float32 and
    `normals` (H, W, 3) float32 in world axes as Cycles gives them; None if they were not asked for. `color` (H, W, 3)
    float32 is the image, linear Rec. 709.
    """

    ids: np.ndarray
    coverage: np.ndarray
    depth_m: np.ndarray | None
    normals: np.ndarray | None
    color: np.ndarray
    sync_s: float
    sample_s: float


def instance_object_name(instance_id: int) -> str:
    """Name of the parent of all objects of an instance; Cryptomatte's manifest lists it."""
    return f"{INSTANCE_PREFIX}{instance_id:05d}"


def enable_passes(depth: bool, normals: bool) -> None:
    """Ask the scene's view layer for Cryptomatte asset, and for depth and normals if wanted, besides the image."""
    layer = bpy.context.view_layer
    layer.use_pass_z, layer.use_pass_normal = depth, normals
    layer.use_pass_cryptomatte_asset = True
    layer.pass_cryptomatte_depth = 2  # one file layer holds two ranks; rank 0 is all we read


def read_passes(path: Path, instance_ids: set[int]) -> RenderPasses:
    """Read the passes of an image.

    Args:
        path: multilayer EXR file that Blender wrote.
        instance_ids: the ids in the image's record.

    Raises:
        PassError: the file is cut short (a full disk), a pass is missing or not in 32 bits, an id is not in the
            manifest or not in the record.
    """
    try:
        parts = OpenEXR.File(str(path), separate_channels=True).parts
    except (RuntimeError, ValueError, OSError) as error:
        raise PassError(f"{path.name} cannot be read ({error}): is the disk full?") from error
    headers = {key: value for part in parts for key, value in part.header.items()}
    channels = {name: channel.pixels for part in parts for name, channel in part.channels.items()}
    if not channels:
        raise PassError(f"{path.name} is cut short: is the disk full?")
    hashes = np.ascontiguousarray(_float32(channels, "CryptoAsset00.r")).view(np.uint32)
    asked_for = {name.rpartition(".")[0].rpartition(".")[2] for name in channels}
    return RenderPasses(
        ids=_instance_ids(hashes, _manifest(headers), instance_ids),
        coverage=_float32(channels, "CryptoAsset00.g"),
        depth_m=_float32(channels, "Depth.Z") if "Depth" in asked_for else None,
        normals=np.stack([_float32(channels, f"Normal.{axis}") for axis in "XYZ"], -1)
        if "Normal" in asked_for
        else None,
        color=np.stack([_float32(channels, f"Combined.{channel}") for channel in "RGB"], -1),
        sync_s=_seconds(headers, "synchronization_time"),
        sample_s=_seconds(headers, "render_time"),
    )


def _float32(channels: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Return the channel (H, W) float32 of the view layer that is called `name`."""
    for full_name, pixels in channels.items():
        if full_name.endswith(f".{name}"):
            if pixels.dtype != np.float32:
                raise PassError(f"{name} is {pixels.dtype}, not 32-bit floats: bits are lost")
            return pixels
    raise PassError(f"no {name} among the channels {sorted(channels)}")


def _manifest(headers: dict) -> dict[int, str]:
    """Return hash -> name of every top-most parent in the scene."""
    for key, value in headers.items():
        if key.startswith("cryptomatte/") and key.endswith("/manifest"):
            return {_as_float_bits(int(code, 16)): name for name, code in json.loads(value).items()}
    raise PassError("the EXR file has no Cryptomatte manifest")


def _as_float_bits(code: int) -> int:
    """Return a hash as pixels hold it: one that would be a denormal, infinite or no number has bit 23 flipped.

    One name in 128 has such a hash; the manifest lists it unflipped (Cryptomatte Specification, "hash to float").
    """
    exponent = code >> 23 & 0xFF
    return code ^ 1 << 23 if exponent in (0, 0xFF) else code


def _instance_ids(hashes: np.ndarray, manifest: dict[int, str], expected: set[int]) -> np.ndarray:
    found, place = np.unique(hashes, return_inverse=True)
    ids = np.zeros(len(found), np.uint16)
    for i, code in enumerate(found.tolist()):
        if code == 0:
            continue
        if code not in manifest:
            raise PassError(f"Cryptomatte id {code:08x} in {np.sum(place == i)} pixels is not in the manifest")
        name = manifest[code]
        if name.startswith(INSTANCE_PREFIX):
            ids[i] = int(name.removeprefix(INSTANCE_PREFIX))
            if ids[i] not in expected:
                raise PassError(f"instance {ids[i]} is in the image and not in its record")
    return ids[place].reshape(hashes.shape)


def _seconds(headers: dict, name: str) -> float:
    """Read one of Cycles' own times, written as `cycles.<view layer>.<name>` = [hh:]mm:ss.cc."""
    for key, value in headers.items():
        if key.startswith("cycles.") and key.endswith(f".{name}"):
            total = 0.0
            for field in value.split(":"):
                total = total * 60 + float(field)
            return total
    raise PassError(f"the EXR file does not say Cycles' {name}")
