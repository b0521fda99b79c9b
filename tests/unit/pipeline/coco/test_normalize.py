# SPDX-License-Identifier: Apache-2.0
"""What other tools write differently is read where its meaning is clear, with one line that says what was assumed."""

import json
import logging
from typing import Any

import pytest
from PIL import Image

from pipeline.coco import reader
from tests.helpers.coco_documents import changed, document, read, write

POLYGON = [1, 2, 11, 2, 11, 22, 1, 22]
FULL_MASK = {"size": [30, 40], "counts": "0`U1"}


def annotation(**values: Any) -> dict[str, Any]:
    return changed("annotations", **values)


def of_categories(*categories: dict[str, Any], used: Any) -> dict[str, Any]:
    return {**annotation(category_id=used), "categories": list(categories)}


# What is written, what of the annotation is read, and what the log says.
ANNOTATIONS = {
    "ids as text": (annotation(image_id="7", category_id="2"), {"image_id": 7, "category_id": 2}, "matched"),
    "ids 7.0": (annotation(image_id=7.0, id=1.0), {"image_id": 7, "id": 1}, "matched"),
    "box as text": (annotation(bbox="[1, 2, 10, 20]"), {"bbox": (1, 2, 10, 20)}, "numbers are written as text"),
    "box of texts": (annotation(bbox=["1", "2", "10", "2e1"]), {"bbox": (1, 2, 10, 20)}, "numbers are written as text"),
    "box as object": (
        annotation(bbox={"x": 1, "y": 2, "width": 10, "height": 20}),
        {"bbox": (1, 2, 10, 20)},
        "bbox is an object",
    ),
    "box with other keys": (
        annotation(bbox={"x": 1, "y": 2, "w": 10, "h": 20}),
        {"bbox": (1, 2, 10, 20)},
        "x, y, w, h",
    ),
    "box with left": (
        annotation(bbox={"left": 1, "top": 2, "width": 10, "height": 20}),
        {"bbox": (1, 2, 10, 20)},
        "left, top, width, height",
    ),
    "box with corners": (
        annotation(bbox={"xmin": 1, "ymin": 2, "xmax": 11, "ymax": "22"}),
        {"bbox": (1, 2, 10, 20)},
        "xmin, ymin, xmax, ymax: read as x, y, width, height",
    ),
    "box as row": (annotation(bbox=[[1, 2, 10, 20]]), {"bbox": (1, 2, 10, 20)}, "list of lists (MATLAB)"),
    "box as column": (annotation(bbox=[[1], [2], [10], [20]]), {"bbox": (1, 2, 10, 20)}, "list of lists (MATLAB)"),
    "box from polygon": (
        annotation(bbox=..., segmentation=[POLYGON]),
        {"bbox": (1, 2, 10, 20)},
        "bbox is missing or has no area: computed from the segmentation",
    ),
    "box null, RLE": (
        annotation(bbox=None, segmentation={"size": [30, 40], "counts": [32, 20, 10, 20, 1118]}),
        {"bbox": (1, 2, 2, 20)},
        "computed from the segmentation",
    ),
    "flat box, polygon": (annotation(bbox=[1, 2, 0, 0], segmentation=[POLYGON]), {"bbox": (1, 2, 10, 20)}, "computed"),
    "box a little outside": (annotation(bbox=[-1.5, 2, 40, 20]), {"bbox": (0, 2, 38.5, 20)}, "cut at the border"),
    "flat polygon": (annotation(segmentation=POLYGON), {"segmentation": [POLYGON]}, "flat list"),
    "points": (
        annotation(segmentation=[[1, 2], [11, 2], [11, 22]]),
        {"segmentation": [[1, 2, 11, 2, 11, 22]]},
        "points",
    ),
    "polygons of points": (
        annotation(segmentation=[[[1, 2], [11, 2], [11, 22]], POLYGON]),
        {"segmentation": [[1, 2, 11, 2, 11, 22], POLYGON]},
        "polygons are lists of points",
    ),
    "points as objects": (
        annotation(segmentation=[[{"x": 1, "y": 2}, {"x": 11, "y": 2}, {"x": 11, "y": 22}]]),
        {"segmentation": [[1, 2, 11, 2, 11, 22]]},
        "lists of points",
    ),
    "contours of OpenCV": (
        annotation(segmentation=[[[[1, 2]], [[11, 2]], [[11, 22]]], [[[1, 2]], [[11, 2]], [[11, 22]]]]),
        {"segmentation": [[1, 2, 11, 2, 11, 22]] * 2},
        "nested deeper",
    ),
    "polygons in parts": (annotation(segmentation=[[POLYGON]]), {"segmentation": [POLYGON]}, "nested deeper"),
    "JSON in text": (annotation(segmentation=json.dumps([POLYGON])), {"segmentation": [POLYGON]}, "JSON in a text"),
    "RLE in text": (
        annotation(segmentation=json.dumps(FULL_MASK)),
        {"segmentation": reader.Rle(**FULL_MASK)},
        "JSON in a text",
    ),
    "counts as text": (
        annotation(segmentation={"size": [30, 40], "counts": "32 20 1148"}),
        {"segmentation": reader.Rle(size=(30, 40), counts=[32, 20, 1148])},
        "numbers are written as text",
    ),
    "counts of texts": (
        annotation(segmentation={"size": ["30", "40"], "counts": ["32", "20", "1148"]}),
        {"segmentation": reader.Rle(size=(30, 40), counts=[32, 20, 1148])},
        "numbers are written as text",
    ),
    "counts in a list": (
        annotation(segmentation={"size": [30, 40], "counts": ["0`U1"]}),
        {"segmentation": reader.Rle(**FULL_MASK)},
        "a list of one text",
    ),
    "mask NaN": (annotation(segmentation=float("nan")), {"segmentation": None}, "NaN (pandas): read as missing"),
    "crowd NaN": (annotation(iscrowd=float("nan")), {"iscrowd": 0}, "NaN (pandas): read as missing"),
    "lists of one": (annotation(image_id=[7], iscrowd=[0]), {"image_id": 7, "iscrowd": 0}, "lists of one (R)"),
    "category by name": (annotation(category_id="pallet_truck"), {"category_id": 2}, "matched by name"),
    "image by name": (annotation(image_id="hall.png"), {"image_id": 7}, "matched by name"),
    "filename": (changed("images", file_name=..., filename="hall.png"), {}, "filename is read instead"),
    "one image": ({**document(), "images": document()["images"][0]}, {}, "images is one object"),
    "one annotation": ({**document(), "annotations": document()["annotations"][0]}, {}, "annotations is one object"),
    "one category": ({**document(), "categories": document()["categories"][1]}, {}, "categories is one object"),
    "images by id": ({**document(), "images": {"7": {**document()["images"][0], "id": 7}}}, {}, "the keys as ids"),
    "category names by id": (
        {**document(), "categories": {"1": "pedestrian", "2": "pallet_truck"}},
        {"category_id": 2},
        "an object of ids and names",
    ),
    "category ids by name": (
        {**document(), "categories": {"pedestrian": 1, "pallet_truck": 2}},
        {"category_id": 2},
        "an object of names and ids",
    ),
    "columns of pandas": (
        {**document(), "annotations": {key: {"0": value} for key, value in document()["annotations"][0].items()}},
        {"bbox": (1, 2, 10, 20)},
        "a table by columns",
    ),
    "columns of R": (
        {**document(), "annotations": {key: [value] for key, value in document()["annotations"][0].items()}},
        {"bbox": (1, 2, 10, 20)},
        "a table by columns",
    ),
    "category of two files": (
        of_categories({"id": 2, "name": "t"}, {"id": 2, "name": "t", "supercategory": "vehicle"}, used=2),
        {"category_id": 2},
        "entries are listed twice: read once (category 2)",
    ),
    "polygon of texts": (annotation(segmentation=[list(map(str, POLYGON))]), {"segmentation": [POLYGON]}, "as text"),
    "two points": (annotation(segmentation=[[1, 2, 3, 4]]), {"segmentation": None}, "without a mask"),
    "two points of two polygons": (
        annotation(segmentation=[[1, 2, 3, 4], POLYGON]),
        {"segmentation": [POLYGON]},
        "a polygon has fewer than three points or no area: left out",
    ),
    "line": (annotation(segmentation=[[1, 2, 11, 2, 21, 2]]), {"segmentation": None}, "without a mask"),
    "bytes as text": (
        annotation(segmentation={"size": [30, 40], "counts": "b'0`U1'"}),
        {"segmentation": reader.Rle(**FULL_MASK)},
        "bytes written as text",
    ),
    "RLE in a list": (annotation(segmentation=[FULL_MASK]), {"segmentation": reader.Rle(**FULL_MASK)}, "one RLE"),
    "RLE without size": (
        annotation(segmentation={"counts": [0, 1200.0]}),
        {"segmentation": reader.Rle(size=(30, 40), counts=[0, 1200])},
        "size is missing",
    ),
    "empty RLE": (annotation(segmentation={"size": [30, 40], "counts": [1200]}), {"segmentation": None}, "no pixels"),
    "crowd true": (annotation(iscrowd=True), {"iscrowd": 1}, "iscrowd is true, false or text"),
    "crowd false": (annotation(iscrowd=False), {"iscrowd": 0}, "iscrowd is true, false or text"),
    "crowd text": (annotation(iscrowd="0"), {"iscrowd": 0}, "iscrowd is true, false or text"),
    "crowd 1.0": (annotation(iscrowd=1.0), {"iscrowd": 1}, "iscrowd is true, false or text"),
    "area as text": (annotation(area="200"), {"area": 200}, "numbers are written as text"),
    "area NaN": (annotation(area=float("nan")), {"area": None}, "area is no number"),
    "area list": (annotation(area=[200]), {"area": None}, "area is no number"),
    "no annotation id": (annotation(id=...), {"id": 1}, "numbered anew"),
    "null annotation id": (annotation(id=None), {"id": 1}, "numbered anew"),
    "width as text": (changed("images", width="40", height=30.0), {}, "numbers are written as text"),
    "file name from URL": (changed("images", file_name=..., coco_url="http://x.org/a/b.jpg"), {}, "name in coco_url"),
    "name is a number": (changed("categories", name=3), {}, "name of a category is a number"),
    "equal names": (
        of_categories({"id": 1, "name": "truck"}, {"id": 2, "name": "truck"}, used=2),
        {"category_id": 1},
        "categories have the same name: read as one (truck, id 2)",
    ),
    "category twice": (
        of_categories({"id": 2, "name": "truck"}, {"id": 2, "name": "truck"}, used=2),
        {"category_id": 2},
        "entries are listed twice: read once (category 2)",
    ),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_an_annotation_of_another_tool_is_read_and_the_log_says_how(tmp_path, caplog, name):
    content, expected, message = ANNOTATIONS[name]
    (read_annotation,) = read(tmp_path, content).annotations
    assert {key: getattr(read_annotation, key) for key in expected} == expected
    assert message in caplog.text
    assert 1 <= len(caplog.records) <= 2


@pytest.mark.parametrize("absent", [None, [], {}, "", [[]]])
def test_any_kind_of_no_segmentation_is_a_box(tmp_path, absent):
    assert read(tmp_path, annotation(segmentation=absent)).annotations[0].segmentation is None


@pytest.mark.parametrize("id_", [0, -3, 2**63, 10**30, "a.jpg123", "7"])
def test_ids_are_kept_as_they_are(tmp_path, caplog, id_):
    content = annotation(image_id=id_, category_id=id_, id=id_)
    content["images"][0]["id"] = content["categories"][1]["id"] = id_
    file = read(tmp_path, content)
    assert (file.images[0].id, file.annotations[0].image_id, file.annotations[0].category_id) == (id_, id_, id_)
    assert not caplog.records


def test_keys_may_come_in_any_order(tmp_path):
    def turned(value):
        if isinstance(value, dict):
            return {key: turned(each) for key, each in reversed(value.items())}
        return [turned(each) for each in value] if isinstance(value, list) else value

    assert read(tmp_path, turned(document())) == read(tmp_path, document())


def test_an_annotation_without_width_or_height_is_left_out(tmp_path, caplog):
    content = document()
    content["annotations"] += [{**content["annotations"][0], "id": number, "bbox": [3, 4, 0, 5]} for number in (2, 3)]
    assert [each.id for each in read(tmp_path, content).annotations] == [1]
    assert caplog.messages[0].endswith("width or height of 0: annotation left out (annotation 2 and 1 more)")


def test_copies_of_an_annotation_are_read_once_and_repeated_ids_numbered_anew(tmp_path, caplog):
    content = document()
    first = content["annotations"][0]
    content["annotations"] += [dict(first), {**first, "bbox": [5, 5, 5, 5]}]
    assert [each.id for each in read(tmp_path, content).annotations] == [1, 2]
    assert "listed twice: read once (annotation 1)" in caplog.text
    assert "numbered anew" in caplog.text


@pytest.mark.parametrize("missing", [..., None])
def test_a_file_without_annotations_or_with_images_alone_is_read(tmp_path, caplog, missing):
    content = document()
    content["annotations"] = missing
    content = {key: value for key, value in content.items() if value is not ...}
    assert read(tmp_path, content).annotations == ()
    assert "the file has no annotations" in caplog.text
    assert read(tmp_path, {"images": content["images"]}).categories == ()


def test_the_root_category_of_roboflow_is_left_out(tmp_path, caplog):
    root = {"id": 0, "name": "trucks", "supercategory": "none"}
    content = of_categories(root, {"id": 1, "name": "pallet_truck", "supercategory": "trucks"}, used=1)
    assert [each.name for each in read(tmp_path, content).categories] == ["pallet_truck"]
    assert "only groups other categories: trucks" in caplog.text
    used = {**content, "annotations": [{**content["annotations"][0], "category_id": 0}]}
    assert len(read(tmp_path, used).categories) == 2


@pytest.mark.parametrize(("width", "height"), [(0, 30), (None, None), ("wide", 30), (..., ...), (40.5, 30), (1e99, 1)])
def test_a_size_that_is_missing_or_wrong_is_read_from_the_image(tmp_path, caplog, width, height):
    Image.new("RGB", (40, 30)).save(tmp_path / "hall.png")
    file = reader.read_coco(write(tmp_path, changed("images", width=width, height=height)), tmp_path)
    assert (file.images[0].width, file.images[0].height) == (40, 30)
    assert "width and height are missing or wrong: read from the image file (image 7)" in caplog.text


def test_the_same_assumption_about_many_entries_is_one_line(tmp_path, caplog):
    content = document()
    content["annotations"] = [{**content["annotations"][0], "id": n, "iscrowd": True} for n in range(500)]
    read(tmp_path, content)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].endswith("read as 1 or 0 (annotation 0 and 499 more)")


@pytest.mark.parametrize("section", ["images", "annotations", "categories"])
@pytest.mark.parametrize("value", [{}, "text", 3, [None], [3], [[]], ["x"]])
def test_a_section_of_another_type_is_named(tmp_path, section, value):
    with pytest.raises(reader.CocoError, match=rf"annotations.json: {section}(\[0\])?: must be ") as caught:
        read(tmp_path, {**document(), section: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("polygon", [[5, 5, 25, 25, 25, 5, 5, 25], [*POLYGON, 1, 2], POLYGON])
def test_self_crossing_closed_and_open_polygons_are_masks(tmp_path, caplog, polygon):
    file = read(tmp_path, annotation(segmentation=[polygon]))
    assert file.decode_mask(file.annotations[0], file.images[0]).sum() == 200
    assert not caplog.records


def test_every_problem_is_one_line_with_the_entry(tmp_path):
    content = json.loads(json.dumps(document()))
    content["annotations"] = [{**content["annotations"][0], "id": n, "iscrowd": 5, "bbox": "x"} for n in range(4)]
    with pytest.raises(reader.CocoError) as caught:
        read(tmp_path, content)
    lines = str(caught.value).splitlines()
    assert len(lines) == 8
    assert all(f": annotation {n // 2}: " in line for n, line in enumerate(lines))
