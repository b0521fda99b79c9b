# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that appear whole or not at all, with two processes at one of them."""

import pytest

from blender.common import atomic_folder


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_it_appears_whole_and_replaces_what_was_there(tmp_path):
    out = tmp_path / "00003"
    for content in ("old", "new"):
        with atomic_folder.create_folder(out) as (folder, check):
            (folder / content).touch()
            check()
            assert names(out) == (["old"] if content == "new" else [])
    assert names(tmp_path) == ["00003", "00003/new"]


def make(out, name, meanwhile=lambda: None):
    with atomic_folder.create_folder(out) as (folder, check):
        (folder / name).touch()
        meanwhile()
        check()


def test_what_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    def fill_the_disk():
        raise OSError("no room")

    make(tmp_path / "00003", "old")
    with pytest.raises(OSError, match="no room"):
        make(tmp_path / "00003", "new", fill_the_disk)
    assert names(tmp_path) == ["00003", "00003/old"]


def test_leftovers_of_killed_processes_are_removed_and_those_of_other_shards_stay(tmp_path):
    for left in (".00003.growing.1a2b3c4d/images", ".00003.gone.1a2b3c4d/images", ".00004.growing.1a2b3c4d"):
        (tmp_path / left).mkdir(parents=True)
    with atomic_folder.create_folder(tmp_path / "00003"):
        pass
    assert names(tmp_path) == [".00004.growing.1a2b3c4d", "00003"]


@pytest.mark.parametrize("made_anew", [False, True], ids=["folder gone", "folder made anew, as Blender does"])
def test_of_two_processes_the_last_to_begin_wins(tmp_path, made_anew):
    def begin_later():
        (first,) = tmp_path.glob(".00003.growing*")
        make(tmp_path / "00003", "second")
        if made_anew:
            first.mkdir()
            (first / "first").touch()

    with pytest.raises(atomic_folder.ReplacedError, match="another process that began later"):
        make(tmp_path / "00003", "first", begin_later)
    assert names(tmp_path) == ["00003", "00003/second"]
