# SPDX-License-Identifier: Apache-2.0
"""Write files and folders so that a reader finds the old content or the whole new one, never a part.

The new content is written beside its target under a hidden name, then renamed. What a killed process leaves behind has
a hidden name that holds its process id; the next write of the same target removes it. If two processes write the same
target at the same time, the one that began last wins and the other one fails. If the target is a link, the file or
folder that it leads to is replaced, and the link stays.
"""

import glob
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# File systems allow names of 255 bytes, and a hidden name is longer than that of its target.
MAX_VISIBLE_BYTES = 200


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; on success it replaces `path`, on an exception it is removed.

    Folders above `path` are created. The content is not synced to the disk.

    Raises:
        OSError: it cannot be written; the error names `path`.
    """
    target = path.resolve()
    name, suffix = _hidden_name(target.stem), target.suffix
    with _named_in_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(f"{glob.escape(name)}.*.part{glob.escape(suffix)}"):
            leftover.unlink(missing_ok=True)
        temporary = target.with_name(f"{name}.{os.getpid()}.part{suffix}")
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def _hidden_name(name: str) -> str:
    content = os.fsencode(name)
    return f".{name}" if len(content) <= MAX_VISIBLE_BYTES else f".{hashlib.sha256(content).hexdigest()}"


@contextmanager
def _named_in_errors(path: Path) -> Iterator[None]:
    """Name `path` in errors of the disk. Those of a write, such as a full disk, name no file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a text file as a whole, in UTF-8 and with `\\n` as line ends.

    A byte of a file name that is no text is written as `\\udcfc`.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; on success it replaces `path`, on an exception it is removed.

    A folder that stands at `path` is replaced with all it holds.

    Raises:
        OSError: it cannot be written.
    """
    target = path.resolve()
    name = _hidden_name(target.name)
    for leftover in target.parent.glob(f"{glob.escape(name)}.*.part*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = target.with_name(f"{name}.{os.getpid()}.part")
    replaced = target.with_name(f"{name}.{os.getpid()}.part-old")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if target.exists():
            target.rename(replaced)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
