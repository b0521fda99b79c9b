# SPDX-License-Identifier: Apache-2.0
"""What is said about paths that cannot be read or written; nothing on the disk changes."""

import os
from pathlib import Path

import pytest

from pipeline.common import path_checks


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A current folder with one of everything that a path can lead to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.json").write_text("{}")
    (tmp_path / "empty.json").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "protected.json").write_text("{}")
    (tmp_path / "protected.json").chmod(0o444)
    os.mkfifo("pipe")
    for name, target in {
        "link.json": "file.json",
        "folder link": "folder",
        "dangling": "missing.json",
        "far dangling": "missing/file.json",
        "circle": "circle",
    }.items():
        (tmp_path / name).symlink_to(target)
    return tmp_path


READ = {
    "file.json": None,
    "./folder/../file.json": None,
    "link.json": None,
    "missing": "no such file",
    "fiel.json": "no such file; did you mean file.json?",
    "missing/file.json": "no such file: there is no folder missing",
    "file.json/x": "cannot be read: Not a directory",
    "folder": "is a folder, not a file",
    "folder link": "is a folder, not a file",
    "empty.json": "is empty (0 bytes)",
    "pipe": "is a pipe or a device, not a file; write its content to a file first",
    "/dev/null": "is a pipe or a device, not a file; write its content to a file first",
    "dangling": "is a link to missing.json, which does not exist",
    "circle": "cannot be read: Too many levels of symbolic links",
    "x" * 256: "cannot be read: File name too long",
    "x/" * 3000: "cannot be read: File name too long",
}
WRITTEN = {
    "file.json": None,
    "new.json": None,
    "new/folder/file.json": None,
    "../new.json": None,
    "missing/../new.json": None,
    "link.json": None,
    "dangling": None,
    "x" * 250: None,
    "grün #1 'a' $b.json": None,
    "gr\udcfcn.json": None,
    "far dangling": "is a link to {folder}/missing/file.json, whose folder does not exist",
    "circle": "cannot be written: Symlink loop from '{folder}/circle'",
    "folder": "is a folder; give the name of a file, such as folder/NAME",
    ".": "is a folder; give the name of a file, such as NAME",
    "file.json/new.json": "cannot be made: {folder}/file.json is a file, not a folder",
    "file.json/new/new.json": "cannot be made: {folder}/file.json is a file, not a folder",
    "protected.json": "exists and is write-protected",
    "pipe": "is a stream or a device, not a file; give the name of a file",
    "/dev/null": "is a stream or a device, not a file; give the name of a file",
    "/dev/stdout": "is a stream or a device, not a file; give the name of a file",
    "/proc/new.json": "is a stream or a device, not a file; give the name of a file",
    "two\nlines": "is no name for a file",
    "x" * 256: "cannot be written: File name too long",
    "new/" + "x" * 256: "has a name that is too long: 256 bytes, at most 255",
}
FOLDERS = {
    "folder": None,
    "folder link": None,
    "new/folder": None,
    ".": None,
    "file.json": "is a file; give the name of a folder",
    "pipe": "is a file; give the name of a folder",
    "/dev/null": "is a file; give the name of a folder",
    "file.json/new": "cannot be made: {folder}/file.json is a file, not a folder",
    "/proc/new": "cannot be written in /proc: No such file or directory",
    "x" * 256: "cannot be written: File name too long",
}


def everything(folder: Path) -> list[tuple]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


@pytest.mark.parametrize(
    ("check", "cases"),
    [
        (path_checks.input_file_problem, READ),
        (path_checks.output_file_problem, WRITTEN),
        (path_checks.output_folder_problem, FOLDERS),
    ],
)
def test_every_kind_of_path_is_judged_and_nothing_changes(folder, check, cases):
    before = everything(folder)
    found = {text: check(Path(text)) for text in cases}
    assert found == {text: problem and problem.format(folder=folder) for text, problem in cases.items()}
    assert everything(folder) == before


def test_a_folder_to_read_is_no_file(folder):
    assert path_checks.input_folder_problem(Path("folder")) is None
    assert path_checks.input_folder_problem(Path("file.json")) == "is a file, not a folder"
    assert path_checks.input_folder_problem(Path("fodler")) == "no such folder; did you mean folder?"
    assert path_checks.input_problem(Path("folder")) is None
    assert path_checks.input_problem(Path("file.json")) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("a\0b", "has a NUL"),
        ("-", "is no file: standard input"),
        ("./-", None),
        ("a b", None),
        ("s3://a", "is a URL"),
        ("C:/a", None),
    ],
)
def test_a_text_that_is_no_path_is_refused(text, problem):
    found = path_checks.text_problem(text)
    assert found is None if problem is None else found.startswith(problem)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("grün", "grün"),
        ("gr\udcfcn", r"gr\xfcn"),
        ("a\nb", r"a\nb"),
        ("a\0b", r"a\x00b"),
        ("", "''"),
        ("\x1b[1m", r"\x1b[1m"),
    ],
)
def test_a_path_is_shown_on_one_line(path, shown):
    assert path_checks.shown(path) == shown
