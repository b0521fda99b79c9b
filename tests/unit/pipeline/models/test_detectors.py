# SPDX-License-Identifier: Apache-2.0
"""The model file: a saved model is loaded unchanged, and files of other kinds are refused."""

import os
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.models import detectors
from pipeline.models.mask_rcnn import architecture_from_settings, build_mask_rcnn, set_norm_eps
from pipeline.models.weights import model_file

FACTS = {"annotations_sha256": "ab" * 32, "config": {"run": {"seed": 0}}}


@pytest.fixture
def detector(tiny_settings, categories) -> nn.Module:
    torch.manual_seed(3)
    return detectors.build(tiny_settings.model.model_copy(update={"score_threshold": 0.0}), categories)


@pytest.fixture
def saved(tmp_path, detector, tiny_settings, categories) -> Path:
    settings = tiny_settings.model.model_copy(update={"score_threshold": 0.0})
    detectors.save(tmp_path / "model.pt", detector, settings, categories, FACTS)
    return tmp_path / "model.pt"


def test_a_loaded_model_gives_the_same_detections(detector, saved):
    image = torch.rand(3, 80, 110, generator=torch.Generator().manual_seed(1))
    loaded = detectors.load(saved)
    with torch.no_grad():
        (expected,) = detector.eval()([image])
        (found,) = loaded.model([image])
    assert len(expected["boxes"]) > 5
    assert expected["masks"].shape[1:] == (1, 80, 110)
    assert all(torch.equal(expected[key], found[key]) for key in ("boxes", "labels", "scores", "masks"))


def test_a_loaded_model_brings_all_that_is_needed_to_use_it(saved, tiny_settings):
    loaded = detectors.load(saved, "cpu")
    assert not any(part.training for part in loaded.model.modules())
    assert loaded.categories == [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck"}]
    assert loaded.settings == tiny_settings.model.model_copy(update={"score_threshold": 0.0})
    assert loaded.facts == FACTS


def test_the_file_holds_the_contract_in_plain_values(saved):
    content = torch.load(saved, weights_only=True)
    assert set(content) == set(model_file.REQUIRED_KEYS)
    assert content["architecture"] == {
        "backbone": "tf_efficientnet_lite0",
        "fpn_channels": 16,
        "anchor_sizes": [16, 32, 64, 128, 256],
        "aspect_ratios": [0.5, 1.0, 2.0, 3.0],
        "mask_channels": [16] * 4,
        "box_hidden": None,
        "box_dropout": 0.0,
    }
    assert content["normalization"] == {"mean": [0.5] * 3, "std": [0.5] * 3}
    assert content["norm_eps"] == 1e-3


def test_an_eps_of_zero_is_kept(tmp_path, detector, tiny_settings, categories):
    set_norm_eps(detector, 0.0)
    detectors.save(tmp_path / "model.pt", detector, tiny_settings.model, categories, {})
    loaded = detectors.load(tmp_path / "model.pt").model
    assert {part.eps for part in loaded.backbone.body.modules() if isinstance(part, nn.BatchNorm2d)} == {0.0}
    assert loaded.architecture.norm_eps == 0.0


def test_a_safetensors_file_holds_the_same_model(saved, detector, tmp_path, categories):
    other = tmp_path / "model.safetensors"
    first = detectors.load(saved)
    detectors.save(other, detector, first.settings, categories, FACTS)
    second = detectors.load(other)
    assert (second.categories, second.settings, second.facts) == (first.categories, first.settings, first.facts)
    assert second.model.architecture == first.model.architecture
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    before = other.read_bytes()
    detectors.save(other, detector, first.settings, categories, FACTS)
    assert other.read_bytes() == before


def test_one_wrong_bit_in_a_safetensors_file_is_found(saved, detector, tmp_path, categories):
    other = tmp_path / "model.safetensors"
    detectors.save(other, detector, detectors.load(saved).settings, categories, FACTS)
    content = bytearray(other.read_bytes())
    content[len(content) // 2] ^= 4
    other.write_bytes(content)
    with pytest.raises(detectors.ModelFileError, match=r"model\.safetensors: damaged"):
        detectors.load(other)


def test_saving_twice_gives_the_same_bytes_and_leaves_nothing_aside(saved, detector, tmp_path, categories):
    again = tmp_path / "other" / "again.pt"
    detectors.save(again, detector, detectors.load(saved).settings, categories, FACTS)
    assert again.read_bytes() == saved.read_bytes()
    assert os.listdir(again.parent) == ["again.pt"]


def test_one_wrong_bit_is_found(saved):
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 4
    saved.write_bytes(content)
    with pytest.raises(detectors.ModelFileError, match=r"model\.pt: .*damaged"):
        detectors.load(saved)


def test_a_cut_off_file_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-1000])
    with pytest.raises(detectors.ModelFileError, match=r"model\.pt: .*torch weights: it is cut off or damaged"):
        detectors.load(saved)


def test_a_zip_that_torch_did_not_write_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(detectors.ModelFileError, match=r"model\.pt: not a file of torch weights"):
        detectors.load(tmp_path / "model.pt")


def test_missing_parts_are_named(saved):
    content = torch.load(saved, weights_only=True)
    del content["categories"], content["norm_eps"]
    torch.save(content, saved)
    with pytest.raises(detectors.ModelFileError, match="incomplete: it lacks categories, norm_eps"):
        detectors.load(saved)


def test_weights_that_do_not_fit_the_settings_are_refused(saved):
    content = torch.load(saved, weights_only=True)
    content["architecture"]["fpn_channels"] = 32
    torch.save(content, saved)
    with pytest.raises(detectors.ModelFileError, match="do not fit"):
        detectors.load(saved)


def test_no_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(detectors.ModelFileError, match=r"gone\.pt: no such file"):
        detectors.load(tmp_path / "gone.pt")


def test_settings_reach_torchvision(tiny_settings):
    settings = tiny_settings.model.model_copy(update={"nms_iou": 0.3, "detections": 7, "score_threshold": 0.2})
    detector = build_mask_rcnn(architecture_from_settings(settings), settings, 2)
    heads = detector.roi_heads
    assert (heads.nms_thresh, heads.detections_per_img, heads.score_thresh) == (0.3, 7, 0.2)
    assert heads.fg_bg_sampler.batch_size_per_image == 8
    assert detector.rpn._post_nms_top_n == {"training": 40, "testing": 20}


def test_the_pyramid_has_five_levels_at_strides_4_to_64(detector):
    levels = detector.backbone(torch.rand(1, 3, 128, 192))
    assert [tuple(level.shape[1:]) for level in levels.values()] == [
        (16, 32, 48),
        (16, 16, 24),
        (16, 8, 12),
        (16, 4, 6),
        (16, 2, 3),
    ]
