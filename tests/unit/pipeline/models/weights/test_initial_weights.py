# SPDX-License-Identifier: Apache-2.0
"""Every source of first weights, with real files; those that are published are made here in their layouts."""

import hashlib
import logging
import re
import threading
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
import requests
import safetensors.torch
import timm
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.models.detection import maskrcnn_resnet50_fpn

from pipeline.config.training import ModelSection
from pipeline.models import detectors
from pipeline.models.backbones.torchvision_backbones import TORCHVISION_BACKBONES
from pipeline.models.weights import initial_weights, published_files
from pipeline.models.weights.load_report import CLASS_ROWS
from tests.helpers.commands import run_cariste

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
def nowhere(tmp_path, monkeypatch) -> Path:
    """Torch hub's and the project's folders of weights, empty."""
    monkeypatch.setattr(published_files, "WEIGHTS_DIR", tmp_path / "assets")
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
    spec = replace(
        TORCHVISION_BACKBONES[name], imagenet_weights=SimpleNamespace(url=f"https://nowhere.invalid/{file.name}")
    )
    monkeypatch.setitem(TORCHVISION_BACKBONES, name, spec)


def test_none_loads_nothing_and_says_so(changed_model, categories, caplog):
    caplog.set_level(logging.INFO)
    torch.manual_seed(0)
    first = detectors.build(changed_model(weights="none"), categories)
    assert "weights none: 0 tensors loaded" in caplog.text
    assert "random features" in caplog.text
    torch.manual_seed(0)
    second = detectors.build(changed_model(weights="none"), categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


# coco


@pytest.fixture
def coco_settings(changed_model, coco_file) -> ModelSection:
    return changed_model(
        backbone="maskrcnn_resnet50_fpn", weights="coco", weights_file=str(coco_file), fpn_channels=256
    )


def test_coco_keeps_the_person_rows_and_starts_the_truck_anew(coco_settings, categories, coco_state, caplog):
    caplog.set_level(logging.INFO)
    detector = detectors.build(coco_settings, categories)
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
    _, report = detectors.build_with_report(settings, categories)
    assert "roi_heads.box_predictor.cls_score.weight" in report.reshaped
    assert "roi_heads.mask_head.0.0.weight" in report.reshaped
    assert "roi_heads.box_head.fc6.weight" in report.loaded
    assert {"roi_heads.box_predictor.hidden.0", "roi_heads.mask_head.0.0"} <= set(report.fresh_layers)
    assert "because the config gives them another shape" in str(report)


def test_coco_wants_the_width_it_was_trained_with(coco_settings, categories):
    narrow = coco_settings.model_copy(update={"fpn_channels": 16})
    problem = r"backbone\.fpn\.inner_blocks\.0\.0\.weight is \(256, 256, 1, 1\) in"
    with pytest.raises(initial_weights.WeightsError, match=problem):
        detectors.build(narrow, categories)


def test_coco_is_for_torchvisions_own_detectors(changed_model, categories):
    with pytest.raises(
        initial_weights.WeightsError, match="maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2, not for resn"
    ):
        detectors.build(changed_model(backbone="resnet50", weights="coco"), categories)


def test_version_1_is_not_taken_for_version_2(coco_settings, categories):
    settings = coco_settings.model_copy(update={"backbone": "maskrcnn_resnet50_fpn_v2"})
    with pytest.raises(initial_weights.WeightsError, match="of another model than the config's"):
        detectors.build(settings, categories)


def test_the_official_coco_name_wants_the_official_sha256(tmp_path):
    impostor = tmp_path / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    impostor.write_bytes(b"something else")
    with pytest.raises(initial_weights.WeightsError, match=f"{impostor}: its sha256 begins with .*, not bf2d0c1e"):
        initial_weights.coco_source("maskrcnn_resnet50_fpn", impostor)


def test_the_official_files_are_those_of_torchvision():
    files = [initial_weights.COCO_WEIGHTS[name].url.rsplit("/", 1)[-1] for name in sorted(initial_weights.COCO_WEIGHTS)]
    assert files == ["maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"]


def test_coco_without_network_says_what_to_set_and_which_file_goes_where(nowhere, monkeypatch):
    def unplugged(*_, **__):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(pooch, "retrieve", unplugged)
    with pytest.raises(initial_weights.WeightsError) as caught:
        initial_weights.coco_source("maskrcnn_resnet50_fpn_v2")
    hints = ("maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", "assets/weights/", "model.weights_file", "checkpoints")
    for hint in (*hints, "model.backbone: tf_efficientnet_lite0", "model.weights: bundled"):
        assert hint in str(caught.value)


# published files


def test_a_published_file_in_the_projects_folder_is_used_before_any_download(nowhere):
    made = publish(published_files.WEIGHTS_DIR, "made", {"a": torch.zeros(1)})
    assert published_files.find_or_download(f"https://nowhere.invalid/{made.name}", "here") == made


@pytest.fixture
def serve(tmp_path):
    """Return a function that serves a file over HTTP on this machine and returns its URL."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda file: f"http://127.0.0.1:{server.server_port}/{file.relative_to(tmp_path).as_posix()}"
    server.shutdown()
    server.server_close()


def test_a_published_file_is_downloaded_checked_and_kept(nowhere, serve):
    served = publish(nowhere / "served", "made", {"a": torch.zeros(1)})
    found = published_files.find_or_download(serve(served), "here")
    assert found.parent == nowhere / "hub" / "checkpoints"
    assert found.read_bytes() == served.read_bytes()
    assert list(found.parent.iterdir()) == [found]


def test_a_file_damaged_on_the_way_is_not_kept(nowhere, serve):
    served = publish(nowhere / "served", "made", {"a": torch.zeros(1)})
    served.write_bytes(b"half of the wei")
    with pytest.raises(initial_weights.WeightsError, match=r"here: made-.* was damaged on the way"):
        published_files.find_or_download(serve(served), "here")
    assert not (nowhere / "hub" / "checkpoints").exists()


def test_a_file_that_the_server_does_not_have_is_an_error_that_names_it(nowhere, serve):
    with pytest.raises(initial_weights.WeightsError, match=r"here: made-12345678\.pth cannot be downloaded \(404"):
        published_files.find_or_download(serve(nowhere / "made-12345678.pth"), "here")
    assert not (nowhere / "hub" / "checkpoints").exists()


def test_a_file_damaged_in_the_cache_is_refused(nowhere):
    made = publish(nowhere / "hub" / "checkpoints", "made", {"a": torch.zeros(1)})
    made.write_bytes(b"something else")
    with pytest.raises(initial_weights.WeightsError, match=r"its sha256 begins with .*delete it and download it again"):
        published_files.find_or_download(f"https://nowhere.invalid/{made.name}", "here")


def test_imagenet_fills_a_torchvision_body_and_freezes_its_normalisation(
    nowhere, monkeypatch, changed_model, categories
):
    state = resnet18().state_dict()
    published_as(monkeypatch, "resnet18", publish(nowhere / "hub" / "checkpoints", "resnet18", state))
    settings = changed_model(backbone="resnet18", weights="imagenet", freeze="none")
    detector, report = detectors.build_with_report(settings, categories)
    body = detector.backbone.body.state_dict()
    assert all(torch.equal(body[name], state[name]) for name in body)
    assert report.unused == ("fc.weight", "fc.bias")
    assert not detector.backbone.body.bn1.training
    assert not detector.backbone.body.bn1.weight.requires_grad
    assert detector.backbone.body.conv1.weight.requires_grad


def test_imagenet_of_timm_comes_from_its_published_file(nowhere, monkeypatch, changed_model, categories):
    state = timm.create_model("test_resnet").state_dict()
    made = publish(nowhere / "hub" / "checkpoints", "test_resnet", state)
    half = (0.5, 0.5, 0.5)
    described = SimpleNamespace(url=f"https://nowhere.invalid/{made.name}", hf_hub_id="", mean=half, std=half)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: described)
    detector = detectors.build(changed_model(backbone="timm/test_resnet", weights="imagenet"), categories)
    body = detector.backbone.body.state_dict()
    assert torch.equal(body["conv1.weight" if "conv1.weight" in body else "conv1.0.weight"], next(iter(state.values())))


def test_a_file_of_the_hub_is_held_against_the_name_of_its_blob(tmp_path, monkeypatch):
    content = safetensors.torch.save({"a": torch.zeros(1)})
    blob = tmp_path / hashlib.sha256(content).hexdigest()
    blob.write_bytes(content)
    (tmp_path / "model.safetensors").symlink_to(blob)
    monkeypatch.setattr(published_files, "hf_hub_download", lambda *_: str(tmp_path / "model.safetensors"))
    assert published_files.find_or_download_from_hub("timm/made", "here") == tmp_path / "model.safetensors"
    blob.write_bytes(content[:-1] + b"x")
    with pytest.raises(initial_weights.WeightsError, match="its sha256 begins with"):
        published_files.find_or_download_from_hub("timm/made", "here")


def test_a_detector_of_ones_own_with_cocos_classes_hands_over_its_rows(coco_settings, coco_state, categories, tmp_path):
    file = tmp_path / "mine.safetensors"
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in coco_state.items()}, file)
    settings = coco_settings.model_copy(update={"weights": str(file), "weights_file": None})
    detector, report = detectors.build_with_report(settings, categories)
    assert report.shared_classes == ("__background__", "pedestrian")
    assert report.fresh_classes == ("pallet_truck",)
    assert detector.architecture.norm_eps == 1e-5


def test_the_command_prints_every_tensor(tmp_path):
    (tmp_path / "x.yaml").write_text("model: {backbone: tf_efficientnet_lite0, weights: bundled, fpn_channels: 16}\n")
    done = run_cariste("weights", "--config", tmp_path / "x.yaml", "--class", "pedestrian")
    assert done.exit_code == 0, done.stderr
    printed = done.stdout
    assert "loaded   backbone.body.conv_stem.weight" in printed
    assert "42 left random" in printed
