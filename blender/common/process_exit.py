# SPDX-License-Identifier: GPL-3.0-or-later
"""How a process that has loaded bpy ends."""

import contextlib
import os
import sys
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """End the process at once, without the cleanup of Python and C++. Call it when all files are written and renamed.

    During that cleanup bpy 4.5 sometimes hangs forever, in the destructor of a lock that one of its threads waits for.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader of a pipe has gone
            stream.flush()
    os._exit(status)
