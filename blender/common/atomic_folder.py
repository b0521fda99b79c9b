# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a folder that appears complete or not at all: it is filled under a hidden name and renamed at the end.

Two processes may create the same folder at the same time: jobs survive when Snakemake is killed, and its next run
starts them again. The process that began last wins. It removes the hidden folders of all others, whether they still
run or not; one that still runs notices this and stops. There are no locks, because not all network file systems
support them.
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
    """Another process that began later creates the same folder."""


@contextlib.contextmanager
def create_folder(out: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Yield an empty folder that replaces `out` at the end, and a function that checks whether it is still ours.

    Call the check from time to time. After an error nothing is left behind, and `out` is unchanged.

    Raises:
        ReplacedError: another process creates `out`; the check raises it, too.
        OSError: no space left, or not allowed.
    """
    out = out.resolve()  # a link stays, and the folder that it leads to is replaced
    for leftover in _leftover_folders(out):
        _remove_folder(leftover, out)
    folder = out.with_name(f".{out.name}.growing.{secrets.token_hex(4)}")
    folder.mkdir(parents=True)
    # While the descriptor is open, no other folder can get the same inode.
    descriptor = os.open(folder, os.O_RDONLY)

    def check_ownership() -> None:
        # It is not enough that the folder exists: Blender creates missing folders before it writes an image.
        if not (folder.exists() and os.path.samestat(os.fstat(descriptor), folder.stat())):
            raise ReplacedError(f"another process that began later creates {out}; this process stops")

    try:
        yield folder, check_ownership
        check_ownership()
        if out.exists():
            _remove_folder(out, out)
        folder.rename(out)
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _leftover_folders(out: Path) -> list[Path]:
    """Return the hidden folders of other processes beside `out`."""
    return [path for kind in ("growing", "gone") for path in out.parent.glob(f".{glob.escape(out.name)}.{kind}*")]


def _remove_folder(folder: Path, out: Path) -> None:
    """Remove a folder. It is renamed first, so that no incomplete folder is seen under its name."""
    trash = out.with_name(f".{out.name}.gone.{secrets.token_hex(4)}")
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        folder.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)
