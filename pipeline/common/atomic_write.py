# SPDX-License-Identifier: Apache-2.0
"""Write files and folders so that a reader finds the old content or the whole new one, never a part.

The new content is written beside its target under a hidden name, then renamed. What a killed process leaves behind has
a hidden name that holds its process id; the next write of the same target removes it. If two processes write the same
target at the same time, the one that began last wins and the other one fails.
"""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; on success it replaces `path`, on an exception it is removed.

    Folders above `path` are created. The content is not synced to the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.[0-9]*{glob.escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a text file as a whole, in UTF-8 and with `\\n` as line ends."""
    write_bytes(path, content.encode())


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; on success it replaces `path`, on an exception it is removed.

    A folder that stands at `path` is replaced with all it holds.
    """
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.[0-9]*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    replaced = path.with_name(f".{path.name}.{os.getpid()}.old")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            path.rename(replaced)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
