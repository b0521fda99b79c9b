# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's importer of STL does not say: it reads the triangles that it understands and leaves out the rest."""

import re
import struct
from pathlib import Path

# Source: https://en.wikipedia.org/wiki/STL_(file_format): a header, the number of triangles, then 50 bytes for each.
HEADER_BYTES, TRIANGLE_BYTES = 80, 50
COUNT = struct.Struct("<I")
DECIMAL_COMMA = re.compile(rb"vertex[ \t]+[-+]?\d+,\d")


def check_stl(path: Path) -> str | None:
    """Return what is wrong with an .stl file, None if Blender reads all of it."""
    content = path.read_bytes()
    body = len(content) - HEADER_BYTES - COUNT.size
    count = COUNT.unpack_from(content, HEADER_BYTES)[0] if body >= 0 else None
    # Some programs begin binary files with "solid", so the size decides, as in Blender.
    is_text = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:5].lower() == b"solid"
    if is_text and (count is None or body != count * TRIANGLE_BYTES):
        return _text_problem(content)
    if count is None or body < count * TRIANGLE_BYTES:
        missing = f": it holds {body // TRIANGLE_BYTES:,} of its {count:,} triangles" if count is not None else ""
        return f"is cut off{missing}; copy or export it again"
    if not count:
        return "has no triangles: export it again"
    return f"holds more than its {count:,} triangles: export it again" if body > count * TRIANGLE_BYTES else None


def _text_problem(content: bytes) -> str | None:
    if b"\n" not in content and b"\r" in content:
        return "ends its lines in the way of old Macs: save it with line ends of Unix or Windows"
    if DECIMAL_COMMA.search(content):
        return "has numbers with a comma (0,75): export it with decimal points"
    if b"vertex" not in content:
        in_capitals = b"VERTEX" in content
        return "is written in capitals: export it as binary STL" if in_capitals else "has no triangles: export it again"
    return (
        None if b"endsolid" in content[-4096:].lower() else "is cut off: its last line is not endsolid; export it again"
    )
