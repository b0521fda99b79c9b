# SPDX-License-Identifier: Apache-2.0
"""Images are found under the paths that other tools write; what fits several files is not guessed."""

import os
import unicodedata
from pathlib import Path

import pytest

from pipeline.coco.image_lookup import ImageFolder


def make(folder: Path, *names: str) -> ImageFolder:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return ImageFolder(folder)


# The file in the folder, and the name in the COCO file.
PATHS = {
    "Windows": ("train/a.jpg", "train\\a.jpg"),
    "Windows, absolute": ("a.jpg", "C:\\data\\train\\a.jpg"),
    "absolute": ("train/a.jpg", "/home/someone/set/train/a.jpg"),
    "leading dot": ("a.jpg", "./a.jpg"),
    "file URL": ("a.jpg", "file:///data/a.jpg"),
    "URL": ("a.jpg", "https://host.org/images/a.jpg?token=1#x"),
    "URL, encoded": ("hall 1.jpg", "https://host.org/images/hall%201.jpg"),
    "bucket": ("a.jpg", "gs://bucket/images/a.jpg"),
    "CVAT": ("a.jpg", "default/a.jpg"),
    "deeper": ("x/y/a.jpg", "a.jpg"),
    "other folder": ("x/a.jpg", "y/a.jpg"),
    "encoded": ("hall 1.jpg", "hall%201.jpg"),
    "Label Studio": ("hall.jpg", "images/8f3a1c2d-hall.jpg"),
    "Label Studio upload": ("hall 1.jpg", "/data/upload/3/8f3a1c2d-hall%201.jpg"),
    "Label Studio local": ("train/a.jpg", "/data/local-files/?d=train/a.jpg"),
    "case of the suffix": ("A.JPG", "A.jpg"),
    "case": ("Halle/B.png", "halle/b.PNG"),
    "converted": ("x/a.jpg", "x/a.PNG"),
    "no suffix": ("hall.12.jpg", "hall.12"),
    "decomposed": (unicodedata.normalize("NFD", "grün.jpg"), "grün.jpg"),
    "composed": ("grün.jpg", unicodedata.normalize("NFD", "grün.jpg")),
}


@pytest.mark.parametrize("name", PATHS)
def test_an_image_is_found_under_the_path_of_another_tool(tmp_path, name):
    file, written = PATHS[name]
    match = make(tmp_path, file, "other.png").find(written)
    assert match.paths == (tmp_path / file,)
    assert bool(match.assumed) == (name != "leading dot")


@pytest.mark.parametrize(
    "name", ["hall 1.jpg", "100%25.jpg", "a#b.jpg", "x/8f3a1c2d-a.jpg", "back\\slash.jpg", "a\nb.jpg"]
)
def test_a_name_that_exists_as_it_stands_is_taken(tmp_path, name):
    folder = make(tmp_path, name, "slash.jpg", "a.jpg", "100%.jpg")
    assert folder.find(name) == ((tmp_path / name,), "")


def test_an_absolute_path_that_exists_is_taken(tmp_path):
    make(tmp_path / "elsewhere", "a.jpg")
    folder = make(tmp_path / "images", "a.jpg")
    assert folder.find(str(tmp_path / "elsewhere/a.jpg")).paths == (tmp_path / "elsewhere/a.jpg",)


def test_a_name_that_fits_several_files_gives_all_of_them(tmp_path):
    folder = make(tmp_path, "x/a.jpg", "y/a.jpg")
    assert folder.find("z/a.jpg").paths == (tmp_path / "x/a.jpg", tmp_path / "y/a.jpg")
    assert folder.find("set/y/a.jpg").paths == (tmp_path / "y/a.jpg",)


@pytest.mark.parametrize(
    "name",
    ["b.jpg", "x/a.png", "b", "a.1", "a.txt", "", "..", "/", "a\0b", "http://[", "%00", "x" * 5000, "\udcfc.jpg"],
)
def test_a_name_that_fits_nothing_finds_nothing(tmp_path, name):
    assert [path for path in make(tmp_path, "a.jpg").find(name).paths if path.is_file()] == []


def test_a_name_in_windows_1252_finds_the_file_with_these_bytes(tmp_path):
    written = os.fsdecode(b"gr\xfcn.jpg")
    assert make(tmp_path, written).find("grün.jpg").paths == (tmp_path / written,)


def test_hidden_files_are_not_found(tmp_path):
    assert make(tmp_path, ".thumbs/a.jpg", "x/._a.jpg").find("y/a.jpg").paths == ()
