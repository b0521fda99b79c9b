# SPDX-License-Identifier: Apache-2.0
"""Files as labeling tools export them, cut down to one annotation: all are read, with at most one line each."""

import json
from typing import Any

import pytest
from PIL import Image

from pipeline.coco import image_check, reader

BOX = [1, 2, 10, 20]
POLYGON = [1, 2, 11, 2, 11, 22, 1, 22]


def export(
    image: dict[str, Any], annotation: dict[str, Any], *categories: dict[str, Any], **more: Any
) -> dict[str, Any]:
    entry = {"id": 1, "image_id": image["id"], "category_id": categories[-1]["id"], "bbox": BOX, "area": 200}
    sized = {"width": 40, "height": 30} | image
    return {"images": [sized], "annotations": [entry | annotation], "categories": list(categories), **more}


CVAT = {"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0}
ROBOFLOW_ROOT = {"id": 0, "name": "trucks", "supercategory": "none"}
EXPORTS = {
    "CVAT": export(
        {"id": 1, "file_name": "hall.png", **CVAT},
        {"segmentation": [POLYGON], "iscrowd": 0, "attributes": {"occluded": False}},
        {"id": 1, "name": "truck", "supercategory": ""},
        info={"contributor": "", "date_created": ""},
        licenses=[{"name": "", "id": 0, "url": ""}],
    ),
    "CVAT with folders": export({"id": 1, "file_name": "default/hall.png", **CVAT}, {}, {"id": 1, "name": "truck"}),
    "CVAT masks": export(
        {"id": 1, "file_name": "hall.png"},
        {"segmentation": {"counts": [32, 20, 10, 20, 1118], "size": [30, 40]}, "iscrowd": 0},
        {"id": 1, "name": "truck"},
    ),
    "Roboflow": export(
        {"id": 0, "license": 1, "file_name": "hall.png", "date_captured": "2024-05-01T00:00:00+00:00"},
        {"id": 0, "segmentation": [], "iscrowd": 0},
        ROBOFLOW_ROOT,
        {"id": 1, "name": "truck", "supercategory": "trucks"},
    ),
    "Roboflow, project of the same name": export(
        {"id": 0, "file_name": "hall.png"},
        {"id": 0, "segmentation": []},
        {**ROBOFLOW_ROOT, "name": "truck"},
        {"id": 1, "name": "truck", "supercategory": "truck"},
    ),
    "Label Studio": export(
        {"id": 0, "file_name": "../../label-studio/data/media/upload/1/4f1b2c3d-hall.png"},
        {"segmentation": [], "ignore": 0, "iscrowd": 0},
        {"id": 0, "name": "truck"},
    ),
    "FiftyOne": export(
        {"id": 1, "file_name": "hall.png", "license": None, "coco_url": None},
        {"segmentation": [POLYGON], "iscrowd": 0, "confidence": None},
        {"id": 0, "name": "truck", "supercategory": None},
        info={"url": None},
        licenses=None,
    ),
    "VIA": export(
        {"id": "1", "file_name": "hall.png", "license": 0, "flickr_url": "hall.png"},
        {"segmentation": POLYGON, "iscrowd": 0},
        {"id": 1, "name": "truck", "supercategory": "type"},
    ),
    "VIA without sizes": export(
        {"id": "1", "file_name": "hall.png", "width": 0, "height": 0}, {}, {"id": 1, "name": "t"}
    ),
    "Labelbox": export(
        {"id": 1, "file_name": "https://storage.labelbox.com/cl/hall.png?Expires=1"},
        {"segmentation": [POLYGON], "iscrowd": 0},
        {"id": 1, "name": "truck", "supercategory": "all", "isthing": 1},
    ),
    "LVIS": export(
        {"id": 1, "coco_url": "http://images.cocodataset.org/val2017/hall.png", "neg_category_ids": []},
        {"segmentation": [POLYGON]},
        {"id": 1, "name": "truck", "synset": "truck.n.01", "frequency": "f"},
    ),
    "Supervisely": export({"id": 1, "file_name": "hall.png"}, {"iscrowd": "0"}, {"id": 1, "name": "truck"}),
    "LabelMe's converter": export(
        {"id": 0, "file_name": "JPEGImages\\hall.png", "url": None},
        {"segmentation": [POLYGON]},
        {"id": 0, "name": "truck"},
    ),
    "PyTorch": export(
        {"id": 1, "file_name": "hall.png"},
        {"iscrowd": False, "area": 200.0, "category_id": 1.0},
        {"id": 1, "name": "truck"},
    ),
    "CVAT masks as crowds": export(
        {"id": 1, "file_name": "hall.png"},
        {"segmentation": {"counts": [32, 20, 10, 20, 1118], "size": [30, 40]}, "iscrowd": 1},
        {"id": 1, "name": "truck"},
    ),
    "Label Studio with keypoints": export(
        {"id": 0, "file_name": "/data/local-files/?d=hall.png"},
        {"segmentation": [], "iscrowd": 0, "ignore": 0, "keypoints": [5.0, 6.0, 2], "num_keypoints": 1},
        {"id": 0, "name": "truck", "keypoints": ["tip"], "skeleton": []},
    ),
    "Datumaro": export(
        {"id": 1, "file_name": "hall.png", "license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0},
        {"id": 0, "segmentation": [POLYGON], "iscrowd": 0, "attributes": {"rotation": 0.0}, "score": 1.0},
        {"id": 1, "name": "truck", "supercategory": ""},
        licenses=[],
    ),
    "V7": export(
        {"id": 4170862218, "file_name": "hall.png", "darwin_url": "https://x.org", "tag_ids": [], "raw_url": None},
        {"id": 1, "segmentation": [POLYGON], "iscrowd": 0, "extra": {"attributes": []}},
        {"id": 2817634, "name": "truck", "supercategory": "root"},
    ),
    "Scale": export(
        {"id": "6231f3", "file_name": "s3://bucket/set/hall.png"},
        {"id": "d41d8c", "image_id": "6231f3", "segmentation": None, "metadata": {}},
        {"id": "truck", "name": "truck"},
    ),
    "MATLAB": {
        "images": {"id": 1, "file_name": "hall.png", "width": 40, "height": 30},
        "annotations": {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX, "segmentation": POLYGON, "iscrowd": 0},
        "categories": {"id": 1, "name": "truck"},
    },
    "R": {
        "images": {"id": [1], "file_name": ["hall.png"], "width": [40], "height": [30]},
        "annotations": {"id": [1], "image_id": [1], "category_id": [1], "bbox": [BOX], "segmentation": [[POLYGON]]},
        "categories": {"id": [1], "name": ["truck"]},
    },
    "pandas, records": export(
        {"id": 1.0, "file_name": "hall.png", "height": 30.0},
        {"category_id": 1.0, "segmentation": float("nan"), "area": float("nan"), "iscrowd": 0.0},
        {"id": 1, "name": "truck", "supercategory": float("nan")},
    ),
    "a table of Excel": export(
        {"id": "1", "file_name": "hall.png", "width": "40", "height": "30"},
        {"id": "1", "image_id": "1", "bbox": "[1, 2, 10, 20]", "segmentation": json.dumps([POLYGON]), "iscrowd": "0"},
        {"id": "1", "name": "truck"},
    ),
    "COCO keypoints": export(
        {"id": 1, "file_name": "hall.png"},
        {"keypoints": [0] * 51, "num_keypoints": 0, "segmentation": [POLYGON], "iscrowd": 0},
        {"id": 1, "name": "person", "supercategory": "person", "keypoints": ["nose"], "skeleton": [[1, 2]]},
    ),
}


# Not the exports of labeling tools.
FREE_HAND = ("MATLAB", "R", "pandas, records", "a table of Excel")


@pytest.mark.parametrize("tool", EXPORTS)
def test_an_export_is_read(tmp_path, caplog, tool):
    Image.new("RGB", (40, 30)).save(tmp_path / "hall.png")
    (tmp_path / "coco.json").write_text(json.dumps(EXPORTS[tool]))
    file = reader.read_coco(tmp_path / "coco.json", tmp_path)
    assert [file.path for file in image_check.check_images(file, tmp_path).values()] == [tmp_path / "hall.png"]
    assert len(file.categories) == len(file.annotations) == 1
    assert file.annotations[0].bbox == tuple(BOX)
    mask = file.decode_mask(file.annotations[0], file.images[0])
    assert mask is None or mask.any()
    assert len(caplog.messages) <= (2 if tool not in FREE_HAND else 5)
