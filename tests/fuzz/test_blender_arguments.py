# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's commands with random arguments: never a traceback; after exit code 2 nothing on the disk has changed."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender.__main__ import build_parser
from tests.helpers.blender_commands import run_blender
from tests.helpers.search import examples
from tests.search.random_arguments import argument_lists, make_folder, snapshot

_, COMMANDS = build_parser()


def arguments_of(name: str) -> st.SearchStrategy[list[str]]:
    """Return a strategy from the options that the command has."""
    actions = [action for action in COMMANDS[name]._actions if "--help" not in action.option_strings]
    counts = {action.option_strings[0]: 1 for action in actions}
    return argument_lists(counts, [action.option_strings[0] for action in actions if action.required])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_random_arguments_never_give_a_traceback_or_half_a_result(name, tmp_path_factory):
    @settings(max_examples=examples(100))
    @given(arguments_of(name))
    def check(arguments: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as outer:
            folder = make_folder(Path(outer))
            before = snapshot(Path(outer))
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                done = run_blender(name, *arguments)
            assert done.exit_code in (0, 2), done.stderr
            assert "Traceback" not in done.stderr
            if done.exit_code == 2:
                assert done.stderr.strip()
                assert snapshot(Path(outer)) == before

    check()
