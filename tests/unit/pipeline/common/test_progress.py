# SPDX-License-Identifier: Apache-2.0
"""Progress: lines without a terminal, a bar on one, and lines if the terminal of Snakemake does not exist."""

import os
import pty
import re
import subprocess
import sys

import pytest

from pipeline.common import progress
from tests.helpers.paths import ROOT

PROGRAM = """
from pipeline.common.progress import track
assert list(track(iter(range(5)), 5, "render", unit="shard", status=lambda: "loss 0.5")) == [0, 1, 2, 3, 4]
"""


def run_on_terminal(program: str) -> str:
    """Run a program whose stderr is a pseudoterminal; return what it writes there."""
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb") as output:
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
        command = [sys.executable, "-c", program]
        subprocess.run(command, stderr=terminal, cwd=ROOT, env=environment, check=True, timeout=120)
        os.close(terminal)
        written = b""
        try:
            while chunk := output.read1():
                written += chunk
        except OSError:  # the other end is closed
            pass
    return written.decode()


def test_all_items_come_in_order_without_reading_ahead():
    taken = []

    def items():
        for number in range(3):
            taken.append(number)
            yield number

    for number in progress.track(items(), 3, "label"):
        assert taken == list(range(number + 1))


def test_without_a_terminal_the_last_item_writes_a_line_with_the_status(capsys):
    assert list(progress.track("abc", 3, "label", "shard", lambda: "loss 0.5")) == ["a", "b", "c"]
    written = capsys.readouterr()
    assert re.fullmatch(r"label: 3 of 3 shards, 0 left, about 0 s, \d+\.\d\d s per shard, loss 0\.5\n", written.err), (
        written.err
    )
    assert written.out == ""


def test_without_a_terminal_there_is_one_line_per_interval(capsys, monkeypatch):
    times = iter(range(0, 1000, 4))  # each look at the clock is four seconds later
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    list(progress.track(range(10), 10, "render"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"render: {done} of 10 images" for done in (3, 6, 9, 10)]
    assert "7 left, about 28 s, 4.00 s per image" in lines[0]


def test_no_items_write_nothing(capsys):
    assert list(progress.track([], 0, "label")) == []
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_is_drawn_and_removed_at_the_end():
    written = run_on_terminal(PROGRAM)
    assert "render" in written
    assert "shards" in written
    assert "of 5 shards" not in written  # no lines
    # rich erases the bar at the end: up to the first line, erase the line.
    assert written.rstrip().endswith("\x1b[2K")


@pytest.mark.parametrize("terminal", ["1", ""])
def test_without_a_controlling_terminal_the_bar_of_snakemake_falls_back_to_lines(terminal):
    environment = os.environ | {"CARISTE_TERMINAL": terminal}
    command = [sys.executable, "-c", PROGRAM]
    # A new session has no controlling terminal, so /dev/tty cannot be opened.
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, start_new_session=True, check=True
    )
    assert re.fullmatch(r"render: 5 of 5 shards, 0 left, about 0 s, .*, loss 0\.5\n", run.stderr), run.stderr


def test_with_the_terminal_of_snakemake_the_bar_is_shown_there_and_lines_go_to_the_log(tmp_path):
    program = """
import os, pty, sys
pid, controller = pty.fork()  # the child gets the pseudoterminal as its controlling terminal
if pid == 0:
    sys.stderr = open(sys.argv[1], "w")
    os.environ["CARISTE_TERMINAL"] = "1"
    from pipeline.common.progress import track
    for item in track(range(5), 5, "render", unit="shard"):
        print("warning", item, file=sys.stderr)
    sys.stderr.flush()
    os._exit(0)
written = b""
try:
    while chunk := os.read(controller, 4096):
        written += chunk
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.write(written.decode())
"""
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=120)
    assert "render" in run.stdout
    assert "warning" not in run.stdout
    *warnings, line = (tmp_path / "log").read_text().splitlines()
    assert warnings == [f"warning {item}" for item in range(5)]
    assert line.startswith("render: 5 of 5 shards, 0 left")


def test_an_exception_of_an_item_passes_through(capsys):
    def items():
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(progress.track(items(), 2, "label"))
    assert capsys.readouterr().err == ""
