# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep Blender's own lines out of the log."""

import contextlib
import io
import os
from collections.abc import Iterator


@contextlib.contextmanager
def suppress_stdout() -> Iterator[None]:
    """Drop what Blender and its add-ons print, hundreds of lines for each image. Errors are exceptions and stay."""
    saved_stdout = os.dup(1)
    with open(os.devnull, "w") as null_file:
        os.dup2(null_file.fileno(), 1)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.dup2(saved_stdout, 1)
        os.close(saved_stdout)
