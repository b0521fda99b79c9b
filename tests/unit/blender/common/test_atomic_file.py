# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from blender.common.atomic_file import replace_file


def test_a_file_appears_complete_and_its_folder_is_created(tmp_path):
    path = tmp_path / "new" / "sheet.png"
    with replace_file(path) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".png"
        assert not path.exists()
    assert path.read_text() == "new"
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]


def test_an_error_keeps_the_old_file_and_removes_the_new_one(tmp_path):
    path = tmp_path / "sheet.png"
    path.write_text("old")

    def write_until_the_disk_is_full():
        with replace_file(path) as temporary:
            temporary.write_text("new")
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_until_the_disk_is_full()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "a.txt").symlink_to("b.txt")
    with replace_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("content")
    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "b.txt").read_text() == "content"
