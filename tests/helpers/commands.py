# SPDX-License-Identifier: Apache-2.0
"""The command `cariste` for tests: in the test process, or as a process of its own."""

import contextlib
import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

from pipeline.cli import app
from tests.helpers.paths import ROOT

# Messages about wrong options are drawn in a box; in a narrow one they would be broken into lines.
WIDE_TERMINAL = {"COLUMNS": "400"}


class Outcome(NamedTuple):
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str


def run_cariste(*arguments: Any) -> Outcome:
    """Run `cariste` in this process. Nothing that it changes in the process outlives the call."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), _state_restored():
        exit_code = app.main(arguments)
    return Outcome(exit_code, stdout.getvalue(), stderr.getvalue())


def start_cariste(*arguments: Any) -> Outcome:
    """Run `cariste` as a user does, in a new process. This takes up to 6 s where torch is loaded."""
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | WIDE_TERMINAL
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def _state_restored() -> Iterator[None]:
    """Restore the threads of torch, the handlers and level of the root logger, `sys.argv` and the environment."""
    root = logging.getLogger()
    handlers, level, argv = root.handlers, root.level, sys.argv
    root.handlers = []  # pytest's own; with them a command would not set up logging to stderr
    threads = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
    try:
        with mock.patch.dict(os.environ, WIDE_TERMINAL):
            yield
    finally:
        root.handlers, sys.argv = handlers, argv
        root.setLevel(level)
        if threads is not None:
            sys.modules["torch"].set_num_threads(threads)
