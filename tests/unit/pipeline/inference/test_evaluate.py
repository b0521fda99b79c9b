# SPDX-License-Identifier: Apache-2.0
"""Metrics of cases that are small enough to compute by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.coco import reader
from pipeline.common import json_files
from pipeline.inference import evaluate
from tests.helpers.commands import Outcome, run_cariste

WIDTH, HEIGHT = 60, 120
PERSON, TRUCK = 1, 2
PERFECT = {"AP": 1.0, "AP50": 1.0, "AP75": 1.0}
NOTHING = {"AP": None, "AP50": None, "AP75": None}


def box_mask(box: list[int]) -> dict:
    x, y, width, height = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + height, x : x + width] = 1
    return reader.encode_mask(mask)


def truth(category: int, box: list[int], image: int = 1, masks: bool = True, **more: object) -> dict:
    segmentation = {"segmentation": box_mask(box)} if masks else {}
    return {"image_id": image, "category_id": category, "bbox": box, **segmentation, **more}


def found(category: int, box: list[int], score: float, image: int = 1) -> dict:
    entry = {"image_id": image, "category_id": category, "bbox": box, "score": score}
    return entry | {"segmentation": box_mask(box)}


def write_truth(path: Path, annotations: list[dict], names: tuple[str, ...] = ("pedestrian", "pallet_truck")) -> Path:
    document = {
        "images": [
            {"id": number, "file_name": f"{number}.png", "width": WIDTH, "height": HEIGHT} for number in (1, 2, 3)
        ],
        "annotations": [{"id": number, **entry} for number, entry in enumerate(annotations)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    }
    json_files.write_json(path, document)
    return path


def score(tmp_path: Path, annotations: list[dict], detections: list[dict], unknown: tuple[str, ...] = ()) -> dict:
    file = reader.read_coco(write_truth(tmp_path / "truth.json", annotations))
    return evaluate.evaluate(file, [reader.Detection(**entry) for entry in detections], unknown)


def test_perfect_predictions(tmp_path):
    boxes = [(PERSON, [5, 5, 10, 30], 1), (PERSON, [30, 5, 10, 30], 1), (TRUCK, [5, 50, 40, 20], 2)]
    metrics = score(
        tmp_path,
        [truth(category, box, image) for category, box, image in boxes],
        [found(category, box, 0.9, image) for category, box, image in boxes],
    )
    assert metrics["box"] == {**PERFECT, "pedestrian": PERFECT, "pallet_truck": PERFECT}
    assert metrics["mask"] == metrics["box"]
    assert metrics["images"] == 3
    assert metrics["annotations"] == {"pedestrian": 2, "pallet_truck": 1}


def test_one_of_two_objects_is_missed(tmp_path):
    boxes = [[5, 5, 10, 30], [30, 5, 10, 30]]
    metrics = score(tmp_path, [truth(PERSON, box) for box in boxes], [found(PERSON, boxes[0], 0.9)])
    # Precision is 1 at the recalls 0, 0.01, … 0.5: 51 of 101 points.
    assert metrics["box"]["pedestrian"]["AP"] == round(51 / 101, 4)
    assert metrics["mask"]["pedestrian"]["AP50"] == round(51 / 101, 4)


def test_a_loose_box_counts_for_some_thresholds(tmp_path):
    # IoU 0.62 reaches the thresholds 0.50, 0.55 and 0.60 of ten.
    metrics = score(tmp_path, [truth(PERSON, [0, 0, 10, 100])], [found(PERSON, [0, 0, 10, 62], 0.9)])
    assert metrics["box"]["pedestrian"] == {"AP": 0.3, "AP50": 1.0, "AP75": 0.0}
    assert metrics["mask"]["pedestrian"] == {"AP": 0.3, "AP50": 1.0, "AP75": 0.0}


def test_box_and_mask_are_scored_separately(tmp_path):
    detection = found(PERSON, [0, 0, 10, 100], 0.9) | {"segmentation": box_mask([0, 0, 10, 62])}
    metrics = score(tmp_path, [truth(PERSON, [0, 0, 10, 100])], [detection])
    assert (metrics["box"]["AP"], metrics["mask"]["AP"]) == (1.0, 0.3)


def test_a_false_positive_with_the_highest_score(tmp_path):
    box = [5, 5, 10, 30]
    detections = [found(PERSON, [30, 60, 10, 30], 0.9), found(PERSON, box, 0.8)]
    assert score(tmp_path, [truth(PERSON, box)], detections)["box"]["pedestrian"]["AP"] == 0.5


@pytest.mark.parametrize("masks", [True, False])
def test_iscrowd_regions_are_ignored(tmp_path, masks):
    box, crowd = [5, 5, 10, 30], [20, 50, 40, 60]
    detections = [
        found(PERSON, [25, 55, 10, 30], 0.95),
        found(PERSON, [40, 60, 10, 30], 0.94),
        found(PERSON, box, 0.9),
    ]
    people = [truth(PERSON, box, masks=masks)]
    metrics = score(tmp_path, [*people, truth(PERSON, crowd, masks=masks, iscrowd=1)], detections)
    assert metrics["box"]["pedestrian"] == PERFECT
    assert metrics["annotations"]["pedestrian"] == 1
    assert metrics["ignored"]["pedestrian"] == 1
    assert score(tmp_path, people, detections)["box"]["pedestrian"]["AP"] == round(1 / 3, 4)
    assert (metrics["mask"] is not None) == masks


def test_an_iscrowd_region_needs_no_mask(tmp_path):
    box, crowd = [5, 5, 10, 30], [20, 50, 40, 60]
    annotations = [truth(PERSON, box), truth(PERSON, crowd, masks=False, iscrowd=1)]
    detections = [found(PERSON, [25, 55, 10, 30], 0.95), found(PERSON, box, 0.9)]
    assert score(tmp_path, annotations, detections)["mask"]["pedestrian"] == PERFECT


def test_a_class_without_annotations_is_null_and_does_not_count(tmp_path):
    box = [5, 5, 10, 30]
    detections = [found(PERSON, box, 0.9), found(TRUCK, [20, 50, 30, 30], 0.99)]
    metrics = score(tmp_path, [truth(PERSON, box)], detections)
    assert metrics["box"] == {**PERFECT, "pedestrian": PERFECT, "pallet_truck": NOTHING}


def test_a_class_that_the_model_was_not_trained_on_is_not_scored(tmp_path):
    boxes = [(PERSON, [5, 5, 10, 30]), (TRUCK, [5, 50, 40, 20])]
    annotations = [truth(category, box) for category, box in boxes]
    metrics = score(tmp_path, annotations, [found(*boxes[0], 0.9)], unknown=("pallet_truck",))
    assert metrics["box"] == {**PERFECT, "pedestrian": PERFECT, "pallet_truck": NOTHING}
    assert score(tmp_path, annotations, [found(*boxes[0], 0.9)])["box"]["pallet_truck"]["AP"] == 0.0
    both = score(tmp_path, annotations, [], unknown=("pallet_truck", "pedestrian"))
    assert both["box"] == {**NOTHING, "pedestrian": NOTHING, "pallet_truck": NOTHING}


def test_no_predictions_and_no_annotations(tmp_path):
    nothing_found = score(tmp_path, [truth(PERSON, [5, 5, 10, 30])], [])
    assert nothing_found["box"]["pedestrian"] == {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    nothing_there = score(tmp_path, [], [found(PERSON, [5, 5, 10, 30], 0.9)])
    assert nothing_there["box"]["AP"] is None
    assert nothing_there["annotations"] == {"pedestrian": 0, "pallet_truck": 0}


def run(*arguments: object) -> Outcome:
    return run_cariste("evaluate", *arguments)


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    box = [5, 5, 10, 30]
    json_files.write_json(tmp_path / "found.json", [found(PERSON, box, 0.9)])
    return write_truth(tmp_path / "test.json", [truth(PERSON, box)]), tmp_path / "found.json"


def test_each_split_has_an_entry(files, tmp_path):
    out = tmp_path / "metrics.json"
    truth_file, results = files
    one = ("--annotations", truth_file, "--predictions", results)
    done = run("--split", "val", *one, "--split", "test", *one, "--out", out)
    assert done.exit_code == 0, done.stderr
    metrics = json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert list(metrics) == ["test", "val"]
    assert metrics["val"]["box"]["pedestrian"]["AP50"] == 1.0
    printed = done.stdout
    assert "pedestrian" in printed
    assert "1.000" in printed


def test_an_existing_results_file_is_scored(files, tmp_path):
    out = tmp_path / "metrics.json"
    assert run("--annotations", files[0], "--predictions", files[1], "--out", out).exit_code == 0
    assert json.loads(out.read_text())["mask"]["AP"] == 1.0


def test_missing_masks_are_reported_and_boxes_are_scored(tmp_path):
    box = [5, 5, 10, 30]
    annotations = write_truth(tmp_path / "boxes.json", [truth(PERSON, box), truth(PERSON, box, masks=False)])
    json_files.write_json(tmp_path / "found.json", [found(PERSON, box, 0.9)])
    out = tmp_path / "metrics.json"
    done = run("--annotations", annotations, "--predictions", tmp_path / "found.json", "--out", out)
    assert json.loads(out.read_text())["mask"] is None
    assert (
        "boxes only, because mask AP needs all masks: 1 of 2 annotations have no segmentation, the first is"
        in done.stderr
    )


def test_a_file_with_crowds_only_says_that_nothing_is_scored(tmp_path):
    annotations = write_truth(tmp_path / "all.json", [{**truth(PERSON, [5, 5, 10, 30]), "iscrowd": 1}])
    json_files.write_json(tmp_path / "found.json", [])
    done = run("--annotations", annotations, "--predictions", tmp_path / "found.json", "--out", tmp_path / "m.json")
    assert "nothing to score: every annotation (1) has iscrowd 1 and is ignored" in done.stderr


def test_results_of_other_images_are_an_error(files, tmp_path):
    json_files.write_json(tmp_path / "other.json", [found(PERSON, [5, 5, 10, 30], 0.9, image=99)])
    arguments = ("--annotations", files[0], "--predictions", tmp_path / "other.json", "--out", tmp_path / "m.json")
    done = run(*arguments)
    assert done.exit_code == 2
    assert "other.json: none of its image ids, such as 99, is in" in done.stderr
    assert "results for another file" in done.stderr
    assert not (tmp_path / "m.json").exists()


def test_a_file_without_annotations_says_that_nothing_is_scored(tmp_path):
    annotations = write_truth(tmp_path / "none.json", [])
    json_files.write_json(tmp_path / "found.json", [])
    done = run("--annotations", annotations, "--predictions", tmp_path / "found.json", "--out", tmp_path / "m.json")
    assert done.exit_code == 0
    assert done.stderr == f"{annotations}: there is nothing to score: the file has no annotations\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--annotations'"),
        (("--annotations", "a"), "give --model with --images, or --predictions"),
        (("--annotations", "a", "--model", "m"), "give --model with --images, or --predictions"),
        (
            ("--annotations", "a", "--predictions", "p", "--split", "v", "--split", "t"),
            "one --predictions for each --split",
        ),
    ],
)
def test_missing_options_are_named(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "amp":
        Path(name).write_text("{}")
    done = run("--out", "m.json", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_metrics_are_finite(tmp_path):
    metrics = score(tmp_path, [truth(PERSON, [0, 0, 10, 100])], [found(PERSON, [0, 0, 10, 62], 0.9)])
    assert all(math.isfinite(metrics["box"][name]) for name in ("AP", "AP50", "AP75"))
