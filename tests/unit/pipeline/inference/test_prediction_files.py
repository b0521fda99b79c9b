# SPDX-License-Identifier: Apache-2.0
"""Names of drawn copies are unique and hide nothing; files of the user stay."""

import os
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common import image_files, json_files
from pipeline.inference import prediction_files
from pipeline.inference.prediction_files import DRAWN_BY, ResultsError, drawn_paths
from tests.helpers.search import examples


def names(images: list[str], folder: Path) -> list[str]:
    return [path.name for path in drawn_paths([Path(image) for image in images], folder)]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["a.jpg", "b.jpg"], ["a.png", "b.png"]),
        (["a.jpg", "a.png", "a_1.jpg"], ["a_1.png", "a_2.png", "a_1_3.png"]),
        (["x/a.jpg", "y/a.jpg"], ["a_1.png", "a_2.png"]),
        (["a.jpg", "A.jpg"], ["a_1.png", "A_2.png"]),
        (["\u00e4.jpg", "a\u0308.jpg"], ["\u00e4_1.png", "a\u0308_2.png"]),
        (["a.tar.jpg", "a"], ["a.tar.png", "a.png"]),
        (["a\nb.jpg"], ["a_b.png"]),
        ([os.fsdecode(b"gr\xfcn.jpg")], [os.fsdecode(b"gr\xfcn.png")]),
        (["🚜" * 62 + ".jpg"], ["🚜" * 50 + ".png"]),
        (["x" * 251 + ".jpg", "x" * 251 + ".png"], ["x" * 200 + "_1.png", "x" * 200 + "_2.png"]),
    ],
)
def test_every_image_has_a_drawn_copy_of_its_own(tmp_path, images, expected):
    assert names(images, tmp_path) == expected
    assert all(len(os.fsencode(name)) <= 255 for name in expected)


def test_names_of_files_of_the_user_are_avoided_and_those_of_earlier_copies_are_used_again(tmp_path):
    (tmp_path / "a.PNG").touch()
    (tmp_path / "a_1.png").touch()
    image_files.write_png(tmp_path / "b.png", np.zeros((8, 8, 3), np.uint8), software=DRAWN_BY)
    assert names(["a.jpg", "b.jpg"], tmp_path) == ["a_1_2.png", "b.png"]


def test_results_of_an_earlier_run_are_replaced_and_files_of_the_user_are_not(tmp_path):
    out = tmp_path / "out"
    prediction_files.check_folder(out)
    prediction_files.write(out, [], [], [])
    prediction_files.check_folder(out)
    json_files.write_json(out / "images.json", {"images": []})
    with pytest.raises(ResultsError, match=r"images\.json and .*predictions\.json: not of an earlier run"):
        prediction_files.check_folder(out)
    (out / "images.json").unlink()
    with pytest.raises(ResultsError, match=r"out/predictions\.json: not of an earlier run"):
        prediction_files.check_folder(out)


FILE_NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 250
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(FILE_NAMES, max_size=8), st.lists(FILE_NAMES, max_size=4))
def test_no_two_images_and_no_file_of_the_user_have_the_name_of_a_drawn_copy(images, others):
    with tempfile.TemporaryDirectory() as folder:
        for name in others:
            (Path(folder) / name).touch()
        found = names([f"in/{name}" for name in images], Path(folder))
    compared = [unicodedata.normalize("NFC", name).casefold() for name in (*found, *dict.fromkeys(others))]
    assert len(set(compared[: len(found)])) == len(found) == len(images)
    assert not set(compared[: len(found)]) & set(compared[len(found) :])
    assert all(len(os.fsencode(name)) <= 255 and "\n" not in name for name in found)
