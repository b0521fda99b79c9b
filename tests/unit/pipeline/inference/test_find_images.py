# SPDX-License-Identifier: Apache-2.0
"""Which files of the user are taken as images, and what is said about the others."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.common import image_files, image_formats
from pipeline.inference.find_images import InputsError, find_images
from pipeline.inference.prediction_files import DRAWN_BY


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path, *inputs: Path, recursive: bool = False) -> list[str]:
    paths = find_images(inputs or [folder], recursive)
    return [os.path.relpath(path, folder) for path in paths]


def test_every_suffix_of_the_formats_that_are_read_is_found(tmp_path):
    names = [
        *[
            "a.jpg",
            "b.JPEG",
            "c.PNG",
            "d.tif",
            "e.TIFF",
            "f.webp",
            "g.bmp",
            "h.gif",
            "i.avif",
            "j.jp2",
            "k.pgm",
            "l.ppm",
            "m.tga",
            "n.jfif",
            "o.mpo",
        ]
    ]
    make(tmp_path, *names)
    assert found(tmp_path) == names


def test_what_is_passed_over_is_counted_and_named_on_one_line(tmp_path, caplog):
    caplog.set_level("INFO")
    make(tmp_path, "a.jpg", "._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "b.heic", "c.txt", "IMG_1")
    make(tmp_path, "day 1/d.jpg", ".thumbnails/e.jpg", "x.jpg/f.jpg")
    assert found(tmp_path) == ["a.jpg"]
    (line,) = caplog.messages
    assert line.startswith("skipped ")
    for part in (
        "hidden: 5 (",
        "not read (convert these to JPEG or PNG): 1 (b.heic)",
        "suffix: 2 (",
        "c.txt",
        "IMG_1",
        "2 (",
        "day 1",
        "x.jpg",
    ):
        assert part in line


def test_folders_in_folders_are_searched_on_request(tmp_path, caplog):
    caplog.set_level("INFO")
    make(tmp_path, "a.jpg", "2/b.jpg", "2/3/c.jpg", ".hidden/d.jpg", "__MACOSX/._a.jpg")
    (tmp_path / "2" / "circle").symlink_to(tmp_path)
    assert found(tmp_path) == ["a.jpg"]
    assert found(tmp_path, recursive=True) == ["2/3/c.jpg", "2/b.jpg", "a.jpg"]
    assert "links to folders: 1 (circle)" in caplog.messages[-1]


@pytest.mark.parametrize("name", ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "__MACOSX"])
def test_folders_of_the_system_are_hidden(tmp_path, caplog, name):
    caplog.set_level("INFO")
    make(tmp_path, "a.jpg", f"{name}/a.jpg/SYNOPHOTO_THUMB_M.jpg", f"day/{name}/b.jpg")
    assert found(tmp_path, recursive=True) == ["a.jpg"]
    assert f"hidden: 2 ({name}, {name})" in caplog.messages[0]
    assert found(tmp_path, tmp_path / "day" / name) == [f"day/{name}/b.jpg"]


def test_an_image_that_is_named_more_than_once_is_taken_once(tmp_path, caplog):
    caplog.set_level("INFO")
    make(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "other").symlink_to(tmp_path)
    inputs = [tmp_path / "b.jpg", tmp_path, tmp_path / "other", tmp_path / "x" / ".." / "b.jpg"]
    (tmp_path / "x").mkdir()
    assert found(tmp_path, *inputs) == ["b.jpg", "a.jpg", "link.jpg"]
    assert "given more than once: 5 (" in caplog.messages[0]


def test_drawn_copies_of_an_earlier_run_are_no_images(tmp_path, caplog):
    caplog.set_level("INFO")
    image_files.write_png(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8), software=DRAWN_BY)
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    assert found(tmp_path) == ["b.png"]
    assert "drawn copies of an earlier run: 1 (" in caplog.messages[0]
    with pytest.raises(InputsError, match=r"a\.png: no images to predict; skipped drawn copies"):
        find_images([tmp_path / "a.png"])


def test_what_cannot_be_opened_is_kept_to_be_named_later(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("gone.jpg")
    assert found(tmp_path) == ["broken.jpg", "pipe.jpg"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"in: no images to predict; suffixes of images are \.jpg"),
        (["a.heic"], r"not read .*: 1 .*a\.heic"),
        (["day/a.jpg"], r"search them with --recursive.*day"),
        (None, "in: no such file or folder"),
    ],
)
def test_inputs_without_images_are_refused(tmp_path, names, message):
    if names is not None:
        (tmp_path / "in").mkdir()
        make(tmp_path / "in", *names)
    with pytest.raises(InputsError, match=message) as caught:
        find_images([tmp_path / "in"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "DSC_1.NEF", "1.CR3", "1.dng", "1.jxl", "1.mp4", "IMG_2.MOV", "a.pdf"])
def test_a_folder_of_another_format_says_what_to_do(tmp_path, name):
    make(tmp_path, name)
    with pytest.raises(InputsError, match=rf"no images to predict; skipped formats .*convert these.*: 1 \({name}\)$"):
        found(tmp_path)


def test_no_suffix_is_both_read_and_not_read():
    assert not image_formats.OTHER_SUFFIXES & image_formats.suffixes()
