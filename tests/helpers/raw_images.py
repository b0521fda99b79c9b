# SPDX-License-Identifier: Apache-2.0
"""PNG, TIFF and BMP files of kinds that Pillow reads but does not write."""

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np


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


def tiff(
    strips: Sequence[bytes], width: int, height: int, tags: Mapping[int, Sequence[int]], order: str = "<"
) -> bytes:
    """Return an uncompressed TIFF file. `tags`: whole numbers by tag, over the defaults of 8-bit gray.

    `order`: "<" for the byte order of Intel, ">" for that of Motorola.
    """
    defaults = {256: [width], 257: [height], 258: [8], 259: [1], 262: [1], 277: [1], 278: [height]}
    entries = {**defaults, 273: [0] * len(strips), 279: [len(strip) for strip in strips], **tags}
    after_entries = 8 + 2 + 12 * len(entries) + 4
    long_values = sum(4 * len(values) for values in entries.values() if len(values) > 1)
    starts = np.cumsum([after_entries + long_values, *entries[279]])
    entries[273] = starts[:-1].tolist()
    directory, extra = struct.pack(f"{order}H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            extra, packed = extra + packed, struct.pack(f"{order}I", after_entries + len(extra))
        directory += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    start = b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08"
    return start + directory + bytes(4) + extra + b"".join(strips)


def bmp(data: bytes, width: int, height: int, bits: int, compression: int = 0, masks: bytes = b"") -> bytes:
    """Return a BMP file; a negative height is stored from top to bottom."""
    offset = 14 + 40 + len(masks)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + masks + data
