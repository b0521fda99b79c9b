# SPDX-License-Identifier: GPL-3.0-or-later
"""How a process that has loaded bpy ends."""

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """End the process at once, without the cleanup of Python and C++. Call it when all files are written and renamed.

    During that cleanup bpy 4.5 sometimes hangs forever, in the destructor of a lock that one of its threads waits for.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run_in_child(run: Callable[[], int], describe_crash: Callable[[str], str]) -> int:
    """Run a command in a child process and return its exit status; call it before bpy is loaded.

    If a signal ends the child, `describe_crash` gets what it means, and the line that it returns is printed; the status
    is then 2. A signal that ends this process is passed on.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        exit_process(run())
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    # Blender crashes if Ctrl-C comes while it is loaded.
    number = received[0] if received else os.WTERMSIG(status)
    if number in (signal.SIGTERM, signal.SIGINT):
        return 128 + number
    causes = {signal.SIGKILL: "the memory was probably too small", signal.SIGXCPU: "it took too long"}
    cause = causes.get(number, "the file is probably damaged")
    print(describe_crash(f"{signal.Signals(number).name}; {cause}"), file=sys.stderr)
    return 2
