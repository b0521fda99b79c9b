# SPDX-License-Identifier: Apache-2.0
"""Predictions of a small untrained model: results, drawn copies and messages."""

import json
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from faster_coco_eval import mask as coco_mask
from PIL import Image

from pipeline.coco import image_check, reader
from pipeline.common import image_files, json_files
from pipeline.config.training import ModelSection
from pipeline.inference import predict
from pipeline.models import detectors
from pipeline.viz.overlays import PALETTE_RGB, OverlayObject, draw_overlay
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.configs import SMALL_MODEL

CLASSES = [reader.Category(id=1, name="pedestrian"), reader.Category(id=2, name="pallet_truck")]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of a model this small wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    small = SMALL_MODEL | {"min_size": 64, "max_size": 96, "rpn_proposals_test": 30, "weights": "none", "nms_iou": 0.3}
    settings = ModelSection(**small, detections=60, score_threshold=0.2)
    network = detectors.build(settings, CLASSES)
    # Biases that make both classes likely, so that there are detections.
    network.roi_heads.box_predictor.cls_score.bias.data = torch.tensor([-1.0, 0.5, 0.5])
    path = tmp_path_factory.mktemp("model") / "model.pt"
    detectors.save(path, network, settings, CLASSES, {})
    return path


@pytest.fixture(scope="module")
def detector(model_file) -> detectors.Detector:
    return detectors.load(model_file)


def write_image(path: Path, seed: int, width: int = 90, height: int = 70) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 255, (height // 10, width // 10, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST))
    return path


@pytest.fixture
def annotated(tmp_path) -> reader.CocoFile:
    """Two images whose file has other ids for the classes, and one class that the model does not know."""
    for number in (3, 8):
        write_image(tmp_path / "images" / f"{number}.png", number)
    images = [{"id": number, "file_name": f"{number}.png", "width": 90, "height": 70} for number in (3, 8)]
    names = {5: "pallet_truck", 6: "forklift"}
    annotations = [{"id": 1, "image_id": 3, "category_id": 5, "bbox": [10, 10, 30, 30]}]
    categories = [{"id": number, "name": name} for number, name in names.items()]
    document = {"images": images, "annotations": annotations, "categories": categories}
    json_files.write_json(tmp_path / "any.json", document)
    return reader.read_coco(tmp_path / "any.json")


def test_detections_are_those_of_torchvisions_own_forward_pass(detector, tmp_path):
    image = image_files.read_image(write_image(tmp_path / "a.png", 1))
    with torch.inference_mode():
        (whole,) = detector.model([torch.from_numpy(image).permute(2, 0, 1) / 255])
    found = predict.detect_objects(detector.model, image, {1: 1, 2: 2})
    assert len(found) == len(whole["boxes"]) > 4
    assert [entry["category_id"] for entry in found] == whole["labels"].tolist()
    np.testing.assert_allclose([entry["score"] for entry in found], whole["scores"], atol=1e-6)
    for entry, box, mask in zip(found, whole["boxes"], whole["masks"], strict=True):
        x, y, width, height = entry["bbox"]
        np.testing.assert_allclose([x, y, x + width, y + height], box, atol=0.02)
        segmentation = reader.to_rle(reader.Rle(**entry["segmentation"]), 70, 90)
        np.testing.assert_array_equal(coco_mask.decode(segmentation), mask[0] >= 0.5)


def test_results_have_the_ids_of_the_file_and_no_other_class(detector, annotated, tmp_path):
    results = predict.predict_annotated(detector, annotated, image_check.check_images(annotated, tmp_path / "images"))
    assert {entry["category_id"] for entry in results} == {5}
    assert {entry["image_id"] for entry in results} == {3, 8}
    json_files.write_json(tmp_path / "found.json", results)
    assert len(reader.read_results(tmp_path / "found.json", annotated)) == len(results)


def test_images_are_checked_before_the_first_prediction(detector, annotated, tmp_path):
    write_image(tmp_path / "images" / "8.png", 8, width=50)
    with pytest.raises(reader.CocoError, match=r"any.json: image 8: .*8.png: the image is 50x70, the file says 90x70"):
        predict.predict_annotated(detector, annotated, image_check.check_images(annotated, tmp_path / "images"))


def test_all_damaged_images_are_named_before_the_first_prediction(detector, annotated, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "detect_objects", None)
    for number in (3, 8):
        path = tmp_path / "images" / f"{number}.png"
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(image_files.ImageFileError) as caught:
        predict.predict_annotated(detector, annotated, image_check.check_images(annotated, tmp_path / "images"))
    for line, number in zip(str(caught.value).splitlines(), (3, 8), strict=True):
        assert re.search(rf"any.json: .*{number}.png: not a readable image", line)


def run(*arguments: object) -> Outcome:
    return run_cariste("predict", *arguments)


def test_images_and_folders_become_results_and_drawn_copies(model_file, tmp_path):
    write_image(tmp_path / "in" / "a.png", 1)
    write_image(tmp_path / "in" / "b.JPG", 2, width=120)
    (tmp_path / "in" / "notes.txt").write_text("no image")
    alone = write_image(tmp_path / "a.jpg", 3)
    out = tmp_path / "out"
    arguments = ("--model", model_file, "--out", out, "--draw-threshold", 0.2, "--device", "cpu")
    assert run(*arguments, tmp_path / "in", alone).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "a_1.png",
        "a_3.png",
        "b.png",
        "images.json",
        "predictions.json",
    ]
    file = reader.read_coco(out / "images.json")
    assert [(image.id, Path(image.file_name).name, image.width) for image in file.images] == [
        (1, "a.png", 90),
        (2, "b.JPG", 120),
        (3, "a.jpg", 90),
    ]
    assert {entry.image_id for entry in reader.read_results(out / "predictions.json", file)} == {1, 2, 3}
    original, drawn = image_files.read_image(tmp_path / "in" / "a.png"), image_files.read_image(out / "a_1.png")
    assert drawn.shape == original.shape
    assert (drawn != original).any()


def test_nothing_is_drawn_if_the_threshold_is_above_every_score(model_file, tmp_path):
    image = write_image(tmp_path / "a.png", 1)
    run("--model", model_file, "--out", tmp_path / "out", "--draw-threshold", 1, image)
    np.testing.assert_array_equal(image_files.read_image(tmp_path / "out" / "a.png"), image_files.read_image(image))


def test_the_results_of_a_file_are_the_same_bytes_every_time(model_file, annotated, tmp_path):
    written = []
    for name in ("one.json", "two.json"):
        places = ("--annotations", annotated.path, "--images", tmp_path / "images", "--predictions", tmp_path / name)
        assert run("--model", model_file, *places, "--device", "cpu", "--threads", 1).exit_code == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_results_in_the_folder_of_the_images_overwrite_nothing_and_are_no_images_later(model_file, tmp_path):
    write_image(tmp_path / "a.png", 1)
    write_image(tmp_path / "b.jpg", 2)
    before = contents(tmp_path)
    command = ("--model", model_file, "--out", tmp_path, "--device", "cpu", tmp_path)
    assert run(*command).exit_code == 0
    first = contents(tmp_path)
    assert before.items() <= first.items()
    assert first.keys() - before.keys() == {"a_1.png", "b.png", "images.json", "predictions.json"}
    again = run(*command)
    assert (again.exit_code, contents(tmp_path)) == (0, first)
    assert "skipped drawn copies of an earlier run: 2 (" in again.stderr


def test_images_that_cannot_be_read_are_named_and_the_others_are_predicted(model_file, tmp_path):
    write_image(tmp_path / "in" / "a.png", 1)
    cut = write_image(tmp_path / "in" / "cut.png", 2)
    cut.write_bytes(cut.read_bytes()[:-40])
    (tmp_path / "in" / "empty.jpg").touch()
    (tmp_path / "in" / "link.jpg").symlink_to("gone.jpg")
    for number in range(10):
        (tmp_path / "in" / f"text{number}.jpg").write_text("no image")
    done = run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", tmp_path / "in")
    assert done.exit_code == 1
    assert "empty.jpg: not a readable image (empty)" in done.stderr
    assert "link.jpg: no such file, the link leads to gone.jpg" in done.stderr
    assert done.stderr.count("no image") - done.stderr.count("no images") == 0
    assert "and 2 more\n" in done.stderr
    assert "12 of 14 images cannot be read; the others are predicted" in done.stderr
    assert "cut.png: not a readable image (" in done.stderr
    assert "13 of 14 images cannot be read; the others are predicted" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    file = reader.read_coco(tmp_path / "out" / "images.json")
    assert [Path(image.file_name).name for image in file.images] == ["a.png"]
    assert {each.image_id for each in reader.read_results(tmp_path / "out" / "predictions.json", file)} == {1}


def test_nothing_is_written_if_no_image_can_be_read(model_file, tmp_path):
    cut = write_image(tmp_path / "in" / "cut.png", 2)
    cut.write_bytes(cut.read_bytes()[:-40])
    (tmp_path / "in" / "empty.jpg").touch()
    for inputs in (tmp_path / "in" / "empty.jpg", cut):
        done = run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", inputs)
        assert done.exit_code == 2
        assert f"{inputs.name}: not a readable image" in done.stderr
        assert not (tmp_path / "out").exists()


def test_images_of_a_coco_file_that_cannot_be_used_are_named_and_the_others_are_predicted(
    model_file, annotated, tmp_path
):
    places = ("--annotations", annotated.path, "--images", tmp_path / "images", "--predictions", tmp_path / "p.json")
    write_image(tmp_path / "images" / "8.png", 8, width=50)
    done = run("--model", model_file, *places, "--device", "cpu")
    assert done.exit_code == 1
    assert "any.json: image 8: " in done.stderr
    assert "1 of 2 images cannot be read" in done.stderr
    assert {each.image_id for each in reader.read_results(tmp_path / "p.json", annotated)} == {3}
    (tmp_path / "images" / "3.png").unlink()
    (tmp_path / "p.json").unlink()
    done = run("--model", model_file, *places, "--device", "cpu")
    assert done.exit_code == 2
    assert "3.png: no such file" in done.stderr
    assert not (tmp_path / "p.json").exists()


def test_what_was_assumed_about_images_is_said_once(model_file, tmp_path):
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 4096, (70, 90), np.uint16)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    done = run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", tmp_path)
    assert done.exit_code == 0
    lines = [line for line in done.stderr.splitlines() if "images 5 (" in line]
    assert [line.split(":")[1].strip() for line in lines] == [
        "gray of more than 8 bits is scaled by the range of its type",
        "almost black",
    ]


@pytest.mark.parametrize(
    "name", [b"gr\xfcn.jpg", b"a\nb.jpg", b"#1 100%.jpg", "ä🚜.jpg".encode(), b"x" * 251 + b".jpg"]
)
def test_images_with_any_name_are_predicted(model_file, tmp_path, name):
    image = tmp_path / os.fsdecode(name)
    write_image(tmp_path / "a.jpg", 1).rename(image)
    for inputs in (tmp_path, image):
        done = run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", inputs)
        assert done.exit_code == 0, done.stderr
        (entry,) = json.loads((tmp_path / "out" / "images.json").read_text())["images"]
        assert os.fsencode(entry["file_name"]) == os.fsencode(image)
        assert (tmp_path / "out" / entry["drawn"]).is_file()
    assert reader.read_coco(tmp_path / "out" / "images.json").images[0].file_name == str(image)


def test_an_interrupted_run_leaves_no_results_in_part(model_file, tmp_path, monkeypatch):
    for number in range(3):
        write_image(tmp_path / "in" / f"{number}.png", number)
    written = image_files.write_png

    def interrupt(path: Path, *arguments: object, **options: object) -> None:
        written(path, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(image_files, "write_png", interrupt)
    run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", tmp_path / "in")
    assert list(contents(tmp_path / "out")) == ["0.png"]
    monkeypatch.undo()
    assert run("--model", model_file, "--out", tmp_path / "out", "--device", "cpu", tmp_path / "in").exit_code == 0
    assert len(reader.read_coco(tmp_path / "out" / "images.json").images) == 3


def test_missing_inputs_are_named(model_file, tmp_path):
    done = run("--model", model_file, "--out", tmp_path / "out", tmp_path / "none.png")
    assert done.exit_code == 2
    assert "none.png: no such file or folder" in done.stderr


def test_a_missing_model_is_named(tmp_path):
    image = write_image(tmp_path / "a.png", 1)
    done = run("--model", tmp_path / "none.pt", "--out", tmp_path / "out", image)
    assert done.exit_code == 2
    assert "none.pt" in done.stderr


def test_missing_options_are_named(model_file):
    done = run("--model", model_file)
    assert done.exit_code == 2
    assert "give IMAGES and --out" in done.stderr


def test_a_model_is_scored_on_any_coco_file(model_file, annotated, tmp_path):
    arguments = ("--model", model_file, "--annotations", annotated.path, "--images", tmp_path / "images")
    done = run_cariste("evaluate", *arguments, "--out", tmp_path / "metrics.json")
    assert done.exit_code == 0, done.stderr
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["box"]["pallet_truck"]["AP"] is not None
    assert metrics["box"]["forklift"] == {"AP": None, "AP50": None, "AP75": None}
    assert metrics["mask"] is None
    assert "not scored, because the model does not have these categories: forklift" in done.stderr


def test_overlays_are_drawn_at_their_objects():
    image = np.full((60, 80, 3), 200, np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[30:50, 20:40] = 1
    drawn = draw_overlay(image, [OverlayObject("", PALETTE_RGB[0], (20, 30, 20, 20), mask)])
    assert (image == 200).all()
    changed = (drawn != 200).any(axis=2)
    np.testing.assert_array_equal(changed, mask.astype(bool))
    np.testing.assert_array_equal(drawn[30, 20], PALETTE_RGB[0])
    named = draw_overlay(image, [OverlayObject("truck 0.90", PALETTE_RGB[0], (70, 2, 8, 50))])
    assert (named == 0).any(), "the name leaves the image"
