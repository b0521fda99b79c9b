# SPDX-License-Identifier: Apache-2.0
"""An exported file gives the outputs of torch and describes itself. A file that does not agree is not written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from faster_coco_eval import mask as coco_mask
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from pipeline.coco import reader
from pipeline.config.training import ModelSection
from pipeline.inference import export, predict
from pipeline.models import detectors
from pipeline.models.mask_rcnn import MASKRCNN_V1, architecture_from_settings, build_mask_rcnn
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.paths import ROOT

WIDTH, HEIGHT = 96, 72
CLASSES = [reader.Category(id=1, name="pedestrian"), reader.Category(id=7, name="pallet_truck")]
EXAMPLE = ROOT / "examples" / "detect_without_torch.py"


def save_model(path: Path, settings: ModelSection, layout: str) -> Path:
    """Write a model of random weights that has something to say of everything."""
    torch.manual_seed(4)
    if layout == "resnet50":
        settings = settings.model_copy(update={"backbone": MASKRCNN_V1, "fpn_channels": 256})
    network = build_mask_rcnn(architecture_from_settings(settings), settings, len(CLASSES))
    # Wide logits: scores of all heights, far enough from each other to have an order.
    network.roi_heads.box_predictor.cls_score.weight.data *= 30
    network.roi_heads.box_predictor.cls_score.bias.data = torch.tensor([0.0, 0.5, 0.5])
    # Masks that are neither empty nor full: the sign of the logits changes from place to place.
    network.roi_heads.mask_predictor.mask_fcn_logits.weight.data *= 1e4
    network.roi_heads.mask_predictor.mask_fcn_logits.bias.data.zero_()
    detectors.save(path, network, settings, CLASSES, {})
    return path


@pytest.fixture(scope="module")
def settings() -> ModelSection:
    return ModelSection(
        backbone="tf_efficientnet_lite0",
        weights="none",
        fpn_channels=16,
        min_size=64,
        max_size=96,
        rpn_proposals_test=30,
        score_threshold=0.2,
        nms_iou=0.4,
    )


@pytest.fixture(scope="module")
def model_file(settings, tmp_path_factory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "model.pt", settings, "ours")


@pytest.fixture(scope="module")
def onnx_file(model_file) -> Path:
    out = model_file.with_name("model.onnx")
    export.export(detectors.load(model_file), out, WIDTH, HEIGHT)
    return out


@pytest.fixture(scope="module")
def torchscript_file(model_file) -> Path:
    out = model_file.with_name("model.torchscript.pt")
    export.export(detectors.load(model_file), out, WIDTH, HEIGHT)
    return out


def a_image(seed: int) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    return cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def assert_same(found: dict[str, np.ndarray], detections: list[dict]) -> None:
    """`found` by an exported file is what `predict.detect_objects` finds."""
    assert len(found["scores"]) == len(detections) > 4
    for box, label, score, detection in zip(found["boxes"], found["labels"], found["scores"], detections, strict=True):
        x, y, width, height = detection["bbox"]
        np.testing.assert_allclose(box, (x, y, x + width, y + height), atol=0.05)
        assert label == detection["category_id"]
        assert score == pytest.approx(detection["score"], abs=1e-3)


def run(*arguments: object) -> Outcome:
    return run_cariste("export", *arguments)


@pytest.mark.parametrize("kind", ["onnx_file", "torchscript_file"])
def test_an_exported_file_detects_what_predict_detects_with_and_without_objects(kind, model_file, request):
    content = request.getfixturevalue(kind).read_bytes()
    exported = (export.onnx_predictor if kind == "onnx_file" else export.torchscript_predictor)(content)
    network = detectors.load(model_file).model
    for seed in (1, 2):
        image = a_image(seed)
        assert_same(exported(image, 0.2), predict.detect_objects(network, image, {1: 1, 2: 2}))
        nothing = exported(np.zeros_like(image), 1.0)
        assert {name: values.shape for name, values in nothing.items()} == {
            "boxes": (0, 4),
            "labels": (0,),
            "scores": (0,),
            "masks": (0, 28, 28),
        }


@pytest.mark.slow
def test_a_model_in_the_resnet50_layout_of_torchvision_is_exported(settings, tmp_path):
    source = save_model(tmp_path / "model.pt", settings, "resnet50")
    seen = export.export(detectors.load(source), tmp_path / "model.onnx", 64, 64)
    assert "agrees with torch: images with " in seen
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.pt"]


def test_the_score_threshold_of_an_onnx_file_defaults_to_that_of_the_model(onnx_file):
    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    assert [(put.name, put.type, put.shape) for put in session.get_inputs()] == [
        ("image", "tensor(uint8)", [HEIGHT, WIDTH, 3])
    ]
    (scores,) = session.run(["scores"], {"image": a_image(1)})
    (every_score,) = session.run(["scores"], {"image": a_image(1), "score_threshold": np.array(0, np.float32)})
    assert 0.2 < scores.min() < scores.max()
    assert every_score.min() < 0.2


@pytest.mark.parametrize("kind", ["onnx_file", "torchscript_file"])
def test_the_metadata_hold_all_that_is_needed_to_use_the_file(kind, request):
    file = request.getfixturevalue(kind)
    if kind == "onnx_file":
        texts = onnxruntime.InferenceSession(file).get_modelmeta().custom_metadata_map
    else:
        texts = dict.fromkeys(("format", "categories", "input", "thresholds", "preprocessing"), "")
        torch.jit.load(file, _extra_files=texts)
    about = {name: json.loads(text) for name, text in texts.items()}
    assert about == {
        "format": detectors.MODEL_FORMAT,
        "categories": [{"id": 1, "name": "pedestrian"}, {"id": 7, "name": "pallet_truck"}],
        "input": {"width": WIDTH, "height": HEIGHT, "channels": "RGB", "layout": "HWC", "dtype": "uint8"},
        "thresholds": {"score": 0.2, "nms_iou": 0.4, "mask": 0.5, "detections": 100},
        "preprocessing": {
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            "width": 85,
            "height": 64,
            "resize": "bilinear: shorter side to 64, longer at most 96",
            "padded_to_multiple_of": 32,
        },
    }


def test_the_example_without_torch_detects_the_same(onnx_file, model_file, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), cv2.cvtColor(a_image(3), cv2.COLOR_RGB2BGR))
    arguments = [str(onnx_file), str(tmp_path / "in.png"), str(tmp_path / "out.png")]
    # The example as a user runs it, in a Python that has neither torch nor this project.
    code = (
        "import runpy, sys; sys.modules.update(torch=None, torchvision=None, pipeline=None); "
        f"sys.argv[1:] = {arguments!r}; runpy.run_path({str(EXAMPLE)!r})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    expected = predict.detect_objects(detectors.load(model_file).model, a_image(3), {1: 1, 2: 7})
    assert len(found) == len(expected) > 4
    for entry, detection in zip(found, expected, strict=True):
        assert (entry["id"], entry["score"]) == (detection["category_id"], pytest.approx(detection["score"], abs=1e-3))
        mask = coco_mask.decode(detection["segmentation"])
        assert entry["pixels"] == pytest.approx(mask.sum(), abs=3, rel=0.01)
        if mask.sum() > 50:
            assert entry["center"] == pytest.approx(np.argwhere(mask).mean(axis=0)[::-1], abs=0.3)
    assert any(entry["pixels"] > 50 for entry in found)
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert (drawn != cv2.imread(str(tmp_path / "in.png"))).any()


def test_the_example_refuses_an_image_of_another_size(onnx_file, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), np.zeros((50, 60, 3), np.uint8))
    command = [sys.executable, str(EXAMPLE), str(onnx_file), str(tmp_path / "in.png"), str(tmp_path / "out.png")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"in.png: not an image of {WIDTH}x{HEIGHT} pixels" in ran.stderr


@pytest.mark.parametrize(
    ("name", "broken", "pattern"),
    [
        ("boxes", lambda boxes: boxes + 3, r"\(noise, threshold 0\): \d+ detections, not \d+; only 0 have the same"),
        (
            "scores",
            lambda scores: scores * 0.9,
            r"\(noise, threshold 0\): scores differ by up to 0\.\d+, more",
        ),
        ("masks", lambda masks: masks * np.nan, r"\(noise, threshold 0\): masks differ by up to nan"),
        ("labels", lambda labels: labels[:1].repeat(len(labels)), r"only \d+ have the same label"),
        ("masks", lambda masks: masks[:, :14], r"masks are float32 \(\d+, 14, 28\), not float32 \(\d+, 28, 28\)"),
        ("labels", lambda labels: labels.astype(np.int32), "labels are int32"),
    ],
)
def test_a_file_that_does_not_agree_is_not_written(monkeypatch, model_file, tmp_path, name, broken, pattern):
    # As if the exporter had translated one operator wrongly; the torch module itself stands in for the rest.
    right = export.torch_predictor

    def wrong(content):
        camera = export.FixedSizeDetector(detectors.load(model_file).model, WIDTH, HEIGHT).eval()

        def run(image, score_threshold):
            found = right(camera)(image, score_threshold)
            return {**found, name: broken(found[name])}

        return run

    monkeypatch.setitem(export.FORMATS, ".onnx", (lambda camera, metadata: b"", wrong))
    out = tmp_path / "model.onnx"
    out.write_bytes(b"former file")
    done = run("--model", model_file, "--out", out, "--size", WIDTH, HEIGHT)
    assert done.exit_code == 2
    assert "does not agree with torch" in done.stderr
    assert re.search(pattern, done.stderr), done.stderr
    assert out.read_bytes() == b"former file"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_a_model_that_detects_nothing_is_not_exported(monkeypatch, settings, tmp_path):
    # Nothing is traced, which would take long. Torch finds nothing and neither does the stand-in for the exported file.
    shapes = {"boxes": (0, 4), "labels": (0,), "scores": (0,), "masks": (0, 28, 28)}
    nothing = {name: np.zeros(shape, np.int64 if name == "labels" else np.float32) for name, shape in shapes.items()}
    stand_in = (lambda fixed, metadata: b"", lambda content: lambda image, threshold: nothing)
    monkeypatch.setitem(export.FORMATS, ".torchscript.pt", stand_in)
    source = save_model(tmp_path / "model.pt", settings, "ours")
    content = torch.load(source, weights_only=True)
    content["weights"]["roi_heads.box_predictor.cls_score.bias"][1:] = -1e4
    torch.save(content, source)
    done = run("--model", source, "--out", tmp_path / "m.torchscript.pt", "--size", WIDTH, HEIGHT)
    assert done.exit_code == 2
    assert "the model detects nothing, not even with the lowest score" in done.stderr
    assert not (tmp_path / "m.torchscript.pt").exists()


@pytest.mark.parametrize(
    ("out", "size", "pattern"),
    [
        ("model.tflite", (96, 72), "model.tflite: the name must end in .onnx or .torchscript.pt"),
        ("model.onnx", (16, 96), "16 96: each side must be 32 to 8192 pixels"),
        (
            "model.onnx",
            (640, 64),
            r"--size 640 64: too small: the network would get 96x9 pixels \(model",
        ),
    ],
)
def test_a_wrong_name_or_size_is_an_error(model_file, tmp_path, out, size, pattern):
    done = run("--model", model_file, "--out", tmp_path / out, "--size", *size)
    assert done.exit_code == 2
    assert re.search(pattern, done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "model.pt").write_text("no model")
    done = run("--model", tmp_path / "model.pt", "--out", tmp_path / "model.onnx")
    assert done.exit_code == 2
    assert "model.pt: not a file of torch weights: it is text" in done.stderr


@pytest.mark.parametrize("size", [(640, 480), (641, 479), (1920, 1080), (97, 333), (480, 640), (1000, 300)])
def test_the_resized_size_is_that_of_torchvision(size):
    width, height = size
    before, _ = GeneralizedRCNNTransform(288, 512, [0.5], [0.5]).resize(torch.zeros(1, height, width))
    assert export.resized_size(width, height, 288, 512) == (before.shape[2], before.shape[1])
