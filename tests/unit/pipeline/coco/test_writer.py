# SPDX-License-Identifier: Apache-2.0
"""A file that is written entry by entry has the bytes of the document written at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coco.writer import open_coco_writer
from pipeline.common import json_files

INFO = {"name": "müll", "seed": 7}
CATEGORIES = [{"id": 1, "name": "pedestrian"}]
values = st.one_of(st.none(), st.integers(), st.sampled_from(["", "müll", 'a "b"', 0.1, 1e-9, [1, None]]))
entries = st.dictionaries(st.sampled_from("abz"), values)


@given(st.lists(st.tuples(entries, st.lists(entries, max_size=3)), max_size=4))
def test_the_bytes_of_the_whole_document(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("coco") / "train.json"
    with open_coco_writer(path, INFO, CATEGORIES) as writer:
        for image, annotations in images:
            writer.add(image, annotations)
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


def test_after_an_exception_there_is_no_file_and_a_former_one_stays(tmp_path):
    path = tmp_path / "train.json"
    for former in (None, b"former"):
        if former:
            path.write_bytes(former)
        with pytest.raises(ValueError, match="Out of range"), open_coco_writer(path, INFO, CATEGORIES) as writer:
            writer.add({"id": float("nan")}, [])
        assert [file.read_bytes() for file in tmp_path.iterdir()] == ([former] if former else [])
