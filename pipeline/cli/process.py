# SPDX-License-Identifier: Apache-2.0
"""The process of a command: its standard streams, and the signals that stop it."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

TERMINATED = 128 + signal.SIGTERM
BROKEN_PIPE = 128 + signal.SIGPIPE


def repair_streams() -> None:
    """Make standard output and error usable: closed ones drop what is written, and no character is an error.

    A character that the encoding lacks, or a byte of a file name that is no text, is written as `\\u2013` or `\\udcfc`.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # otherwise the next file that is opened would get what is printed
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _repaired(sys.stdout)
    sys.stderr = _repaired(sys.stderr)


def _repaired(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure and stream.errors in ("strict", "surrogateescape"):
        reconfigure(errors="backslashreplace")
    return stream


def discard_output() -> None:
    """Send what is still buffered for standard output and error nowhere. Python would fail to write it at its end."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


@contextlib.contextmanager
def handle_termination() -> Iterator[None]:
    """Let SIGTERM end the command as an exception, so that incomplete files are removed. Not for child processes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() != process:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise SystemExit(TERMINATED)

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
