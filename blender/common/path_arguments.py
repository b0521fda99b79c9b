# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of command line arguments: paths and numbers that are checked before any work, so before bpy is loaded.

Each raises `argparse.ArgumentTypeError`, which argparse prints with the name of the option.
"""

import argparse
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

# File systems allow 255, and what is written first has a longer hidden name.
MAX_NAME_BYTES = 220


def input_file(text: str) -> Path:
    """Return the path of a file that can be read."""
    path = _path(text)
    try:
        status = path.stat()
    except OSError as error:
        raise _refusal(text, error.strerror) from None
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(text, "is a folder, a pipe or a device, not a file")
    if status.st_size == 0:
        raise _refusal(text, "is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise _refusal(text, "cannot be read: no permission")
    return path


def input_folder(text: str) -> Path:
    """Return the path of a folder."""
    path = _path(text)
    if not path.is_dir():
        raise _refusal(text, "is a file, not a folder" if path.exists() else "no such folder")
    return path


def output_file(suffix: str) -> Callable[[str], Path]:
    """Return the type of a file to write, whose name must end in `suffix`."""

    def check(text: str) -> Path:
        path = _path(text)
        if path.suffix.lower() != suffix:
            raise _refusal(text, f"the name must end in {suffix}")
        if path.exists() and not path.is_file():
            raise _refusal(text, "is a folder, a pipe or a device, not a file")
        _require_writable(text, path)
        return path

    return check


def output_folder(text: str) -> Path:
    """Return the path of a folder to make or to replace."""
    path = _path(text)
    if path.exists() and not path.is_dir():
        raise _refusal(text, "is a file, not a folder")
    _require_writable(text, path)
    return path


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return the type of a whole number from `low` to `high`."""

    def check(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from {low} to {high}")
        return int(text)

    return check


def _path(text: str) -> Path:
    if not text or "\0" in text or "\n" in text:
        raise _refusal(text, "is no path")
    try:
        Path(text).exists()
    except OSError as error:  # a name that is too long
        raise _refusal(text, error.strerror) from None
    return Path(text)


def _require_writable(text: str, path: Path) -> None:
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise _refusal(text, f"the name is too long, at most {MAX_NAME_BYTES} bytes")
    try:
        ancestor = next(folder for folder in path.resolve().parents if folder.exists())
        with tempfile.TemporaryFile(dir=ancestor):  # has no name, so nobody sees it
            return
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        raise _refusal(text, f"cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _refusal(text: str, problem: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{ascii(text)[1:-1] or 'nothing'}: {problem}")
