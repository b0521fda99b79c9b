# SPDX-License-Identifier: Apache-2.0
"""What is advised for a path at which nothing is."""

from pathlib import Path

import pytest

from pipeline.common import path_checks

HINTS = {
    "https://example.org/a.jpg": "only files on this machine are read; download it first",
    "s3://bucket/a.jpg": "only files on this machine are read; download it first",
    "file:///data/a.jpg": "only files on this machine are read; write the path without file://",
    "C:\\\\Users\\\\me\\\\a.jpg": "a path of Windows; in WSL it is /mnt/c/Users/me/a.jpg",
    "C:\\Users\\me\\a b.jpg": "a path of Windows; in WSL it is /mnt/c/Users/me/a b.jpg",
    "d:\\a.jpg": "a path of Windows; in WSL it is /mnt/d/a.jpg",
    "folder\\photo.jpg": "did you mean folder/photo.jpg?",
    "$HOME/a.jpg": "variables are replaced only by a shell",
    "${SITE}/a.jpg": "variables are replaced only by a shell",
    "%USERPROFILE%/a.jpg": "variables are replaced only by a shell",
    "“folder/photo.jpg”": "remove the typographic quotes",
    "folder/PHOTO.JPG": "did you mean folder/photo.jpg?",
    "folder/photo.jpeg": "did you mean folder/photo.jpg?",
    "folder/photo.jpg ": "did you mean folder/photo.jpg?",
    "folder/*.jpg": "patterns are replaced only by a shell, and not in quotes; give the folder",
    "photos/??.jpg": "patterns are replaced only by a shell, and not in quotes; give the folder",
}
NO_HINTS = {
    "folder/other.png": "no such file",
    "gone/photo.jpg": "no such file: there is no folder gone",
    "folder/100%.jpg": "no such file",
    "folder/price$.jpg": "no such file",
    "folder/photo.jpg/a.jpg": "no such file: there is no folder folder/photo.jpg",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo.jpg").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", HINTS)
def test_a_missing_path_says_what_to_write(path):
    problem = path_checks.input_file_problem(Path(path))
    assert problem.startswith(f"no such file; {HINTS[path]}")
    assert "\n" not in problem


@pytest.mark.parametrize("path", NO_HINTS)
def test_nothing_is_advised_without_a_reason(path):
    problem = path_checks.input_file_problem(Path(path))
    assert problem in (NO_HINTS[path], "cannot be read: Not a directory")


def test_names_that_cannot_be_printed_are_advised_on_one_line(tmp_path):
    (tmp_path / "two\nlines.jpg").write_bytes(b"x")
    assert path_checks.input_file_problem(Path("two lines.jpg")) == r"no such file; did you mean two\nlines.jpg?"
