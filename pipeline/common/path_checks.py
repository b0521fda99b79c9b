# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a path that a user gave, found before any work. Nothing is written and nothing is opened for long.

Every check returns the problem as text that follows the path (`is a folder, …`), or None.
"""

import os
import re
import stat
import tempfile
from pathlib import Path

from pipeline.common import path_hints

# Writing replaces the file, which would remove the stream itself.
# One slash, because a Path joins two.
URL = re.compile(r"(https?|ftp|sftp|ssh|s3|gs|gcs|az|abfss?|hdfs|hf|rtsp|file):/", re.IGNORECASE)
STREAMS = ("/dev/std", "/dev/fd/", "/proc/")


def shown(path: str | os.PathLike) -> str:
    """Return a path for a message: on one line, with bytes that are no text as `\\xfc`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace") if "\0" not in str(path) else str(path)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text) or "''"


def text_problem(text: str) -> str | None:
    """Return what is wrong with a path before the disk is asked."""
    if not text:
        return "is empty: give a path"
    if "\0" in text:
        return "has a NUL character in it"
    if text == "-":
        return "is no file: standard input and output are not supported; write ./- for a file of this name"
    if match := URL.match(text):
        is_local = match[1].lower() == "file"
        return "is a URL: give the path" if is_local else "is a URL: copy it to this machine, and give its path there"
    return None


def input_file_problem(path: Path) -> str | None:
    """Return why a file cannot be read: missing, a folder, a pipe, empty, no permission."""
    return _input_problem(path, files=True, folders=False)


def input_folder_problem(path: Path) -> str | None:
    """Return why a folder cannot be read."""
    return _input_problem(path, files=False, folders=True)


def input_problem(path: Path) -> str | None:
    """Return why a file or folder cannot be read."""
    return _input_problem(path, files=True, folders=True)


def missing_problem(path: Path) -> str | None:
    """Return why nothing is at a path, not even a file that cannot be read."""
    return _missing(path, "file or folder") if not os.path.lexists(path) else None


def _input_problem(path: Path, files: bool, folders: bool) -> str | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return _missing(path, "file or folder" if files and folders else "file" if files else "folder")
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(status.st_mode):
        problem = None if folders else "is a folder, not a file"
    elif not stat.S_ISREG(status.st_mode):
        problem = "is a pipe or a device, not a file; write its content to a file first"
    elif not files:
        problem = "is a file, not a folder"
    else:
        problem = "is empty (0 bytes)" if status.st_size == 0 else None
    if problem is None and not os.access(path, os.R_OK):
        problem = "cannot be read: no permission"
    return problem


def _missing(path: Path, kind: str) -> str:
    if path.is_symlink():
        return f"is a link to {shown(os.readlink(path))}, which does not exist"
    if hint := path_hints.hint(path):
        return f"no such {kind}; {shown(hint)}"
    return f"no such {kind}" + ("" if path.parent.is_dir() else f": there is no folder {shown(path.parent)}")


def output_file_problem(path: Path) -> str | None:
    """Return why a file cannot be written: a folder, a device, write-protected, below a file, no permission."""
    try:
        target = path.resolve()
        mode = target.stat().st_mode if target.exists() else None
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        return f"cannot be written: {getattr(error, 'strerror', None) or error}"
    if str(path).startswith(STREAMS) or (mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))):
        return "is a stream or a device, not a file; give the name of a file"
    if mode is not None and stat.S_ISDIR(mode):
        return f"is a folder; give the name of a file, such as {shown(path / 'NAME')}"
    if mode is not None and not mode & 0o222:
        return "exists and is write-protected"
    if path.name in ("", "..") or "\n" in path.name:
        return "is no name for a file"
    return _target_problem(path, target)


def output_folder_problem(path: Path) -> str | None:
    """Return why files cannot be written into a folder, which need not exist."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_dir():
            return "is a file; give the name of a folder"
    except (OSError, RuntimeError) as error:
        return f"cannot be written: {getattr(error, 'strerror', None) or error}"
    return _target_problem(path, target / "any file")


def _target_problem(path: Path, target: Path) -> str | None:
    """Return why `target`, to which `path` leads, cannot be made."""
    if path.is_symlink() and not target.parent.is_dir():
        return f"is a link to {shown(target)}, whose folder does not exist"
    try:
        ancestor = next(folder for folder in target.parents if folder.exists())
        too_long = next((part for part in target.parts if len(os.fsencode(part)) > 255), None)
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    if too_long:
        return f"has a name that is too long: {len(os.fsencode(too_long))} bytes, at most 255"
    if not ancestor.is_dir():
        return f"cannot be made: {shown(ancestor)} is a file, not a folder"
    try:
        with tempfile.TemporaryFile(dir=ancestor):  # has no name, so nobody sees it
            return None
    except OSError as error:
        return f"cannot be written in {shown(ancestor)}: {error.strerror}"
