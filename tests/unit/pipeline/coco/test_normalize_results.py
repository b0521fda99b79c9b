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
    "name of the image": (detection(image_id="hall"), {"image_id": 7}, "matched by name"),
    "file name": (detection(image_id="hall.png"), {"image_id": 7}, "matched by name"),
    "path": (detection(image_id="/data/val/hall.png"), {"image_id": 7}, "matched by name"),
    "path of Windows": (detection(image_id="C:\\val\\hall.png"), {"image_id": 7}, "matched by name"),
    "name of the category": (detection(category_id="pallet_truck"), {"category_id": 2}, "matched by name"),
    "confidence": (detection(score=..., confidence=0.5), {"score": 0.5}, "confidence is read instead"),
    "conf": (detection(score=..., conf=0.5), {"score": 0.5}, "conf is read instead"),
    "lists of one": (detection(score=[0.5], image_id=[7]), {"score": 0.5, "image_id": 7}, "lists of one (R)"),
    "row": (detection(bbox=[[1, 2, 3, 4]]), {"bbox": (1, 2, 3, 4)}, "list of lists (MATLAB)"),
    "mask NaN": (detection(segmentation=float("nan")), {"segmentation": None}, "NaN (pandas): read as missing"),
    "a little outside": (detection(bbox=[20, 5, 25, 26]), {"bbox": (20, 5, 25, 26)}, ""),
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


# Documents with the detection twice, and what the log says.
NESTED = {
    "one list for each image": ([[detection()], [], [detection()]], "one list for each image"),
    "in an object": ({"model": "yolo", "predictions": [detection()] * 2}, "in an object, under"),
}


@pytest.mark.parametrize("name", NESTED)
def test_detections_may_be_nested(tmp_path, caplog, name):
    content, message = NESTED[name]
    assert [each.bbox for each in results(tmp_path, content=content)] == [(1, 2, 10, 20)] * 2
    assert [message in line for line in caplog.messages] == [True]


def test_one_detection_that_is_no_list_is_read(tmp_path, caplog):
    assert len(results(tmp_path, content=detection())) == 1
    assert "read as a list" in caplog.text


def test_a_number_without_zeros_is_the_name_of_an_image(tmp_path):
    """Ultralytics writes 12 for 000000000012.jpg. Ids come first where they fit as well."""
    content = document()
    content["images"] = [
        {"id": number, "file_name": f"{name:012}.jpg", "width": 40, "height": 30} for number, name in ((7, 12), (8, 7))
    ]
    coco = read(tmp_path, content)
    path = tmp_path / "found.json"
    for image_ids, expected in (([12], [7]), ([12, 7], [7, 8]), ([7, 8], [7, 8]), ([7], [7])):
        path.write_text(json.dumps([detection(image_id=each) for each in image_ids]))
        assert [each.image_id for each in reader.read_results(path, coco)] == expected


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
    "category": (detection(category_id=0), r"\[0\]: category 0 is not in .* \(1 pedestrian, 2 pallet_truck\)"),
    "no category": (detection(category_id=...), r"\[0\]: category_id: missing"),
    "boolean": (detection(category_id=True), r"\[0\]: category_id: must be .* not true"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_result_is_one_line(tmp_path, name):
    entry, message = REFUSED[name]
    with pytest.raises(reader.CocoError, match=f"found.json: {message}") as caught:
        results(tmp_path, entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("image_id", [99, "99", "street", "hall.png.jpg", None, True, [7, 8]])
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
        ([{"image_id": 7, "boxes": [[1, 2, 3, 4]], "labels": [1], "scores": [0.5]}], "one image for each entry"),
        ([{"image_id": 7, "instances": [detection()]}], "one image for each entry: write COCO results"),
        ([detection(bbox=[30, 20, 38, 29]), detection(bbox=[1, 2, 11, 22])], "all boxes seem to be corners"),
        ([detection(bbox=[0.1, 0.2, 0.3, 0.4])] * 3, "all boxes seem to be shares"),
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
