# SPDX-License-Identifier: GPL-3.0-or-later
"""How a command that has loaded bpy ends."""

import os
import sys
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """End the process at once, without Python's and C++'s tidying up.

    There bpy 4.5 now and then waits for ever, in the destructor of a lock that one of its threads still waits on. Call
    it when everything is written and renamed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
