# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that appears whole or not at all: it grows under a hidden name beside its place and is renamed at the end.

Two processes may be at one folder: jobs live on when Snakemake is killed, and its next run starts theirs again. The
last to begin wins. It takes away the growing folders of all before it, be they dead or alive; who is alive notices and
gives up. Nothing is locked, for not every network file system can.
"""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from blender.common.errors import CaristeError


class ReplacedError(CaristeError):
    """Another process that began later makes the same folder."""


@contextlib.contextmanager
def create_folder(out: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Give an empty folder that takes the place of `out` at the end, and a check to call now and then meanwhile.

    What fails leaves nothing behind, and `out` as it was.

    Raises:
        TakenOverError: `out` is left to another process; the check raises it too.
        OSError: no room, or not allowed.
    """
    for left in _beside(out):
        _take_away(left, out)
    folder = out.with_name(f".{out.name}.growing.{secrets.token_hex(4)}")
    folder.mkdir(parents=True)
    held = os.open(folder, os.O_RDONLY)  # as long as it is open, no other folder can have its inode

    def check() -> None:
        # Not only whether it is there: Blender makes missing folders anew before it writes an image.
        if not (folder.exists() and os.path.samestat(os.fstat(held), folder.stat())):
            raise ReplacedError(f"another process that began later makes {out}; this one gives up")

    try:
        yield folder, check
        check()
        if out.exists():
            _take_away(out, out)
        folder.rename(out)
    finally:
        os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


def _beside(out: Path) -> list[Path]:
    """Return what earlier processes left or still have beside `out`."""
    return [path for kind in ("growing", "gone") for path in out.parent.glob(f".{glob.escape(out.name)}.{kind}*")]


def _take_away(folder: Path, out: Path) -> None:
    """Remove a folder. It is renamed first, so that it never holds a part of its files under its own name."""
    gone = out.with_name(f".{out.name}.gone.{secrets.token_hex(4)}")
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
