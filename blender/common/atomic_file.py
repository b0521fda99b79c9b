# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a file so that a reader finds the old content or the whole new one, never a part."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on an exception it is removed.

    The temporary name is hidden and holds the process id. Missing folders above `path` are created. If `path` is a
    link, the file that it leads to is replaced.

    Raises:
        OSError: the folder cannot be created or the file cannot be renamed.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
