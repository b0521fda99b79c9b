# SPDX-License-Identifier: Apache-2.0
"""What Pillow does not tell of a PNG file: metadata behind the pixels, and wrong checksums of pixels."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE, PIXELS, END = b"PLTE", b"IDAT", b"IEND"
METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
PIECE_BYTES = 1_000_000


def has_metadata_after_pixels(path: Path) -> bool:
    """Whether a PNG file has metadata after its pixels: Pillow reads them only with the pixels."""
    after_pixels = False
    with path.open("rb") as file:
        for kind, _ in _chunks(file):
            if after_pixels and kind in METADATA:
                return True
            after_pixels |= kind == PIXELS
    return False


def has_wrong_pixels(path: Path) -> bool:
    """Whether a checksum of the pixels, or of the palette, is wrong: Pillow does not look at them.

    Files with zeros or other bytes in place of a part can be decoded to pixels that are wrong.
    """
    with path.open("rb") as file:
        for kind, length in _chunks(file):
            if kind in (PALETTE, PIXELS):
                found = zlib.crc32(kind)
                for start in range(0, length, PIECE_BYTES):
                    found = zlib.crc32(file.read(min(PIECE_BYTES, length - start)), found)
                if file.read(4) != found.to_bytes(4, "big"):
                    return True
    return False


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield kind and length of each chunk, with the file at its content, up to the end of the image."""
    place = len(SIGNATURE)
    while True:
        file.seek(place)
        start = file.read(8)
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if len(start) < 8 or kind == END:
            return
        yield kind, length
        place += length + 12
