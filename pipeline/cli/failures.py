# SPDX-License-Identifier: Apache-2.0
"""How a command that failed ends: what is printed, and the exit code."""

import errno
import platform
import shlex
import sys
import traceback
from importlib import metadata

from typer.exceptions import TyperException

from pipeline.cli.process import BROKEN_PIPE, TERMINATED, discard_output
from pipeline.common.errors import CaristeError, out_of_memory
from pipeline.common.path_checks import shown

REFUSED, BUG, INTERRUPTED = 2, 3, 130
OUT_OF_MEMORY_HINT = (
    "out of memory: use smaller images (model.max_size, --size), fewer --threads or --processes, a smaller "
    "train.batch_size, or --device cpu"
)
# Of the machine, not of the program, even if the message names no file.
ERRORS_OF_THE_MACHINE = {
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EROFS,
}


def report_failure(failure: BaseException) -> int:
    """Print what happened and return the exit code. Only a bug of ours is printed with its traceback."""
    if isinstance(failure, SystemExit) and not isinstance(failure.__context__, BrokenPipeError):
        return _leaving(failure)
    if isinstance(failure, BrokenPipeError | SystemExit):  # the reader of a pipe, such as `head`, has gone
        discard_output()
        return BROKEN_PIPE
    if isinstance(failure, KeyboardInterrupt):
        return report_interrupt()
    if message := user_message(failure):
        return _print(message, REFUSED)
    text = "".join(traceback.format_exception(failure))
    return _print(f"{text}{_request_for_report()}", BUG)


def report_interrupt() -> int:
    """Say that Ctrl-C ended the command, and return its exit code."""
    return _print("cariste: stopped by Ctrl-C", INTERRUPTED)


def user_message(failure: BaseException) -> str | None:
    """Return what the user can do about a failure, None if it is a bug of ours."""
    if isinstance(failure, CaristeError):
        return str(failure)
    if isinstance(failure, TyperException):
        return _usage_message(failure)
    if out_of_memory(failure):
        return f"{OUT_OF_MEMORY_HINT} ({_first_line(failure)})"
    if isinstance(failure, OSError) and failure.strerror:
        if failure.filename is not None:
            return f"{shown(failure.filename)}: {failure.strerror}"
        if failure.errno in ERRORS_OF_THE_MACHINE:
            return f"cariste: {failure.strerror}"
    return None


def _usage_message(failure: TyperException) -> str:
    context = getattr(failure, "ctx", None)
    command = context.command_path if context else "cariste"
    message = " ".join(failure.format_message().split()).rstrip(".")
    return f"{command}: {message}; `{command} --help` lists what is possible"


def _leaving(failure: SystemExit) -> int:
    if failure.code == TERMINATED:
        print("cariste: stopped by a signal (SIGTERM)", file=sys.stderr)
    return failure.code if isinstance(failure.code, int) else int(failure.code is not None)


def _first_line(failure: BaseException) -> str:
    return next(iter(str(failure).splitlines()), type(failure).__name__)[:200]


def _request_for_report() -> str:
    command = shlex.join(map(shown, sys.argv[1:]))
    versions = f"Python {platform.python_version()}, cariste {metadata.version('cariste')}, {platform.platform()}"
    return (
        "cariste: this is a bug of ours. Please send us the lines above, your config, and this: "
        f"`cariste {command}`, {versions}"
    )


def _print(message: str, code: int) -> int:
    try:
        print(message, file=sys.stderr)
        for stream in (sys.stderr, sys.stdout):
            stream.flush()
    except (OSError, ValueError):  # the reader has gone, or the disk is full
        discard_output()
    return code
