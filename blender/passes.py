# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cycles wrote into the multilayer EXR file: instance ids from Cryptomatte and the seconds it took.

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

INSTANCE_PREFIX = "instance_"


class PassError(Exception):
    """The passes of a picture do not say what they must."""


@dataclass(frozen=True)
class Passes:
    """`ids` (H, W) uint16 instance ids, 0 = nothing labelled; `sync_s` and `sample_s` seconds of Cycles."""

    ids: np.ndarray
    sync_s: float
    sample_s: float


def instance_name(instance_id: int) -> str:
    """Name of the parent of all objects of an instance; Cryptomatte's manifest lists it."""
    return f"{INSTANCE_PREFIX}{instance_id:05d}"


def enable() -> None:
    """Ask the scene's view layer for Cryptomatte asset and nothing else besides the picture."""
    layer = bpy.context.view_layer
    layer.use_pass_cryptomatte_asset = True
    layer.pass_cryptomatte_depth = 2  # one file layer holds two ranks; rank 0 is all we read


def read(path: Path, instance_ids: set[int]) -> Passes:
    """Read the passes of a picture.

    Args:
        path: multilayer EXR file that Blender wrote.
        instance_ids: the ids in the picture's record.

    Raises:
        PassError: no Cryptomatte in the file, an id that is not in its manifest, or one that the record does not have.
    """
    parts = OpenEXR.File(str(path), separate_channels=True).parts
    headers = {key: value for part in parts for key, value in part.header.items()}
    channels = {name: channel.pixels for part in parts for name, channel in part.channels.items()}
    hashes = _rank_0(channels)
    return Passes(
        ids=_instance_ids(hashes, _manifest(headers), instance_ids),
        sync_s=_seconds(headers, "synchronization_time"),
        sample_s=_seconds(headers, "render_time"),
    )


def _rank_0(channels: dict[str, np.ndarray]) -> np.ndarray:
    """Return the hash of the id with the largest coverage in each pixel, (H, W) uint32."""
    for name, pixels in channels.items():
        if name.lower().endswith("cryptoasset00.r"):
            if pixels.dtype != np.float32:
                raise PassError(f"Cryptomatte ids are {pixels.dtype}, not 32-bit floats: their bits are lost")
            return np.ascontiguousarray(pixels).view(np.uint32)
    raise PassError(f"no Cryptomatte asset pass among the channels {sorted(channels)}")


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
                raise PassError(f"instance {ids[i]} is in the picture and not in its record")
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
