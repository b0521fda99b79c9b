# SPDX-License-Identifier: Apache-2.0
"""JSON in any encoding is read; what is no JSON, or another format, is named with what to do."""

import json
import zipfile

import pytest

from pipeline.coco import reader
from tests.helpers.coco_documents import changed, document, write

TEXT = json.dumps(document())
ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    "cp1252",
    "latin-1",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_is_read(tmp_path, caplog, encoding):
    path = write(tmp_path, changed("images", file_name="grün/hall.png"), encoding)
    assert reader.read_coco(path).images[0].file_name == "grün/hall.png"
    assert len(caplog.records) == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize("escape", ["\\u00fc", "\\udcfc"])
def test_escaped_characters_are_read_also_those_of_names_that_are_not_utf_8(tmp_path, escape):
    path = tmp_path / "annotations.json"
    path.write_text(TEXT.replace("hall", f"h{escape}ll"))
    assert reader.read_coco(path).images[0].file_name == json.loads(f'"h{escape}ll.png"')


NO_JSON = {
    "blanks": (b" \n", "not JSON: the file is empty"),
    "nothing": (b"", "is empty"),
    "cut": (TEXT[:90].encode(), r"not JSON: line 1, column \d+: the file ends too early"),
    "comma": (TEXT.replace("}]", "},]").encode(), "a comma before a closing bracket"),
    "comment": (f"// export\n{TEXT}".encode(), "a comment, which JSON does not have"),
    "Python": (str(document()).encode(), "single quotes"),
    "JSON lines": (f"{TEXT}\n{TEXT}".encode(), "line 2, column 1: more than one document"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "deep objects": (b'{"a":' * 100_000, "nested too deeply"),
    "long integer": (b'{"images": ' + b"9" * 5000 + b"}", "not COCO: .*digits"),
    "key twice": (b'{"annotations": [], ' + TEXT[1:].encode(), "the key 'annotations' stands twice"),
    "binary": (bytes(range(256)), "not JSON"),
    "zip": (b"PK\x03\x04...", "a zip archive: unpack it"),
    "gzip": (b"\x1f\x8b\x08", "gunzip"),
    "pickle": (b"\x80\x04\x95", "pickle, which is never loaded"),
    "JPEG": (b"\xff\xd8\xff\xe0", "a JPEG image"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "web page": (b"<!DOCTYPE html>\n<html>", "a web page"),
    "Pascal VOC": (b'<?xml version="1.0"?>\n<annotation><folder/>', "Pascal VOC"),
    "CVAT": (b'<?xml version="1.0"?>\n<annotations><version/>', "CVAT's XML"),
    "YOLO": (b"0 0.5 0.5 0.25 0.1\n1 0.1 0.1 0.1 0.1\n", "YOLO labels"),
    "CSV": (b"filename,width,height,class,xmin\na.jpg,4,3,x,1\n", r"a table \(CSV\)"),
    "YAML": (b"train: images/train\nnames:\n  0: person\n", "YAML"),
}


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json_is_named(tmp_path, name):
    content, message = NO_JSON[name]
    path = tmp_path / "annotations.json"
    path.write_bytes(content)
    with pytest.raises(reader.CocoError, match=f"annotations.json: .*{message}") as caught:
        reader.read_coco(path)
    assert "\n" not in str(caught.value)


OTHER_FORMATS = {
    "COCO results": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}],
    "LabelMe": {"version": "5.0", "shapes": [], "imagePath": "a.jpg"},
    "VIA": {"_via_settings": {}, "_via_img_metadata": {}},
    "VIA project": {"a.jpg123": {"filename": "a.jpg", "size": 123, "regions": []}},
    "Datumaro": {"info": {}, "categories": {}, "items": []},
    "Label Studio": [{"id": 1, "data": {"image": "a.jpg"}, "annotations": []}],
    "Labelbox": [{"data_row": {"id": 1}, "projects": {}}],
    "FiftyOne": {"samples": []},
    "Supervisely": {"size": {}, "objects": []},
    "CreateML": [{"image": "a.jpg", "annotations": []}],
    "Detectron2": [{"file_name": "a.jpg", "annotations": []}],
    "GeoJSON": {"type": "FeatureCollection", "features": []},
    "several sets": {"train": {"images": []}, "val": {"images": []}},
    "panoptic": {"images": [], "annotations": [{"image_id": 1, "segments_info": []}], "categories": []},
    "captions": {"images": [], "annotations": [{"image_id": 1, "id": 1, "caption": "a truck"}]},
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_another_format_is_named_with_what_to_do(tmp_path, name):
    kind = name.split()[0] if name.startswith("VIA") else name
    with pytest.raises(reader.CocoError, match=f"annotations.json: seems to be .*{kind}.*: (export|give)") as caught:
        reader.read_coco(write(tmp_path, OTHER_FORMATS[name]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, [], 3, "text", True, {}, {"a": 1}])
def test_json_that_is_no_coco_is_named(tmp_path, value):
    with pytest.raises(reader.CocoError, match=r"annotations.json: (images: missing|must be an object)"):
        reader.read_coco(write(tmp_path, value))


def test_a_folder_is_named_with_the_files_in_it(tmp_path):
    write(tmp_path, document())
    with pytest.raises(reader.CocoError, match=r"is a folder, not a file; it holds annotations.json"):
        reader.read_coco(tmp_path)


def test_a_real_zip_is_named(tmp_path):
    path = tmp_path / "export.json"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations/instances.json", TEXT)
    with pytest.raises(reader.CocoError, match="zip archive"):
        reader.read_coco(path)


def test_a_keypoint_file_is_read_as_boxes(tmp_path):
    content = changed("annotations", keypoints=[1, 2, 2] * 17, num_keypoints=17)
    assert len(reader.read_coco(write(tmp_path, content)).annotations) == 1
