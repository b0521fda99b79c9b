# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the multilayer EXR file that Cycles writes: instance ids from Cryptomatte, depth, normals, render times.

The pass Cryptomatte Asset groups objects by their topmost parent and takes anti-aliasing, transparency and blur into
account. Rank 0 of a pixel is the id with the largest coverage. An id is a float whose bits are the hash of the
parent's name; the manifest in the header lists all names with their hashes.
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
    """The passes of an image are incomplete or disagree with the record."""


@dataclass(frozen=True)
class RenderPasses:
    """The passes of one image, and the seconds that Cycles took.

    Attributes:
        ids: (H, W) uint16 instance ids; 0 where no labeled object is.
        coverage: (H, W) float32, the share of the pixel that the object with this id covers.
        depth_m: (H, W) float32 along the optical axis, or None if the record asks for no depth.
        normals: (H, W, 3) float32 in world axes, or None if the record asks for no normals.
        color: (H, W, 3) float32, the image in linear Rec. 709.
        sync_s: seconds that Cycles took to copy the scene.
        path_trace_s: seconds that Cycles took to trace paths.
    """

    ids: np.ndarray
    coverage: np.ndarray
    depth_m: np.ndarray | None
    normals: np.ndarray | None
    color: np.ndarray
    sync_s: float
    path_trace_s: float


def instance_object_name(instance_id: int) -> str:
    """Return the name of the parent of all parts of an instance, as Cryptomatte's manifest lists it."""
    return f"{INSTANCE_PREFIX}{instance_id:05d}"


def enable_passes(depth: bool, normals: bool) -> None:
    """Enable Cryptomatte Asset, and depth and normals if asked for, in the scene's view layer."""
    layer = bpy.context.view_layer
    layer.use_pass_z, layer.use_pass_normal = depth, normals
    layer.use_pass_cryptomatte_asset = True
    layer.pass_cryptomatte_depth = 2  # two ranks in one layer; only rank 0 is read


def read_passes(path: Path, instance_ids: set[int]) -> RenderPasses:
    """Read the passes of an image.

    Args:
        path: multilayer EXR file that Blender wrote.
        instance_ids: the ids in the image's record.

    Raises:
        PassError: the file is incomplete (a full disk), a pass is missing or not in 32 bits, an id is not in the
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
    present_passes = {name.rpartition(".")[0].rpartition(".")[2] for name in channels}
    return RenderPasses(
        ids=_instance_ids(hashes, _manifest(headers), instance_ids),
        coverage=_float32(channels, "CryptoAsset00.g"),
        depth_m=_float32(channels, "Depth.Z") if "Depth" in present_passes else None,
        normals=np.stack([_float32(channels, f"Normal.{axis}") for axis in "XYZ"], -1)
        if "Normal" in present_passes
        else None,
        color=np.stack([_float32(channels, f"Combined.{channel}") for channel in "RGB"], -1),
        sync_s=_seconds(headers, "synchronization_time"),
        path_trace_s=_seconds(headers, "render_time"),
    )


def _float32(channels: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Return the channel `name` of the view layer, (H, W) float32."""
    for full_name, pixels in channels.items():
        if full_name.endswith(f".{name}"):
            if pixels.dtype != np.float32:
                raise PassError(f"pass {name} is {pixels.dtype} instead of float32: bits of the ids are lost")
            return pixels
    raise PassError(f"no {name} among the channels {sorted(channels)}")


def _manifest(headers: dict) -> dict[int, str]:
    """Return {hash: name} of all topmost parents in the scene."""
    for key, value in headers.items():
        if key.startswith("cryptomatte/") and key.endswith("/manifest"):
            return {_pixel_hash(int(code, 16)): name for name, code in json.loads(value).items()}
    raise PassError("the EXR file has no Cryptomatte manifest")


def _pixel_hash(code: int) -> int:
    """Return a hash of the manifest as pixels hold it.

    Bit 23 is flipped if the float would be denormal, infinite or NaN. This concerns one name in 128 (Cryptomatte
    Specification, "hash to float").
    """
    exponent = code >> 23 & 0xFF
    return code ^ 1 << 23 if exponent in (0, 0xFF) else code


def _instance_ids(hashes: np.ndarray, manifest: dict[int, str], expected: set[int]) -> np.ndarray:
    """Return the instance ids (H, W) uint16 of the hashes (H, W)."""
    unique_hashes, inverse = np.unique(hashes, return_inverse=True)
    ids = np.zeros(len(unique_hashes), np.uint16)
    for i, code in enumerate(unique_hashes.tolist()):
        if code == 0:
            continue
        if code not in manifest:
            raise PassError(f"Cryptomatte id {code:08x} in {np.sum(inverse == i)} pixels is not in the manifest")
        name = manifest[code]
        if name.startswith(INSTANCE_PREFIX):
            ids[i] = int(name.removeprefix(INSTANCE_PREFIX))
            if ids[i] not in expected:
                raise PassError(f"instance {ids[i]} is in the image and not in its record")
    return ids[inverse].reshape(hashes.shape)


def _seconds(headers: dict, name: str) -> float:
    """Return a time of Cycles in seconds; the header holds `cycles.<view layer>.<name>` = [hh:]mm:ss.cc."""
    for key, value in headers.items():
        if key.startswith("cycles.") and key.endswith(f".{name}"):
            total = 0.0
            for field in value.split(":"):
                total = total * 60 + float(field)
            return total
    raise PassError(f"the header of the EXR file has no {name} of Cycles")
