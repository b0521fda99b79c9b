# SPDX-License-Identifier: Apache-2.0
"""The weights that come with the installation."""

import logging

import pytest
import timm
import torch

from pipeline.models import detectors
from pipeline.models.weights import bundled_weights
from pipeline.models.weights.bundled_weights import PACKAGES
from pipeline.models.weights.state_dicts import WeightsError


def theirs(backbone: str) -> dict[str, torch.Tensor]:
    """The package's tensors under the package's own names."""
    return torch.load(PACKAGES[backbone].file, weights_only=True)


def test_the_whole_body_has_the_packages_numbers(tiny_settings, categories):
    ours = detectors.build(tiny_settings.model, categories).backbone.body.state_dict()
    file = theirs("tf_efficientnet_lite0")
    assert torch.equal(ours["conv_stem.weight"], file["_conv_stem.weight"])
    assert torch.equal(ours["blocks.6.0.bn3.running_var"], file["_blocks.15._bn2.running_var"])


@pytest.mark.parametrize("backbone", PACKAGES)
def test_every_tensor_of_a_package_goes_to_one_of_its_kind(backbone):
    found = bundled_weights.load_tensors(backbone)
    assert len(found) == len(theirs(backbone))
    for (name, tensor), (their_name, their_tensor) in zip(found.items(), theirs(backbone).items(), strict=True):
        assert name.rsplit(".", 1)[-1] == their_name.rsplit(".", 1)[-1]
        assert torch.equal(tensor, their_tensor)
    timm.create_model(backbone, pretrained=False).load_state_dict(found)


@pytest.mark.parametrize("backbone", [*PACKAGES, "timm/tf_efficientnet_lite1"])
def test_a_detector_starts_from_them(changed_model, categories, backbone):
    _, report = detectors.build_with_report(changed_model(backbone=backbone, weights="bundled"), categories)
    assert not [name for name in report.random if name.startswith("backbone.body.")]


def test_the_log_says_what_became_of_the_tensors(tiny_settings, categories, caplog):
    caplog.set_level(logging.INFO)
    detectors.build(tiny_settings.model, categories)
    assert "288 tensors loaded, 42 left random, 8 unused" in caplog.text
    assert "fresh layers: backbone.fpn (8), rpn.head (3), roi_heads.box_head (2)" in caplog.text


def test_every_tensor_has_its_line_in_the_report(tiny_settings, categories):
    detector, report = detectors.build_with_report(tiny_settings.model, categories)
    lines = report.lines()
    assert len(lines) == 288 + 42 + 8
    assert "loaded   backbone.body.conv_stem.weight" in lines
    assert "random   roi_heads.box_predictor.cls_score.weight" in lines
    assert "unused   classifier.weight" in lines
    assert set(report.loaded) | set(report.random) == set(detector.state_dict())


def test_they_are_for_their_own_backbones(changed_model, categories):
    with pytest.raises(
        WeightsError, match=r"tf_efficientnet_lite2, not for resnet18; set model\.backbone to one of them"
    ):
        detectors.build(changed_model(backbone="resnet18"), categories)


def test_a_damaged_file_is_refused(tmp_path):
    package = PACKAGES["tf_efficientnet_lite0"]
    damaged = tmp_path / package.file.name
    content = bytearray(package.file.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(WeightsError, match=r"57934424\.pth: its sha256 begins with .*install"):
        bundled_weights.load_tensors("tf_efficientnet_lite0", damaged)
