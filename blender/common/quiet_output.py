# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep Blender's own lines out of the log."""

import contextlib
import io
import os
import tempfile
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


@contextlib.contextmanager
def capture_output() -> Iterator[list[str]]:
    """Catch what Blender and its add-ons print, errors as well; the list that is yielded holds it at the end."""
    captured: list[str] = []
    saved = os.dup(1), os.dup(2)
    printed = io.StringIO()
    with (
        tempfile.TemporaryFile() as file,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield captured
        finally:
            for number, descriptor in enumerate(saved, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            file.seek(0)
            captured.append(file.read().decode(errors="replace") + printed.getvalue())
