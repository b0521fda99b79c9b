# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a child process, as a process of its own, because it must not have loaded bpy."""

import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

PROGRAM = """
import os, signal, time
from blender.common.process_exit import exit_process, run_in_child
def crash(): os.kill(os.getpid(), {signal})
def crash_when_interrupted():
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGSEGV))
    time.sleep(0.3)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(5)
exit_process(run_in_child({run}, lambda cause: "truck.ply: " + cause))
"""


def outcome(run: str, signal: str = "0") -> tuple[int, str]:
    program = PROGRAM.format(run=run, signal=f"signal.{signal}" if signal != "0" else signal)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("status", [0, 2])
def test_the_exit_status_of_a_command_is_kept(status):
    assert outcome(f"lambda: {status}") == (status, "")


@pytest.mark.parametrize(
    ("signal", "cause"),
    [
        ("SIGSEGV", "the file is probably damaged"),
        ("SIGABRT", "the file is probably damaged"),
        ("SIGKILL", "the memory was probably too small"),
        ("SIGXCPU", "it took too long"),
    ],
)
def test_a_crash_is_one_line(signal, cause):
    assert outcome("crash", signal) == (2, f"truck.ply: {signal}; {cause}\n")


def test_a_stopped_command_says_nothing():
    assert outcome("crash", "SIGTERM") == (143, "")


def test_a_crash_after_ctrl_c_is_not_the_fault_of_the_file():
    assert outcome("crash_when_interrupted") == (130, "")
