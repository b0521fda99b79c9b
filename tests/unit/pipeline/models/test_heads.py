# SPDX-License-Identifier: Apache-2.0
"""The box head's optional layer, the mask head's size, and torchvision's second version."""

import pytest
import torch
from torch import nn
from torchvision.models.detection import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2

from pipeline.config.training import ModelSection
from pipeline.models import detectors, heads
from pipeline.models.mask_rcnn import architecture_from_settings, build_mask_rcnn


def test_without_options_the_predictor_is_torchvisions():
    predictor = heads.BoxPredictor(1024, 3, None, 0.0)
    assert set(predictor.state_dict()) == {"cls_score.weight", "cls_score.bias", "bbox_pred.weight", "bbox_pred.bias"}
    scores, corrections = predictor.train()(torch.rand(5, 1024))
    assert (scores.shape, corrections.shape) == ((5, 3), (5, 12))


def test_the_classic_recipe_is_one_layer_of_256_and_half_of_it_dropped_in_training_alone():
    predictor = heads.BoxPredictor(1024, 3, 256, 0.5)
    assert predictor.hidden[0].weight.shape == (256, 1024)
    assert predictor.cls_score.weight.shape == (3, 256)
    kept = []
    predictor.cls_score.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    features = torch.rand(64, 1024)
    predictor.train()(features)
    predictor.eval()(features)
    in_training, in_use = ((values != 0).float().mean().item() for values in kept)
    assert in_training == pytest.approx(in_use / 2, abs=0.05)
    assert torch.equal(predictor(features)[0], predictor(features)[0])


def test_a_model_with_other_heads_comes_back_from_its_file(tmp_path, tiny_settings, categories):
    changes = {"box_hidden": 32, "box_dropout": 0.5, "mask_channels": 8, "mask_layers": 2, "score_threshold": 0.0}
    settings = tiny_settings.model.model_copy(update=changes)
    detector = detectors.build(settings, categories).eval()
    widths = [part.out_channels for part in detector.roi_heads.mask_head.modules() if isinstance(part, nn.Conv2d)]
    assert widths == [8, 8]
    detectors.save(tmp_path / "model.pt", detector, settings, categories, {})
    image = torch.rand(3, 96, 96)
    with torch.no_grad():
        (expected,), (found,) = detector([image]), detectors.load(tmp_path / "model.pt").model([image])
    assert all(torch.equal(expected[key], found[key]) for key in expected)


@pytest.mark.parametrize("make", [maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2])
def test_torchvisions_detectors_have_the_same_tensors_and_anchors_here(make):
    settings = ModelSection(backbone=make.__name__, weights="none", fpn_channels=256)
    with torch.device("meta"):
        theirs = make(weights=None, weights_backbone=None)
        ours = build_mask_rcnn(architecture_from_settings(settings), settings, 90)
    shapes = [{name: tensor.shape for name, tensor in one.state_dict().items()} for one in (theirs, ours)]
    assert shapes[0] == shapes[1]
    assert ours.rpn.anchor_generator.sizes == theirs.rpn.anchor_generator.sizes
    assert ours.rpn.anchor_generator.aspect_ratios == theirs.rpn.anchor_generator.aspect_ratios
