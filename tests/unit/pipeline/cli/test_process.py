# SPDX-License-Identifier: Apache-2.0
"""The process of a command: signals, broken pipes, closed streams, other encodings and poor surroundings."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

CARISTE = f"{shlex.quote(sys.executable)} -m pipeline"
QUICKSTART = ROOT / "configs/quickstart.yaml"
SLOW = pytest.mark.slow
SAMPLE = f"{CARISTE} sample --config {QUICKSTART} --count 5000 --out"


def run(command: str, **environment: str) -> subprocess.CompletedProcess:
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=surroundings, capture_output=True, text=True, errors="replace"
    )


def stop_while_it_writes(out: Path, number: int) -> tuple[int, str]:
    """Start a long command, send a signal when it has begun to write, return its exit code and standard error."""
    process = subprocess.Popen(shlex.split(f"{SAMPLE} {out}"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(out.parent.iterdir()) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGINT, 130, "cariste: stopped by Ctrl-C\n"),
        (signal.SIGTERM, 143, "cariste: stopped by a signal (SIGTERM)\n"),
    ],
)
def test_a_command_that_is_stopped_says_so_in_one_line_and_leaves_nothing(tmp_path, number, code, message):
    stopped = stop_while_it_writes(tmp_path / "scenes.jsonl", number)
    assert stopped == (code, message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["config --schema", pytest.param("--help", marks=SLOW)])
def test_a_reader_that_stops_early_is_no_error_of_ours(command):
    done = run(f"{CARISTE} {command} | head -1; echo ${{PIPESTATUS[0]}}")
    *_, code = done.stdout.split()
    assert (done.stderr, code in ("0", "141")) == ("", True)


def test_a_reader_that_is_gone_at_once_gives_the_exit_code_of_other_programs(tmp_path):
    done = run(f"(sleep 3; {CARISTE} config --schema) | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_output_that_cannot_be_written_is_said_in_one_line():
    done = run(f"{CARISTE} config --schema > /dev/full")
    assert (done.returncode, done.stderr) == (2, "cariste: No space left on device\n")


@pytest.mark.parametrize(
    "closed", [*(pytest.param(each, marks=SLOW) for each in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_a_closed_stream_is_no_error_and_gets_into_no_file(tmp_path, closed):
    done = run(f"{CARISTE} sample --config {QUICKSTART} --count 1 --out {tmp_path}/a.jsonl {closed}")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 1
    assert run(f"{CARISTE} verify /nowhere {closed}").returncode == 2


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii", "COLUMNS": "10", "TERM": "dumb", "TMPDIR": "/nowhere", "HOME": "/nowhere"},
        pytest.param({"LANG": "C"}, marks=SLOW),
        pytest.param({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, marks=SLOW),
        pytest.param({"PYTHONIOENCODING": "latin-1"}, marks=SLOW),
    ],
    ids=str,
)
def test_every_surrounding_gives_the_same_answers(tmp_path, environment):
    odd = "$'gr\\xfcn – 箱.json'"
    assert run(f"{CARISTE} --help", **environment).returncode == 0
    refused = run(f"{CARISTE} verify {odd}", **environment)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "no such folder" in refused.stderr
    done = run(f"{CARISTE} sample --config {QUICKSTART} --count 1 --out {tmp_path}/{odd}", **environment)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert os.listdir(os.fsencode(tmp_path)) == [b"gr\xfcn " + "– 箱.json".encode()]


@pytest.mark.slow
def test_a_table_is_printed_on_a_narrow_terminal_without_the_characters_for_lines():
    wide = run(f"{CARISTE} layers --config {QUICKSTART}", COLUMNS="10", PYTHONIOENCODING="ascii")
    assert (wide.returncode, wide.stderr) == (0, "")
    assert wide.stdout.isascii()


@pytest.mark.slow
def test_it_runs_in_a_folder_that_is_gone(tmp_path):
    done = run(f"mkdir {tmp_path}/x && cd {tmp_path}/x && rmdir {tmp_path}/x && {CARISTE} verify x")
    assert (done.returncode, done.stderr) == (2, "DIR x: no such folder\n")
