# SPDX-License-Identifier: Apache-2.0
"""Weights out of files of one's own: torchvision's and timm's layouts, checkpoints, our own models, and wrong files."""

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from torchvision.models import resnet18, resnet34

from pipeline.coco.reader import Category
from pipeline.models import detectors
from pipeline.models.backbones.torchvision_backbones import TORCHVISION_BACKBONES
from pipeline.models.weights import initial_weights


def write(path: Path, state: dict[str, torch.Tensor]) -> Path:
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("backbone", "make"),
    [
        ("resnet18", resnet18),
        ("mobilenet_v3_large", TORCHVISION_BACKBONES["mobilenet_v3_large"].build),
        ("timm/test_convnext", lambda: timm.create_model("test_convnext")),
        ("tf_efficientnet_lite0", lambda: timm.create_model("tf_efficientnet_lite0")),
    ],
)
def test_a_classifier_of_ones_own_fills_the_body(tmp_path, changed_model, categories, backbone, make, suffix):
    torch.manual_seed(5)
    state = make().state_dict()
    if backbone == "mobilenet_v3_large":
        state = {f"features.{name}": tensor for name, tensor in state.items()}
    file = write(tmp_path / f"mine{suffix}", state)
    settings = changed_model(backbone=backbone, weights=str(file))
    detector, report = detectors.build_with_report(settings, categories)
    body = {name for name in detector.state_dict() if name.startswith("backbone.body.")}
    assert body == set(report.loaded)
    expected, found = next(iter(state.values())), next(iter(detector.backbone.body.state_dict().values()))
    assert torch.equal(expected, found)


@pytest.mark.parametrize("wrap", ["state_dict", "model", "model_ema"])
def test_a_checkpoint_of_a_training_script_is_unwrapped(tmp_path, changed_model, categories, wrap):
    state = {f"module.{name}": tensor for name, tensor in resnet18().state_dict().items()}
    torch.save({wrap: state, "epoch": 3}, tmp_path / "checkpoint.pth")
    settings = changed_model(backbone="resnet18", weights=str(tmp_path / "checkpoint.pth"))
    detector = detectors.build(settings, categories)
    assert torch.equal(detector.backbone.body.conv1.weight, state["module.conv1.weight"])


@pytest.mark.parametrize(
    ("backbone", "state", "reason"),
    [
        (
            "resnet34",
            lambda: resnet18().state_dict(),
            r"layer1\.2\.conv1\.weight is \(64, 64, 3, 3\) in the model, not in",
        ),
        (
            "resnet18",
            lambda: resnet34().state_dict(),
            r"layer1\.2\.conv1\.weight is \(64, 64, 3, 3\) in the file, not in",
        ),
        (
            "resnet50",
            lambda: resnet18().state_dict(),
            r"layer1\.0\.conv1\.weight is \(64, 64, 3, 3\) in the file, \(64, 64, 1, 1\) in the model; .*and \d+ more",
        ),
        (
            "resnet18",
            lambda: {"stages.a": torch.zeros(1)},
            r"none of its tensors would be used: .* stages\.a, …; those of the model",
        ),
        ("resnet18", lambda: {"a": 1}, "has no tensors by name"),
    ],
)
def test_a_wrong_file_is_refused_with_what_does_not_fit(tmp_path, changed_model, categories, backbone, state, reason):
    torch.save(state(), tmp_path / "wrong.pth")
    with pytest.raises(initial_weights.WeightsError, match=rf"wrong\.pth: .*{reason}"):
        detectors.build(changed_model(backbone=backbone, weights=str(tmp_path / "wrong.pth")), categories)


# our own models


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_a_path_continues_from_our_own_model(tmp_path, changed_model, categories, name):
    first = detectors.build(changed_model(), categories)
    detectors.save(tmp_path / name, first, changed_model(), categories, {})
    second = detectors.build(changed_model(weights=str(tmp_path / name)), categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_our_own_model_of_another_shape_is_refused(tmp_path, changed_model, categories):
    detectors.save(tmp_path / "model.pt", detectors.build(changed_model(), categories), changed_model(), categories, {})
    problem = r"its fpn_channels is 16, the config's .*32: set model\.fpn_channels: 16"
    with pytest.raises(initial_weights.WeightsError, match=problem):
        detectors.build(changed_model(weights=str(tmp_path / "model.pt"), fpn_channels=32), categories)


def test_a_path_hands_over_predictor_rows_by_name(tmp_path, changed_model, categories):
    first = detectors.build(changed_model(), categories)
    detectors.save(tmp_path / "model.pt", first, changed_model(), categories, {})
    swapped = [Category(id=1, name="forklift"), Category(id=2, name="pallet_truck"), Category(id=3, name="pedestrian")]
    second = detectors.build(changed_model(weights=str(tmp_path / "model.pt")), swapped)
    old, new = (m.roi_heads.box_predictor.cls_score.weight for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])
    old, new = (m.roi_heads.box_predictor.bbox_pred.weight.unflatten(0, (-1, 4)) for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])


def test_a_path_without_a_file_or_a_typing_error_is_named(changed_model, categories):
    problem = r"model\.weights = 'bundel': must be bundled, coco, imagenet, none, or the path"
    with pytest.raises(initial_weights.WeightsError, match=problem):
        detectors.build(changed_model(weights="bundel"), categories)


def test_a_weights_file_that_nobody_would_read_is_an_error(changed_model, categories):
    with pytest.raises(initial_weights.WeightsError, match=r"model\.weights_file is for weights: coco"):
        detectors.build(changed_model(weights_file="somewhere.pth"), categories)
