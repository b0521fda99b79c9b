# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders appear complete or not at all, also if two processes create the same one."""

import pytest

from blender.common import atomic_folder


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_folder_appears_complete_and_replaces_the_old_one(tmp_path):
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


def test_an_error_keeps_the_old_folder_and_removes_the_new_one(tmp_path):
    def fill_the_disk():
        raise OSError("no room")

    make(tmp_path / "00003", "old")
    with pytest.raises(OSError, match="no room"):
        make(tmp_path / "00003", "new", fill_the_disk)
    assert names(tmp_path) == ["00003", "00003/old"]


def test_leftovers_of_the_same_shard_are_removed_and_those_of_others_stay(tmp_path):
    for left in (".00003.growing.1a2b3c4d/images", ".00003.gone.1a2b3c4d/images", ".00004.growing.1a2b3c4d"):
        (tmp_path / left).mkdir(parents=True)
    with atomic_folder.create_folder(tmp_path / "00003"):
        pass
    assert names(tmp_path) == [".00004.growing.1a2b3c4d", "00003"]


@pytest.mark.parametrize("made_anew", [False, True], ids=["folder gone", "folder made anew, as Blender does"])
def test_of_two_processes_the_one_that_began_last_wins(tmp_path, made_anew):
    def begin_later():
        (first,) = tmp_path.glob(".00003.growing*")
        make(tmp_path / "00003", "second")
        if made_anew:
            first.mkdir()
            (first / "first").touch()

    with pytest.raises(atomic_folder.ReplacedError, match="another process that began later"):
        make(tmp_path / "00003", "first", begin_later)
    assert names(tmp_path) == ["00003", "00003/second"]
