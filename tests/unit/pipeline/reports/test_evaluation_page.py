# SPDX-License-Identifier: Apache-2.0
"""The page of evaluations: what `evaluate` writes is shown, also side by side; anything else is refused in a line."""

import json
import re
from pathlib import Path

import pytest

from pipeline.coco import reader
from pipeline.common import json_files
from tests.helpers import coco_sets, random_detections
from tests.helpers.commands import Outcome, run_cariste


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Path:
    """A folder with the metrics of two results files, a.json and b.json, and the page of the first, a.html."""
    folder = tmp_path_factory.mktemp("evaluated")
    images = [coco_sets.image() for _ in range(4)]
    annotations = [coco_sets.annotation(number, 20 + 10 * number) for number in range(3)]
    truth = coco_sets.write_set(folder / "set", images, annotations)
    for name, shift, page in (("a", 0, ["--page", folder / "a.html"]), ("b", 3, [])):
        found = [
            {"image_id": number + 1, "category_id": 1, "score": 0.6 + number / 10}
            | {"bbox": [40 + shift, entry["bbox"][1], 10, entry["bbox"][3]]}
            for number, entry in enumerate(annotations[:2])
        ]
        found.append({"image_id": 4, "category_id": 1, "score": 0.9, "bbox": [5, 5, 20, 30]})
        json_files.write_json(folder / "found.json", found)
        paths = ["--annotations", truth, "--predictions", folder / "found.json", "--images", truth.parent]
        outcome = run_cariste("evaluate", *paths, "--out", folder / f"{name}.json", *page)
        assert outcome.exit_code == 0, outcome.stderr
    return folder


def compare(*arguments: object) -> Outcome:
    return run_cariste("compare", *arguments)


def test_the_page_of_one_evaluation_shows_the_worst_errors(evaluated):
    page = (evaluated / "a.html").read_text()
    metrics = json.loads((evaluated / "a.json").read_text())
    point = metrics["operating_points"]["pedestrian"]
    assert (point["recall"], point["false_alarms"]) == (pytest.approx(2 / 3, abs=1e-4), 1)
    assert point["images_without_objects"] == {"images": 1, "false_alarms_per_image": 1.0}
    assert metrics["recall_by"]["pedestrian"]["brightness"][0]["objects"] == 3
    assert "0.67 [" in page
    assert "False alarms: pedestrians" in page
    assert page.count("data:image/jpeg") == 2  # a false alarm and a miss
    assert "0.90, on no object" in page
    assert "Undefined" not in page


def test_evaluations_side_by_side(evaluated):
    out = evaluated / "both.html"
    outcome = compare(evaluated / "a.json", evaluated / "b.json", "--name", "before", "--name", "after", "--out", out)
    assert outcome.exit_code == 0, outcome.stderr
    page = out.read_text()
    assert "2 evaluations side by side" in page
    assert page.count('<th scope="row">before</th>') == page.count('<th scope="row">after</th>') >= 4
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_splits_of_one_file_are_evaluations(evaluated):
    metrics = json.loads((evaluated / "a.json").read_text())
    json_files.write_json(evaluated / "splits.json", {"val": metrics, "test": metrics})
    assert compare(evaluated / "splits.json", "--out", evaluated / "splits.html").exit_code == 0
    assert "splits test" in (evaluated / "splits.html").read_text()


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "3", "not JSON", '{"test": {}}', '{"images": 3, "box": {}}', '{"a": 1}']
)
def test_what_is_no_evaluation_is_refused(evaluated, content):
    wrong, out = evaluated / "wrong.json", evaluated / "none.html"
    wrong.write_text(content)
    outcome = compare(evaluated / "a.json", wrong, "--out", out)
    assert outcome.exit_code == 2
    assert "wrong.json" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not out.exists()


def test_each_file_needs_a_name_if_one_has(evaluated):
    outcome = compare(evaluated / "a.json", evaluated / "b.json", "--name", "x", "--out", evaluated / "n.html")
    assert outcome.exit_code == 2
    assert "one --name for each file" in outcome.stderr


def test_a_set_without_objects_or_detections_has_a_page(tmp_path):
    truth = coco_sets.write_set(tmp_path / "set", [coco_sets.image()])
    json_files.write_json(tmp_path / "found.json", [])
    outcome = run_cariste(
        *("evaluate", "--annotations", truth, "--predictions", tmp_path / "found.json"),
        *("--out", tmp_path / "m.json", "--page", tmp_path / "m.html"),
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert (tmp_path / "m.html").exists()


def test_random_sets_have_a_page(tmp_path):
    ground_truth, detections = random_detections.random_set(5)
    keys = ("images", "annotations", "categories")
    document = {key: [each.model_dump(mode="json") for each in getattr(ground_truth, key)] for key in keys}
    json_files.write_json(tmp_path / "truth.json", document)
    json_files.write_json(tmp_path / "found.json", [each.model_dump(mode="json") for each in detections])
    assert reader.read_coco(tmp_path / "truth.json").images
    outcome = run_cariste(
        *("evaluate", "--annotations", tmp_path / "truth.json", "--predictions", tmp_path / "found.json"),
        *("--out", tmp_path / "m.json", "--page", tmp_path / "m.html"),
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert "mask AP50" in (tmp_path / "m.html").read_text().replace("Mask", "mask")
