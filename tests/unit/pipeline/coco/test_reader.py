# SPDX-License-Identifier: Apache-2.0
"""COCO files of any source are read, wrong entries are named, and masks are decoded exactly."""

import json
from pathlib import Path

import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask
from hypothesis import given
from hypothesis.extra import numpy as arrays

from pipeline.coco import reader
from pipeline.common import json_files


def document() -> dict:
    return {
        "info": {"name": "by hand"},
        "images": [{"id": 7, "file_name": "hall.png", "width": 40, "height": 30, "rig": "robot"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [1, 2, 10, 20], "distance_m": 4.5}],
        "categories": [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck", "supercategory": "vehicle"}],
    }


def read(folder: Path, content: dict) -> reader.CocoFile:
    path = folder / "annotations.json"
    path.write_text(json.dumps(content))
    return reader.read_coco(path)


def test_keys_that_coco_does_not_know_are_kept(tmp_path):
    file = read(tmp_path, document())
    assert file.images[0].model_extra == {"rig": "robot"}
    assert file.annotations[0].model_extra == {"distance_m": 4.5}
    assert (file.annotations[0].bbox, file.annotations[0].iscrowd) == ((1, 2, 10, 20), 0)
    assert file.decode_mask(file.annotations[0], file.images[0]) is None


def test_images_without_annotations_have_an_empty_list(tmp_path):
    content = document()
    content["images"].append({"id": 3, "file_name": "empty.png", "width": 4, "height": 3})
    file = read(tmp_path, content)
    assert file.annotations_by_image() == {7: [file.annotations[0]], 3: []}


def segmentations() -> dict[str, object]:
    mask = np.zeros((30, 40), np.uint8)
    mask[2:22, 1:11] = 1
    return {
        "compressed": reader.encode_mask(mask),
        "uncompressed": {"size": [30, 40], "counts": [32, *[20, 10] * 9, 20, 878]},
        "polygon": [[1, 2, 11, 2, 11, 22, 1, 22]],
        "polygons": [[1, 2, 11, 2, 11, 10, 1, 10], [1, 10, 11, 10, 11, 22, 1, 22]],
    }


@pytest.mark.parametrize("form", segmentations())
def test_every_form_of_segmentation_gives_the_same_mask(tmp_path, form):
    content = document()
    content["annotations"][0]["segmentation"] = segmentations()[form]
    file = read(tmp_path, content)
    mask = file.decode_mask(file.annotations[0], file.images[0])
    assert (mask.shape, mask.dtype) == ((30, 40), np.uint8)
    assert mask[2:22, 1:11].all()
    assert mask.sum() == 200


@pytest.mark.parametrize("absent", [None, []])
def test_a_missing_segmentation_is_allowed(tmp_path, absent):
    content = document()
    content["annotations"][0]["segmentation"] = absent
    assert read(tmp_path, content).annotations[0].segmentation is None


@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_an_encoded_mask_is_decoded_exactly(mask):
    encoded = reader.encode_mask(mask)
    assert json.loads(json.dumps(encoded)) == encoded
    np.testing.assert_array_equal(coco_mask.decode(reader.to_rle(reader.Rle(**encoded), *mask.shape)), mask)


# The value that is put into a valid file, and the pattern that the message must match.
WRONG_VALUES = {
    "category": (("annotations", 0, "category_id"), 9, "annotation 1: category 9 is not in"),
    "image": (("annotations", 0, "image_id"), 8, "annotation 1: image 8 is not in"),
    "outside": (("annotations", 0, "bbox"), [35, 2, 10, 20], "annotation 1: bbox .* reaches outside .*hall.png.*40x30"),
    "negative": (("annotations", 0, "bbox"), [-3, 2, 10, 20], "annotation 1: bbox .* reaches outside"),
    "negative size": (("annotations", 0, "bbox"), [3, 2, -1, 4], "annotation 1: bbox .* has no area"),
    "three numbers": (
        ("annotations", 0, "bbox"),
        [3, 2, 10],
        r"annotation 1: bbox must be four numbers .*\[3, 2, 10\]",
    ),
    "not a number": (("annotations", 0, "bbox"), [float("nan"), 2, 1, 1], r"annotation 1: bbox must be .*NaN"),
    "infinite": (("annotations", 0, "bbox"), [2, float("inf"), 1, 1], r"annotation 1: bbox must be .*Infinity"),
    "corners": (("annotations", 0, "bbox"), [20, 10, 40, 30], r"bbox: all boxes seem to be corners"),
    "polygon in shares": (
        ("annotations", 0, "segmentation"),
        [[0.1, 0.1, 0.5, 0.1, 0.5, 0.6]],
        r".*shares of the image",
    ),
    "small polygon in shares": (
        ("annotations", 0, "segmentation"),
        [[0.1, 0.1, 0.12, 0.1, 0.12, 0.13]],
        r".*annotation 1: segmentation: polygons seem to be shares of the image",
    ),
    "shares": (("annotations", 0, "bbox"), [0.1, 0.2, 0.3, 0.4], r"bbox: all boxes seem to be shares"),
    "no box": (("annotations", 0, "bbox"), None, r"annotation 1: has neither bbox nor segmentation"),
    "crowd": (("annotations", 0, "iscrowd"), 2, r"annotation 1: iscrowd must be 0 or 1, not 2"),
    "mask size": (
        ("annotations", 0, "segmentation"),
        {"size": [40, 30], "counts": "0`U1"},
        r"annotation 1: segmentation has size .*\(40, 30\), unlike .*hall.png.*40x30 .*swapped",
    ),
    "torn mask": (
        ("annotations", 0, "segmentation"),
        {"size": [30, 40], "counts": "abc"},
        "annotation 1: segmentation: RLE string is malformed",
    ),
    "overlong mask": (
        ("annotations", 0, "segmentation"),
        {"size": [30, 40], "counts": [1000, 201]},
        "annotation 1: segmentation: its counts add up to 1201 pixels, the image has 1200",
    ),
    "short mask": (
        ("annotations", 0, "segmentation"),
        {"size": [30, 40], "counts": ":d0"},
        "annotation 1: segmentation: its counts add up to 30 pixels",
    ),
    "negative counts": (
        ("annotations", 0, "segmentation"),
        {"size": [30, 40], "counts": [-5, 1205]},
        "annotation 1: segmentation: counts has a negative number",
    ),
    "no RLE": (
        ("annotations", 0, "segmentation"),
        {"size": [30, 40], "counts": 7},
        "annotation 1: segmentation: RLE n",
    ),
    "odd polygon": (
        ("annotations", 0, "segmentation"),
        [[1, 2, 3, 4, 5, 6, 7]],
        "annotation 1: .*polygon has 7 numbers",
    ),
    "null in polygon": (("annotations", 0, "segmentation"), [[1, 2, 3, 4, 5, None]], "annotation 1: .*must be numbers"),
    "far polygon": (
        ("annotations", 0, "segmentation"),
        [[0, 0, 1e9, 0, 1e9, 9]],
        "annotation 1: .*reaches far outside",
    ),
    "path of a mask": (
        ("annotations", 0, "segmentation"),
        "mask.png",
        'annotation 1: .*polygons or RLE, not "mask.png"',
    ),
    "width": (("images", 0, "width"), 0, r"image 7: width 0 and height 30 are no sizes in pixels.*--images"),
    "huge width": (("images", 0, "width"), 10**12, r"image 7: width 1000000000000 and height 30 are no sizes"),
    "no file name": (("images", 0, "file_name"), None, r"image 7: file_name: missing"),
    "no image id": (("images", 0, "id"), None, r"images\[0\]: id: missing"),
    "boolean id": (("images", 0, "id"), True, r"images\[0\]: id: must be a whole number or text, not true"),
    "no category name": (("categories", 1, "name"), None, r"category 2: name: missing"),
    "category id": (("categories", 1, "id"), 1, "category id 1 is used for two entries that differ"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_named_with_file_and_entry(tmp_path, name):
    (section, index, key), value, pattern = WRONG_VALUES[name]
    content = document()
    content[section][index][key] = value
    with pytest.raises(reader.CocoError, match=f"^[^\n]*annotations.json: {pattern}") as caught:
        read(tmp_path, content)
    assert len(str(caught.value).splitlines()) == (2 if name == "category id" else 1)


def test_an_image_id_that_is_used_for_two_images_is_named(tmp_path):
    content = document()
    content["images"].append({**content["images"][0], "file_name": "other.png"})
    with pytest.raises(reader.CocoError, match="image id 7 is used for two entries that differ"):
        read(tmp_path, content)


@pytest.mark.parametrize("section", ["images", "categories"])
def test_a_missing_section_is_named(tmp_path, section):
    content = document()
    del content[section]
    with pytest.raises(reader.CocoError, match=f"{section}: missing; the file has the keys info, "):
        read(tmp_path, content)


def test_of_many_problems_the_first_are_named_and_the_rest_is_counted(tmp_path):
    content = document()
    content["annotations"] = [{**content["annotations"][0], "id": n, "image_id": 100 + n} for n in range(30)]
    with pytest.raises(reader.CocoError, match="and 20 more") as caught:
        read(tmp_path, content)
    assert len(str(caught.value).splitlines()) == 11


def test_a_problem_at_more_than_ten_places_is_one_line(tmp_path):
    content = document()
    content["annotations"] = [{**content["annotations"][0], "id": n, "image_id": 8} for n in range(30)]
    content["annotations"][7]["category_id"] = 9
    with pytest.raises(reader.CocoError) as caught:
        read(tmp_path, content)
    first, second = str(caught.value).splitlines()
    assert first.endswith(": annotation 0 and 29 more: image 8 is not in the file's images")
    assert second.endswith(": annotation 7: category 9 is not in the file's categories (1 pedestrian, 2 pallet_truck)")


def test_a_missing_file_and_a_file_that_is_not_json_are_named(tmp_path):
    (tmp_path / "half.json").write_text('{"images": [')
    with pytest.raises(reader.CocoError, match=r"half.json: not JSON: line 1, column 13: .*ends too early"):
        reader.read_coco(tmp_path / "half.json")
    with pytest.raises(reader.CocoError, match=r"none.json: no such file"):
        reader.read_coco(tmp_path / "none.json")


def test_results_must_belong_to_their_coco_file(tmp_path):
    file = read(tmp_path, document())
    good = {"image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5}
    json_files.write_json(tmp_path / "good.json", [good])
    assert reader.read_results(tmp_path / "good.json", file)[0].score == 0.5
    json_files.write_json(tmp_path / "bad.json", [good, {**good, "image_id": 1}, {**good, "category_id": 5}])
    with pytest.raises(reader.CocoError, match=r"bad.json: \[1\]: image 1 is not in .*\n.*\[2\]: category 5 is not in"):
        reader.read_results(tmp_path / "bad.json", file)


def test_json_is_written_compact_and_sorted_without_leftovers(tmp_path):
    json_files.write_json(tmp_path / "new" / "a.json", {"b": 1, "a": [1.5, "ä"]})
    assert (tmp_path / "new" / "a.json").read_text() == '{"a":[1.5,"ä"],"b":1}\n'
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_files.write_json(tmp_path / "new" / "a.json", {"a": float("nan")})


# The box of an object with a polygon from (5, 6) to (15, 16), and whether it can be COCO's.
BOXES_WITH_POLYGON = {
    "COCO": ([5, 6, 10, 10], True),
    "corners": ([5, 6, 15, 16], False),
    "neither": ([5, 6, 20, 9], True),
}


@pytest.mark.parametrize("name", BOXES_WITH_POLYGON)
def test_corners_are_known_by_the_polygons(tmp_path, name):
    box, is_read = BOXES_WITH_POLYGON[name]
    content = document()
    content["annotations"][0] |= {"bbox": box, "segmentation": [[5, 6, 15, 6, 15, 16, 5, 16]]}
    if is_read:
        assert read(tmp_path, content).annotations[0].bbox == tuple(box)
    else:
        with pytest.raises(reader.CocoError, match="all boxes seem to be corners"):
            read(tmp_path, content)
