# SPDX-License-Identifier: GPL-3.0-or-later
"""Make standard output and error usable, however the command was started."""

import os
import sys
from typing import TextIO


def repair_streams() -> None:
    """Let closed streams drop what is written to them, and write characters that the encoding lacks as escapes.

    Without this, the next file that is opened would get the descriptor of a closed stream, and so what is printed.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _repaired(sys.stdout), _repaired(sys.stderr)


def _repaired(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure") and stream.errors in ("strict", "surrogateescape"):
        stream.reconfigure(errors="backslashreplace")
    return stream
