# SPDX-License-Identifier: Apache-2.0
"""COCO results of other tools are read where their meaning is clear, and named where they are of another file."""

import json
from typing import Any

import pytest

from pipeline.coco import reader
from pipeline.common import json_files
from tests.helpers.coco_documents import document, read

FULL = {"size": [30, 40], "counts": "0`U1"}
POLYGON = [1, 2, 11, 2, 11, 22, 1, 22]


def results(folder, *entries: Any, content: Any = None) -> tuple[reader.Detection, ...]:
    path = folder / "found.json"
    path.write_text(json.dumps(content if content is not None else list(entries)))
    return reader.read_results(path, read(folder, document()))


def detection(**values: Any) -> dict[str, Any]:
    entry = {"image_id": 7, "category_id": 2, "bbox": [1, 2, 10, 20], "score": 0.5} | values
    return {key: value for key, value in entry.items() if value is not ...}


ACCEPTED = {
    "ids as text": (detection(image_id="7", category_id="2"), {"image_id": 7, "category_id": 2}, "matched"),
    "ids 7.0": (detection(image_id=7.0), {"image_id": 7}, "matched"),
    "name of the image": (detection(image_id="hall"), {"image_id": 7}, "Ultralytics"),
    "score as text": (detection(score="0.5"), {"score": 0.5}, "written as text"),
    "score 87": (detection(score=87), {"score": 87}, "only their order counts"),
    "box as text": (detection(bbox=["1", "2", "3", "4"]), {"bbox": (1, 2, 3, 4)}, "written as text"),
    "mask alone": (detection(bbox=..., segmentation=FULL), {"bbox": (0, 0, 40, 30)}, "computed"),
    "empty list": (detection(segmentation=[]), {"segmentation": None}, ""),
    "uncompressed": (
        detection(segmentation={"size": [30, 40], "counts": [0, 1200]}),
        {"segmentation": reader.Rle(size=(30, 40), counts=[0, 1200])},
        "",
    ),
    "no pixels": (
        detection(segmentation={"size": [30, 40], "counts": "`U1"}),
        {"segmentation": reader.Rle(size=(30, 40), counts="`U1")},
        "",
    ),
    "box of no area": (detection(bbox=[1, 2, 0, 0]), {"bbox": (1, 2, 0, 0)}, ""),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_result_of_another_tool_is_read(tmp_path, caplog, name):
    entry, expected, message = ACCEPTED[name]
    (found,) = results(tmp_path, entry)
    assert {key: getattr(found, key) for key in expected} == expected
    assert message in caplog.text
    assert len(caplog.messages) == bool(message)


def test_polygons_become_rle(tmp_path, caplog):
    (found,) = results(tmp_path, detection(segmentation=[POLYGON]))
    assert reader.decode_segmentation(found.segmentation, 30, 40, "").sum() == 200
    assert "polygons: drawn as RLE" in caplog.text


REFUSED = {
    "no score": (detection(score=...), r"\[0\]: score: missing"),
    "score NaN": (detection(score=float("nan")), r"\[0\]: score: must be a number, not NaN"),
    "score text": (detection(score="high"), r'\[0\]: score: must be a number, not "high"'),
    "score null": (detection(score=None), r"\[0\]: score: missing"),
    "no box": (detection(bbox=...), r"\[0\]: bbox must be four numbers"),
    "negative box": (detection(bbox=[5, 5, -2, 3]), r"\[0\]: bbox .* is no box"),
    "huge box": (detection(bbox=[0, 0, 1e9, 1e9]), r"\[0\]: bbox .* is no box"),
    "mask of another size": (detection(segmentation={"size": [3, 4], "counts": "<"}), r"\[0\]: segmentation has size"),
    "mask ends early": (
        detection(segmentation={"size": [30, 40], "counts": [10, 20]}),
        r"\[0\]: .* add up to 30 pixels",
    ),
    "category": (detection(category_id=9), r"\[0\]: category 9 is not in"),
    "no category": (detection(category_id=...), r"\[0\]: category_id: missing"),
    "boolean": (detection(category_id=True), r"\[0\]: category true is not in"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_result_is_one_line(tmp_path, name):
    entry, message = REFUSED[name]
    with pytest.raises(reader.CocoError, match=f"found.json: {message}") as caught:
        results(tmp_path, entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("image_id", [99, "99", "street", None, True, [7]])
def test_results_for_another_file_are_one_line(tmp_path, image_id):
    with pytest.raises(
        reader.CocoError, match=r"found.json: none of its image ids.*results for another file"
    ) as caught:
        results(tmp_path, *[detection(image_id=image_id)] * 30)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", [None, 3, "text", []])
def test_an_entry_that_is_no_object_is_named(tmp_path, entry):
    with pytest.raises(reader.CocoError, match=r"\[1\]: must be an object with keys"):
        results(tmp_path, detection(), entry)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(), "seems to be a COCO file with annotations, .*--annotations"),
        ({"predictions": []}, "must be a list of detections"),
        ({"version": "5", "shapes": [], "imagePath": "a"}, "LabelMe"),
        ("text", "must be a list of detections"),
        (3, "must be a list of detections"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path, content, message):
    with pytest.raises(reader.CocoError, match=message):
        results(tmp_path, content=content)


def test_no_detections_are_results_too(tmp_path):
    assert results(tmp_path, content=[]) == ()


def test_results_of_a_merged_category_count_for_the_one_it_is_read_as(tmp_path):
    content = document()
    content["categories"][0]["name"] = "pallet_truck"
    file = read(tmp_path, content)
    json_files.write_json(tmp_path / "found.json", [detection(category_id=1), detection(category_id=2)])
    assert [each.category_id for each in reader.read_results(tmp_path / "found.json", file)] == [1, 1]
