# SPDX-License-Identifier: GPL-3.0-or-later
"""Which scene of a .blend file Blender would show and render: its active scene.

Blender's functions to append data do not say. Source: source/blender/makesdna/DNA_fileGlobal_types.h and
source/blender/blenloader/BLO_core_bhead.hh of Blender 4.5.
"""

import gzip
import re
import struct
from pathlib import Path
from typing import BinaryIO

BLOCK = struct.Struct("<4sI8sII")  # code, length, address when it was saved, structure, count
# In a block FileGlobal, after versions and the address of the screen.
SCENE_ADDRESS = slice(24, 32)
# The name of a scene is in the first part of its block, after "SC".
NAME_BYTES = 256
SCENE_NAME = re.compile(rb"SC([^\0]+)\0")
FILE_HEADER = b"BLENDER-v"


def active_scene(path: Path) -> str | None:
    """Return the name of the active scene; None if the file is compressed by zstd, of another layout, or damaged."""
    for open_file in (open, gzip.open):
        try:
            with open_file(path, "rb") as file:
                if file.read(12).startswith(FILE_HEADER):
                    return _find_active_scene(file)
        except (OSError, EOFError, struct.error):
            continue
    return None


def _find_active_scene(file: BinaryIO) -> str | None:
    wanted, names = None, {}
    while len(header := file.read(BLOCK.size)) == BLOCK.size:
        code, length, address, _, _ = BLOCK.unpack(header)
        if code == b"ENDB":
            break
        start = file.read(min(length, NAME_BYTES)) if code in (b"GLOB", b"SC\0\0") else b""
        file.seek(length - len(start), 1)
        if code == b"GLOB":
            wanted = start[SCENE_ADDRESS]
        elif code == b"SC\0\0" and (match := SCENE_NAME.search(start)):
            names[address] = match.group(1).decode(errors="replace")
    return names.get(wanted)
