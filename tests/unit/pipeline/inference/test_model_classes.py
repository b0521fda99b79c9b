# SPDX-License-Identifier: Apache-2.0
"""The commands on COCO files of other tools: names of categories, paths, sizes and orientation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.coco.reader import Category
from pipeline.common import json_files
from pipeline.config.training import ModelSection
from pipeline.models import detectors
from tests.helpers.coco_sets import annotation, image, write_set
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.configs import SMALL_MODEL

CLASSES = [Category(id=1, name="pedestrian"), Category(id=2, name="pallet_truck")]
TRUCK = {"id": 1, "image_id": 3, "category_id": 5, "bbox": [10, 10, 30, 30]}


@pytest.fixture(scope="module")
def model_file(tmp_path_factory) -> Path:
    """A model that finds something in every image."""
    torch.manual_seed(0)
    small = SMALL_MODEL | {"min_size": 64, "max_size": 96, "rpn_proposals_test": 20, "weights": "none"}
    settings = ModelSection(**small, detections=20, score_threshold=0.2)
    network = detectors.build(settings, CLASSES)
    network.roi_heads.box_predictor.cls_score.bias.data = torch.tensor([-1.0, 0.5, 0.5])
    path = tmp_path_factory.mktemp("model") / "model.pt"
    detectors.save(path, network, settings, CLASSES, {})
    return path


def save_image(path: Path, orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (70, 90, 3), np.uint8)).save(path, exif=exif)


def write_file(folder: Path, categories: dict[int, str], **of_image: Any) -> Path:
    """A COCO file with one image and a truck of category 5."""
    entry = {"id": 3, "file_name": "a.png", "width": 90, "height": 70} | of_image
    names = [{"id": number, "name": name} for number, name in categories.items()]
    json_files.write_json(folder / "any.json", {"images": [entry], "annotations": [TRUCK], "categories": names})
    return folder / "any.json"


def run(command: str, model: Path, folder: Path, *more: Any) -> tuple[Outcome, Any]:
    """Run predict or evaluate on any.json, and return what it wrote."""
    if not (folder / "images").exists():
        save_image(folder / "images/a.png")
    out = folder / "out.json"
    written = ("--predictions", out) if command == "predict" else ("--out", out)
    given = ("--model", model, "--annotations", folder / "any.json", "--images", folder / "images")
    done = run_cariste(command, *given, *written, "--threads", 1, *more)
    return done, json.loads(out.read_text()) if out.exists() else None


@pytest.mark.parametrize("name", ["Pallet Truck", "pallet-truck", "PALLET_TRUCK "])
def test_predict_and_evaluate_take_names_that_differ_in_case_and_blanks(model_file, tmp_path, name):
    write_file(tmp_path, {5: name})
    done, results = run("predict", model_file, tmp_path)
    assert (done.exit_code, {result["category_id"] for result in results}) == (0, {5})
    done, metrics = run("evaluate", model_file, tmp_path)
    assert metrics["annotations"] == {"pallet_truck": 1}
    assert metrics["box"]["pallet_truck"]["AP"] is not None


def test_a_mapping_says_which_category_is_which_class(model_file, tmp_path):
    write_file(tmp_path, {5: "jack", 7: "person", 8: "man"})
    mapping = ("--category", "jack=pallet_truck", "--category", "person=pedestrian", "--category", "man=pedestrian")
    done, results = run("predict", model_file, tmp_path, *mapping)
    assert (done.exit_code, {result["category_id"] for result in results}) == (0, {5, 7})
    done, metrics = run("evaluate", model_file, tmp_path, *mapping)
    assert set(metrics["annotations"]) == {"pallet_truck", "pedestrian"}


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "none of its categories (jack, person) is a class of the model (pedestrian, pallet_truck)"),
        (("--category", "jak=pallet_truck"), "no category 'jak' (did you mean 'jack'?)"),
        (("--category", "jack=truck"), "the model has no class 'truck' (did you mean 'pallet_truck'?)"),
        (("--category", "jack"), "must be CATEGORY=CLASS"),
    ],
)
def test_names_that_lead_nowhere_are_refused_before_anything_is_written(model_file, tmp_path, command, more, message):
    write_file(tmp_path, {5: "jack", 7: "person"})
    done, written = run(command, model_file, tmp_path, *more)
    assert (done.exit_code, written) == (2, None)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_images_alone_are_predicted_with_the_ids_of_the_model(model_file, tmp_path):
    json_files.write_json(tmp_path / "any.json", {"images": [{"id": "x", "file_name": "a.png"}]})
    done, results = run("predict", model_file, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert {result["image_id"] for result in results} == {"x"}
    assert {result["category_id"] for result in results} <= {1, 2}


@pytest.mark.parametrize("id_", [2**63, 10**30, -5, 0, "a.png123"])
def test_ids_of_any_size_and_text_are_scored(model_file, tmp_path, id_):
    path = write_file(tmp_path, {5: "pallet_truck"}, id=id_)
    path.write_text(path.read_text().replace('"image_id":3', f'"image_id":{json.dumps(id_)}'))
    done, results = run("predict", model_file, tmp_path)
    assert {result["image_id"] for result in results} == {id_}
    done, metrics = run("evaluate", model_file, tmp_path)
    assert done.exit_code == 0, done.stderr
    assert metrics["annotations"] == {"pallet_truck": 1}
    scored = run_cariste(
        "evaluate", "--annotations", path, "--predictions", save(tmp_path, results), "--out", tmp_path / "m.json"
    )
    assert scored.exit_code == 0, scored.stderr
    assert json.loads((tmp_path / "m.json").read_text())["box"] == metrics["box"]


def save(folder: Path, results: Any) -> Path:
    json_files.write_json(folder / "found.json", results)
    return folder / "found.json"


def test_an_image_that_was_annotated_before_its_rotation_is_predicted_as_stored(model_file, tmp_path):
    write_file(tmp_path, {5: "pallet_truck"})
    _, upright = run("predict", model_file, tmp_path)
    save_image(tmp_path / "images/a.png", orientation=6)
    done, as_stored = run("predict", model_file, tmp_path)
    assert as_stored == upright
    assert done.stderr.count("before the rotation by EXIF") == 1


def test_an_area_that_is_wrong_changes_no_score(tmp_path):
    scores = []
    for area in (900, 0, -1, 1e12, None, "many"):
        path = write_file(tmp_path, {5: "pallet_truck"})
        path.write_text(path.read_text().replace('"bbox"', f'"area":{json.dumps(area)},"bbox"'))
        found = {"image_id": 3, "category_id": 5, "bbox": TRUCK["bbox"], "score": 0.5}
        given = ("--annotations", path, "--predictions", save(tmp_path, [found]))
        assert run_cariste("evaluate", *given, "--out", tmp_path / "m.json").exit_code == 0
        scores.append(json.loads((tmp_path / "m.json").read_text())["box"]["AP"])
    assert scores == [1.0] * 6


def test_distribution_compares_categories_of_other_names(tmp_path):
    ours = write_set(tmp_path / "ours", [image()], [annotation(0, 40)], ("pedestrian",))
    real = write_set(tmp_path / "real", [image(), image()], [annotation(0, 40, "person")], ("person",))
    given = ("--name", "ours", "--annotations", ours, "--images", ours.parent, "--compare", "real", real, real.parent)
    outputs = ("--out", tmp_path / "d.json", "--page", tmp_path / "d.html")
    done = run_cariste("distribution", *given, *outputs)
    assert done.exit_code == 2
    assert "none of its categories (person) is a class of ours (pedestrian)" in done.stderr
    done = run_cariste("distribution", *given, *outputs, "--category", "person=pedestrian")
    assert done.exit_code == 0, done.stderr
    sets = json.loads((tmp_path / "d.json").read_text())["datasets"]
    assert [each["objects"] for each in sets] == [{"pedestrian": 1}] * 2
