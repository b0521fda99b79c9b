# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m blender COMMAND` for tests: in the test process, or as a process of its own."""

import contextlib
import io
import subprocess
import sys
from typing import Any

from blender.__main__ import main
from tests.helpers.commands import Outcome
from tests.helpers.paths import ROOT


def run_blender(*arguments: Any) -> Outcome:
    """Run the command in this process. It leaves what it built in Blender's open file."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            exit_code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:  # argparse, after wrong arguments
            exit_code = leaving.code
    return Outcome(exit_code, stdout.getvalue(), stderr.getvalue())


def start_blender(*arguments: Any) -> Outcome:
    """Run the command as a user does, in a new process."""
    command = [sys.executable, "-m", "blender", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)
