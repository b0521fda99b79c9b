# SPDX-License-Identifier: GPL-3.0-or-later
"""Write PNG files whose values must not pass through Blender's color management, and remove dates from others."""

import struct
import zlib
from pathlib import Path

import numpy as np

METADATA_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")


def write_uint16(path: Path, pixels: np.ndarray) -> None:
    """Write an array of uint16 as a 16-bit PNG (RFC 2083): (H, W) gray or (H, W, 3) RGB.

    Raises:
        ValueError: another shape or dtype.
    """
    _write(path, pixels, np.dtype(np.uint16))


def write_uint8(path: Path, pixels: np.ndarray) -> None:
    """Write an array of uint8 as an 8-bit PNG: (H, W) gray or (H, W, 3) RGB.

    Raises:
        ValueError: another shape or dtype.
    """
    _write(path, pixels, np.dtype(np.uint8))


def _write(path: Path, pixels: np.ndarray, dtype: np.dtype) -> None:
    color_type = {(): 0, (3,): 2}.get(pixels.shape[2:])
    if pixels.ndim < 2 or color_type is None or pixels.dtype != dtype:
        raise ValueError(f"expected an (H, W) or (H, W, 3) array of {dtype}, got {pixels.shape} of {pixels.dtype}")
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels.astype(dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    unfiltered = np.c_[np.zeros(height, np.uint8), rows].tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8 * dtype.itemsize, color_type, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(unfiltered, 6)), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks))


def strip_metadata(path: Path) -> None:
    """Remove all text and times from a PNG file, so that the same record gives the same bytes.

    Raises:
        ValueError: the file is incomplete, probably because the disk is full.
    """
    data = path.read_bytes()
    if data[-8:-4] != b"IEND":
        raise ValueError(f"{path.name} is cut short: is the disk full?")
    kept_chunks, offset = [data[:8]], 8
    while offset < len(data):
        end = offset + 12 + struct.unpack(">I", data[offset : offset + 4])[0]
        if data[offset + 4 : offset + 8] not in METADATA_CHUNKS:
            kept_chunks.append(data[offset:end])
        offset = end
    path.write_bytes(b"".join(kept_chunks))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
