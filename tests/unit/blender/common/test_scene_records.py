# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from blender.common import scene_records
from tests.helpers.records import record

SCENES = [record(index).model_dump(mode="json") for index in (4, 5)]


@pytest.mark.parametrize("wrap", [lambda scene: scene, lambda scene: {"scene": scene, "measured": {}}])
def test_lines_of_the_stage_sample_and_of_a_shard_are_both_read(tmp_path, wrap):
    path = tmp_path / "scenes.jsonl"
    path.write_text("".join(json.dumps(wrap(scene)) + "\n" for scene in SCENES))
    assert scene_records.read_records(path) == SCENES
    assert scene_records.read_record(path, 5) == SCENES[1]


def test_a_single_record_may_span_several_lines(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(SCENES[0], indent=2))
    assert scene_records.read_record(path, None) == SCENES[0]


@pytest.mark.parametrize(
    ("text", "index", "reason"),
    [
        ("", None, "no record in it"),
        (json.dumps(SCENES[0]) + "\n{half", None, "line 2: no JSON"),
        ('{"a": 1}', None, "line 1: no scene record"),
        ("[1, 2]", None, "line 1: no scene record"),
        ("\n".join(map(json.dumps, SCENES)), None, r"2 records \(images 4 to 5\): choose one with --index"),
        ("\n".join(map(json.dumps, SCENES)), 9, "not image 9"),
    ],
)
def test_the_message_says_what_is_wrong_with_a_file(tmp_path, text, index, reason):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(scene_records.RecordError, match=reason):
        scene_records.read_record(path, index)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(scene_records.RecordError, match=r"nowhere\.json: No such file"):
        scene_records.read_records(tmp_path / "nowhere.json")
