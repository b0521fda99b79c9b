# SPDX-License-Identifier: Apache-2.0
"""PNG, TIFF and BMP files of kinds that Pillow reads but does not write."""

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

TIFF_CODES = {int: "L", float: "f"}


def pack_bits(values: np.ndarray, bits: int) -> bytes:
    """Return whole numbers (height, samples) as big-endian samples of `bits` bits; each row fills whole bytes."""
    places = np.arange(bits - 1, -1, -1)
    rows = (values.astype(np.int64)[:, :, None] >> places) & 1
    return np.packbits(rows.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()


def png(
    values: np.ndarray, bits: int, color_type: int, chunks: Sequence[tuple[bytes, bytes]] = (), samples: int = 1
) -> bytes:
    """Return a PNG file of values (height, width * samples); `chunks` stand before the pixels."""
    height, width = values.shape[0], values.shape[1] // samples
    data = pack_bits(values, bits)
    row_bytes = len(data) // height
    rows = b"".join(b"\0" + data[row * row_bytes : (row + 1) * row_bytes] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def tiff(data: bytes, width: int, height: int, tags: Mapping[int, int | Sequence[int]], order: str = "<") -> bytes:
    """Return an uncompressed TIFF file of one strip. `tags`: whole numbers by tag, over the defaults of 8-bit gray."""
    entries: dict[int, int | Sequence[int]] = {
        256: width, 257: height, 258: 8, 259: 1, 262: 1,
        273: 0, 277: 1, 278: height, 279: len(data),
        **tags,
    }
    after = 8 + 2 + 12 * len(entries) + 4
    body, extra = b"", b""
    for tag, value in sorted(entries.items()):
        if tag == 273:
            value = after + 4096
        values = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            offset = after + len(extra)
            extra += packed
            packed = struct.pack(f"{order}I", offset)
        body += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    start = b"II*\0" if order == "<" else b"MM\0*"
    head = start + struct.pack(f"{order}IH", 8, len(entries)) + body + struct.pack(f"{order}I", 0)
    return (head + extra).ljust(after + 4096, b"\0") + data


def bmp(data: bytes, width: int, height: int, bits: int, compression: int = 0, masks: bytes = b"") -> bytes:
    """Return a BMP file; a negative height is stored from top to bottom."""
    offset = 14 + 40 + len(masks)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + masks + data
