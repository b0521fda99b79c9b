# SPDX-License-Identifier: Apache-2.0
"""JSON files, hashes, images, and the base class of errors."""

import hashlib
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import app
from pipeline.common import errors, file_hash, image_files, json_files

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=10,
)


@given(DOCUMENTS)
def test_json_is_read_back_and_is_one_line(document):
    content = json_files.json_bytes(document)
    assert json.loads(content) == document
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5), st.randoms())
def test_the_order_of_keys_does_not_change_the_bytes(document, random):
    items = list(document.items())
    random.shuffle(items)
    assert json_files.json_bytes(dict(items)) == json_files.json_bytes(document)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_json_does_not_have_are_refused_and_the_former_file_stays(tmp_path, value):
    path = tmp_path / "new" / "a.json"
    json_files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range"):
        json_files.write_json(path, {"a": value})
    assert path.read_bytes() == b'{"a":1}\n'
    assert [each.name for each in path.parent.iterdir()] == ["a.json"]


@given(st.binary(max_size=1000))
def test_the_hash_is_the_sha256_of_the_content(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("hash") / "file"
    path.write_bytes(content)
    assert file_hash.sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_a_png_file_gives_the_same_rgb_pixels_back(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    image_files.write_png(tmp_path / "new" / "a.png", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "new" / "a.png"))[:, :, ::-1], image)


def test_the_command_line_prints_an_error_of_ours_without_a_traceback(monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise errors.CaristeError("a.yaml: wrong; do this")

    monkeypatch.setattr(app, "app", fail)
    assert app.main([]) == 2
    assert capsys.readouterr().err == "a.yaml: wrong; do this\n"


def _subclasses(kind: type) -> set[type]:
    return {each for child in kind.__subclasses__() for each in {child, *_subclasses(child)}}


def test_errors_that_users_can_mend_have_different_names():
    names = [each.__name__ for each in _subclasses(errors.CaristeError)]
    assert sorted(names) == sorted(set(names))
