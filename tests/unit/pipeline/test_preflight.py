# SPDX-License-Identifier: Apache-2.0
"""The check of the machine before anything is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import preflight


def test_this_machine_has_no_problems():
    assert preflight.problems() == []


def test_a_missing_library_is_named_with_its_package(monkeypatch):
    monkeypatch.setitem(preflight.LIBRARIES, "libnothing.so.7", "libnothing7")
    (line,) = preflight.problems()
    assert line.endswith("apt-get install --no-install-recommends libnothing7")


def test_a_python_without_a_wheel_of_bpy_is_named_with_the_required_one(monkeypatch):
    monkeypatch.setattr(preflight, "PYTHON", (3, 99))
    (line,) = preflight.problems()
    assert line.startswith("Python 3.11 has no bpy 4.5 wheel: install Python 3.99")


def test_it_runs_without_any_installed_package():
    script = Path(preflight.__file__)
    run = subprocess.run([sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", ["a b", "it's", "#1", "(b) & c", "ü 50 %", 'say "x"'])
def test_a_folder_may_have_any_name_that_the_tools_can_take(name):
    assert preflight.problems(f"/home/{name}/cariste") == []


@pytest.mark.parametrize("name", ["{x}", "$HOME", "a:b", "a\nb"])
def test_a_folder_name_that_a_tool_cannot_take_is_refused_before_the_installation(name):
    assert preflight.problems(f"/home/{name}/cariste")[0].startswith("move Cariste to another folder: ")
