# SPDX-License-Identifier: Apache-2.0
"""Every command with random arguments: never a traceback, and after exit code 2 nothing on the disk has changed."""

import importlib
import resource
import tempfile
import time
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import command_syntax
from tests.helpers.commands import run_cariste
from tests.helpers.search import examples
from tests.search.random_arguments import argument_lists, make_folder, snapshot

COMMANDS = command_syntax.CARISTE.commands
MAX_SECONDS, MAX_MEMORY_KB, MAX_LINES = 10, 1_000_000, 40


@pytest.fixture(autouse=True, scope="module")
def loaded_packages() -> None:
    """Load what commands load, so that the time of the first one is its own. Some packages make a folder for caches."""
    for name in (
        "benchmarks.training",
        "benchmarks.rendering",
        "inference.export",
        "reports.study",
        "reports.run_report",
    ):
        importlib.import_module(f"pipeline.{name}")


def arguments_of(name: str) -> st.SearchStrategy[list[str]]:
    """Return a strategy from the options that the command has, so that a new command is tried as well."""
    params = COMMANDS[name].params
    counts = {
        "" if param.param_type_name == "argument" else param.opts[0]: 0
        if getattr(param, "is_flag", False)
        else max(1, param.nargs)
        for param in params
    }
    return argument_lists(counts, [param.opts[0] for param in params if param.required])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_random_arguments_never_give_a_traceback_or_half_a_result(name, tmp_path_factory):
    memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(max_examples=examples(40))
    @given(arguments_of(name))
    def check(arguments: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as outer:
            try_arguments(Path(outer), [name, *arguments])

    check()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_before < MAX_MEMORY_KB


def try_arguments(outer: Path, arguments: list[str]) -> None:
    folder = make_folder(outer)
    before, started = snapshot(outer), time.monotonic()
    with pytest.MonkeyPatch.context() as patch, mock.patch.dict("os.environ", {"HOME": str(folder / "folder")}):
        patch.chdir(folder)
        done = run_cariste(*arguments)
    assert time.monotonic() - started < MAX_SECONDS
    assert done.exit_code in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    if done.exit_code == 2:
        assert done.stderr.strip()
        assert len(done.stderr.splitlines()) < MAX_LINES
        assert snapshot(outer) == before
    hidden = list(outer.rglob(".*"))
    assert hidden == []
