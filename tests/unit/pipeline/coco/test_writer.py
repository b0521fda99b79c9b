# SPDX-License-Identifier: Apache-2.0
"""A file written entry by entry has the bytes of the document written at once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coco.writer import CocoWriter
from pipeline.common import json_files

INFO = {"name": "müll", "seed": 7}
CATEGORIES = [{"id": 1, "name": "pedestrian"}]
values = st.one_of(st.none(), st.integers(), st.sampled_from(["", "müll", 'a "b"', 0.1, 1e-9, [1, None]]))
entries = st.dictionaries(st.sampled_from("abz"), values)


@given(st.lists(st.tuples(entries, st.lists(entries, max_size=3)), max_size=4))
def test_the_bytes_of_the_whole_document(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("coco") / "train.json"
    with CocoWriter(path, INFO, CATEGORIES) as writer:
        for image, annotations in images:
            writer.add(image, annotations)
        writer.finish()
    numbered = [entry for _, annotations in images for entry in annotations]
    document = {
        "info": INFO,
        "categories": CATEGORIES,
        "images": [image for image, _ in images],
        "annotations": [{"id": number, **entry} for number, entry in enumerate(numbered, 1)],
    }
    assert path.read_bytes() == json_files.json_bytes(document)
    assert (writer.image_count, writer.annotation_count) == (len(images), len(numbered))
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_was_not_finished_is_no_json(tmp_path):
    with CocoWriter(tmp_path / "train.json", INFO, CATEGORIES) as writer:
        writer.add({"id": 1}, [])
    with pytest.raises(json.JSONDecodeError):
        json.loads((tmp_path / "train.json").read_text())
