# SPDX-License-Identifier: Apache-2.0
"""Model files with a wrong content: each is refused in one line that names the key or the tensor."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.models import detectors
from pipeline.models.weights import model_file, state_dicts
from pipeline.models.weights.state_dicts import WeightsError
from tests.helpers.commands import run_cariste
from tests.helpers.model_files import CATEGORIES, MODEL, model_content

SCORES = "roi_heads.box_predictor.cls_score.weight"
VARIANCE = "backbone.body.bn1.running_var"
NAN, INFINITY = float("nan"), float("inf")
Change = Callable[[dict[str, Any]], Any]


def put(*keys_and_value: Any) -> Change:
    """Return a function that sets the value at the path of keys."""
    *keys, last, value = keys_and_value

    def change(content: dict[str, Any]) -> None:
        for key in keys:
            content = content[key]
        content[last] = value

    return change


def fill(name: str, value: float) -> Change:
    """Return a function that sets one number of a tensor."""
    return lambda content: content["weights"][name].view(-1)[0].fill_(value)


def cast(name: str, dtype: torch.dtype) -> Change:
    """Return a function that changes the type of a tensor."""
    return lambda content: content["weights"].update({name: content["weights"][name].to(dtype)})


NAMES = "not what `cariste train` wrote"
WRONG: dict[str, tuple[Change, str]] = {
    "a NaN": (fill(SCORES, NAN), rf"1 of \d+ values of tensor {SCORES} are NaN or infinite: the training"),
    "an infinite number": (fill(SCORES, INFINITY), f"tensor {SCORES} are NaN or infinite"),
    "a number that float32 cannot hold": (
        lambda content: content["weights"].update({SCORES: content["weights"][SCORES].double() * 1e300}),
        f"tensor {SCORES} are NaN or infinite",
    ),
    "a negative variance": (fill(VARIANCE, -1), f"tensor {VARIANCE} has a negative variance"),
    "a tensor is missing": (lambda content: content["weights"].pop(SCORES), f"do not fit: lacks {SCORES}"),
    "a tensor too many": (put("weights", "extra", torch.ones(1)), "has extra, which the model does not have"),
    "a tensor of another shape": (put("weights", SCORES, torch.ones(3, 5)), rf"{SCORES} is \(3, 5\), the model's \(3,"),
    "no tensor": (put("weights", SCORES, 5), f"{NAMES}: .*weights.{SCORES}"),
    "a sparse tensor": (
        lambda content: content["weights"].update({SCORES: content["weights"][SCORES].to_sparse()}),
        "sparse, quantized",
    ),
    "a complex tensor": (cast(SCORES, torch.complex64), "complex"),
    "a tensor of whole numbers": (cast(SCORES, torch.int8), f"tensor {SCORES} is int8, not float32"),
    "no weights": (put("weights", {}), "do not fit: lacks .*; and [0-9]+ more"),
    "no categories": (put("categories", []), f"{NAMES}: .*categories"),
    "categories without names": (put("categories", [{"id": 1}, {"id": 2}]), f"{NAMES}: .*categories.0.name"),
    "an empty name": (put("categories", 0, "name", ""), f"{NAMES}: .*categories.0.name"),
    "two categories of a name": (put("categories", 0, "name", "pallet_truck"), "two categories have the name"),
    "two categories of an id": (put("categories", 0, "id", 2), "two categories have the id 2"),
    "a third category": (
        lambda content: content["categories"].append({"id": 3, "name": "forklift"}),
        "names 3 categories, but its weights are for 2",
    ),
    "categories as text": (put("categories", "pedestrian"), f"{NAMES}: .*categories"),
    "another architecture": (put("architecture", "fpn_channels", 32), "architecture do not fit: .*; and [0-9]+ more"),
    "an endless architecture": (put("architecture", "fpn_channels", 10**12), f"{NAMES}: .*architecture.fpn_channels"),
    "an unknown backbone": (put("architecture", "backbone", "resnet19"), "model cannot be built: .*resnet19"),
    "a key too many": (put("architecture", "depth", 3), f"{NAMES}: .*architecture.depth"),
    "no architecture": (put("architecture", None), f"{NAMES}: .*architecture"),
    "anchors of text": (put("architecture", "anchor_sizes", ["a"] * 5), f"{NAMES}: .*architecture.anchor_sizes"),
    "too few anchors": (put("architecture", "anchor_sizes", [16]), f"{NAMES}: .*architecture.anchor_sizes"),
    "a deviation of zero": (put("normalization", "std", [0, 1, 1]), f"{NAMES}: .*normalization.std.0"),
    "a mean of NaN": (put("normalization", "mean", [NAN, 0, 0]), f"{NAMES}: .*normalization.mean.0"),
    "an eps of NaN": (put("norm_eps", NAN), f"{NAMES}: .*norm_eps"),
    "settings of a newer version": (put("settings", "new_key", 1), "settings are of another version .*new_key"),
    "wrong settings": (put("settings", "nms_iou", 7), "settings are of another version .*nms_iou"),
    "facts as text": (put("facts", "none"), f"{NAMES}: .*facts"),
    "an older format": (put("format", "cariste-mask-rcnn-2"), "another version of Cariste.*train the model again"),
    "a newer format": (put("format", "cariste-mask-rcnn-4"), "another version of Cariste.*update Cariste"),
    "a format of another type": (put("format", 3), "not a model file"),
    "the format of a checkpoint": (put("format", "cariste-checkpoint-1"), "checkpoint of a run that is not finished"),
    "keys are missing": (lambda content: (content.pop("facts"), content.pop("norm_eps")), "it lacks norm_eps, facts"),
}  # fmt: skip
OTHERS = {
    "a state dict": ({"conv.weight": torch.zeros(1)}, "holds the weights of a network.*model.weights"),
    "a wrapped state dict": ({"model": {"a": torch.zeros(1)}, "epoch": 3}, "holds the weights of a network"),
    "a list": ([1, 2], "not a model file: it has no format"),
    "a number": (3, "not a model file"),
    "an empty dictionary": ({}, "not a model file"),
}


def save_and_load(content: dict[str, Any], path: Path) -> None:
    """Load the content as a model. What is refused without the disk is not written first."""
    model_file.validate_content(path, content)
    torch.save(content, path)
    detectors.load(path)


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_content_is_refused_in_one_line_that_names_it(tmp_path, what):
    change, pattern = WRONG[what]
    content = model_content()
    change(content)
    with pytest.raises(detectors.ModelFileError, match=rf"model\.pt: .*{pattern}") as failure:
        save_and_load(content, tmp_path / "model.pt")
    assert "\n" not in str(failure.value)
    assert len(str(failure.value)) < 600


@pytest.mark.parametrize("what", OTHERS)
def test_another_content_is_named(tmp_path, what):
    content, pattern = OTHERS[what]
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(detectors.ModelFileError, match=rf"model\.pt: {pattern}"):
        detectors.load(tmp_path / "model.pt")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_used_as_float32_and_the_log_says_so(tmp_path, caplog, dtype):
    caplog.set_level(logging.INFO)
    content = model_content()
    content["weights"] = {
        name: each.to(dtype) if each.is_floating_point() else each for name, each in content["weights"].items()
    }
    torch.save(content, tmp_path / "model.pt")
    loaded = detectors.load(tmp_path / "model.pt").model.state_dict()
    assert torch.equal(loaded[SCORES], content["weights"][SCORES].float())
    assert [line for line in caplog.messages if "used as float32" in line] == [
        f"{tmp_path / 'model.pt'}: its weights are {str(dtype).removeprefix('torch.')}, used as float32"
    ]


def test_renamed_categories_are_accepted(tmp_path):
    content = model_content()
    content["categories"][0]["name"] = "Fußgänger"
    torch.save(content, tmp_path / "model.pt")
    assert [each["name"] for each in detectors.load(tmp_path / "model.pt").categories] == ["Fußgänger", "pallet_truck"]


@pytest.mark.parametrize("value", [NAN, INFINITY])
@pytest.mark.parametrize("wrapped", [True, False])
def test_training_does_not_start_from_weights_that_are_no_numbers(tmp_path, changed_model, value, wrapped):
    content = model_content()
    fill("backbone.body.conv_stem.weight", value)(content)
    torch.save(content if wrapped else content["weights"], tmp_path / "start.pt")
    settings = changed_model(backbone=MODEL["backbone"], weights=str(tmp_path / "start.pt"))
    with pytest.raises(WeightsError, match=r"start\.pt: 1 of \d+ values of tensor .*conv_stem.weight are NaN"):
        detectors.build(settings, CATEGORIES)


def test_a_checkpoint_without_weights_is_no_start(tmp_path, changed_model):
    torch.save({"format": model_file.CHECKPOINT_FORMAT, "state": {}}, tmp_path / "start.pt")
    with pytest.raises(WeightsError, match="incomplete checkpoint"):
        detectors.build(changed_model(weights=str(tmp_path / "start.pt")), CATEGORIES)


@pytest.mark.parametrize("metadata", ["{", "[]", "{}", '{"sha256": 5}', "null"])
def test_safetensors_with_a_wrong_key_of_ours_are_refused(tmp_path, metadata):
    import safetensors.torch

    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "m.safetensors", {state_dicts.METADATA_KEY: metadata})
    with pytest.raises(WeightsError, match="damaged"):
        state_dicts.read(tmp_path / "m.safetensors")


def test_the_command_refuses_a_model_of_nan_with_exit_code_2_and_writes_nothing(tmp_path):
    content = model_content()
    fill(SCORES, NAN)(content)
    torch.save(content, tmp_path / "model.pt")
    done = run_cariste("export", "--model", tmp_path / "model.pt", "--out", tmp_path / "new" / "model.onnx")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"tensor {SCORES}" in done.stderr
    assert not (tmp_path / "new").exists()


def test_the_layers_of_a_model_that_does_not_say_how_it_was_trained_are_refused_in_one_line(tmp_path):
    torch.save(model_content(), tmp_path / "model.pt")
    done = run_cariste("layers", "--model", tmp_path / "model.pt")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "do not say how it was trained" in done.stderr


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2]
)
def test_training_starts_from_weights_of_another_precision(tmp_path, changed_model, dtype):
    tensors = {name: each.to(dtype) for name, each in model_content()["weights"].items() if each.is_floating_point()}
    torch.save(tensors, tmp_path / "start.pt")
    settings = changed_model(backbone=MODEL["backbone"], weights=str(tmp_path / "start.pt"))
    started = detectors.build(settings, CATEGORIES).state_dict()
    name = "backbone.body.conv_stem.weight"
    assert torch.equal(started[name], tensors[name].float())
