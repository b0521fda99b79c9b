# SPDX-License-Identifier: Apache-2.0
"""Every backbone by name: its features, its normalisation, a training step, a model file that gives the same output."""

from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from pipeline.coco.reader import Category
from pipeline.config.training import ModelSection
from pipeline.models import detectors
from pipeline.models.backbones import backbones
from pipeline.models.mask_rcnn import FreezableMaskRcnn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SMALL, LARGE = (64, 128, 256, 512), (256, 512, 1024, 2048)
HEAVY = pytest.mark.slow

# name, channels at strides 4, 8, 16, 32, mean and deviation, eps of the batch normalisation, stages
TABLE = [
    pytest.param("resnet18", SMALL, IMAGENET, 1e-5, 5, id="resnet18"),
    pytest.param("resnet34", SMALL, IMAGENET, 1e-5, 5, id="resnet34"),
    pytest.param("resnet50", LARGE, IMAGENET, 1e-5, 5, id="resnet50", marks=HEAVY),
    pytest.param("resnet101", LARGE, IMAGENET, 1e-5, 5, id="resnet101", marks=HEAVY),
    pytest.param("maskrcnn_resnet50_fpn", LARGE, IMAGENET, 1e-5, 5, id="maskrcnn_v1", marks=HEAVY),
    pytest.param("maskrcnn_resnet50_fpn_v2", LARGE, IMAGENET, 1e-5, 5, id="maskrcnn_v2", marks=HEAVY),
    pytest.param("vgg16", (256, 512, 512, 512), IMAGENET, None, 5, id="vgg16", marks=HEAVY),
    pytest.param("alexnet", (64, 192, 256, 256), IMAGENET, None, 5, id="alexnet"),
    pytest.param("googlenet", (192, 480, 832, 1024), HALF, 1e-3, 4, id="googlenet"),
    pytest.param("efficientnet_b0", (24, 40, 112, 1280), IMAGENET, 1e-5, 9, id="efficientnet_b0"),
    pytest.param("mobilenet_v3_large", (24, 40, 112, 960), IMAGENET, 1e-3, 7, id="mobilenet_v3_large"),
    pytest.param("tf_efficientnet_lite0", (24, 40, 112, 320), HALF, 1e-3, 8, id="lite0"),
    pytest.param("tf_efficientnet_lite1", (24, 40, 112, 320), HALF, 1e-3, 8, id="lite1", marks=HEAVY),
    pytest.param("tf_efficientnet_lite2", (24, 48, 120, 352), HALF, 1e-3, 8, id="lite2", marks=HEAVY),
    pytest.param("timm/convnext_pico", SMALL, IMAGENET, None, 5, id="convnext_pico", marks=HEAVY),
    pytest.param("regnetx_002", (24, 56, 152, 368), IMAGENET, 1e-5, 5, id="regnetx_002"),
]
CATEGORIES = [Category(id=1, name="pedestrian"), Category(id=2, name="pallet_truck")]
SIZE = 64


def small(backbone: str) -> ModelSection:
    return ModelSection(
        backbone=backbone,
        weights="none",
        freeze="none",
        fpn_channels=16,
        min_size=SIZE,
        max_size=SIZE,
        rpn_proposals_train=20,
        rpn_proposals_test=10,
        sampled_boxes=8,
        score_threshold=0,
    )


def step(detector: FreezableMaskRcnn) -> None:
    """Take one step on an image with one object."""
    target = {
        "boxes": torch.tensor([[8.0, 8.0, 40.0, 56.0]]),
        "labels": torch.tensor([1]),
        "ids": torch.ones(SIZE, SIZE, dtype=torch.int32),
        "mask_ids": torch.tensor([1], dtype=torch.int32),
    }
    optimizer = torch.optim.SGD(detector.parameters(), 1e-4)
    loss = torch.stack(list(detector([torch.rand(3, SIZE, SIZE)], [target]).values())).sum()
    assert torch.isfinite(loss)
    loss.backward()
    optimizer.step()


@pytest.mark.parametrize(("name", "channels", "normalization", "eps", "stage_count"), TABLE)
def test_a_backbone_is_as_the_table_says_learns_and_comes_back(
    name, channels, normalization, eps, stage_count, tmp_path: Path
):
    torch.manual_seed(0)
    detector = detectors.build(small(name), CATEGORIES)
    body = detector.backbone.body
    assert detector.backbone.name == name
    assert tuple(body.channels) == channels
    assert (tuple(detector.transform.image_mean), tuple(detector.transform.image_std)) == normalization
    assert detector.architecture.norm_eps == eps
    assert {part.eps for part in body.modules() if isinstance(part, nn.BatchNorm2d)} == ({eps} if eps else set())

    check_stages(body, stage_count)
    first = next(iter(body.parameters()))
    before = first.detach().clone()
    step(detector)
    assert not torch.equal(before, first)

    detector.eval()
    check_strides(detector)
    check_file(detector, small(name), tmp_path / "model.pt")


def check_stages(body: nn.Module, count: int) -> None:
    found = backbones.backbone_stages(body)
    assert len(found) == count
    parameters = [
        id(parameter)
        for stage in found
        for module in stage.modules
        for parameter in body.get_submodule(module).parameters()
    ]
    assert sorted(parameters) == sorted(id(parameter) for parameter in body.parameters())


def check_strides(detector: FreezableMaskRcnn) -> None:
    """Sizes of features, and what torchvision derives the anchors' strides from, at a side that is no power of two."""
    with torch.no_grad():
        features = detector.backbone.body(torch.rand(1, 3, 96, 160))
        levels = detector.backbone(torch.rand(1, 3, 96, 160))
    features = list(features.values()) if isinstance(features, dict) else features
    for feature, channels, stride in zip(features, detector.backbone.body.channels, (4, 8, 16, 32), strict=True):
        assert tuple(feature.shape) == (1, channels, 96 // stride, 160 // stride)
    assert [tuple(level.shape[1:]) for level in levels.values()] == [
        (16, 24, 40),
        (16, 12, 20),
        (16, 6, 10),
        (16, 3, 5),
        (16, 2, 3),
    ]


def check_file(detector: FreezableMaskRcnn, settings: ModelSection, path: Path) -> None:
    detectors.save(path, detector, settings, CATEGORIES, {})
    loaded = detectors.load(path).model
    assert loaded.architecture == detector.architecture
    image = torch.rand(3, SIZE, SIZE)
    with torch.no_grad():
        (expected,), (found,) = detector([image]), loaded([image])
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_the_googlenet_of_torchvision_sees_the_same_numbers_without_its_own_transform():
    """Its transform maps ImageNet's mean and deviation to 0.5; here the images come with 0.5 at once."""
    from torchvision.models import googlenet

    theirs = googlenet(init_weights=False, aux_logits=False, transform_input=True)
    image = torch.rand(1, 3, 8, 8)
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in IMAGENET)
    assert torch.allclose(theirs._transform_input((image - mean) / std), (image - 0.5) / 0.5, atol=1e-6)


def test_alexnet_is_padded_and_nothing_else():
    from torchvision.models import alexnet

    torch.manual_seed(0)
    theirs = alexnet().features.eval()
    body = backbones.build_backbone("alexnet").eval()
    body.load_state_dict(theirs.state_dict())
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        ours = body(image)["0"]
        published = theirs[1](theirs[0](torch.nn.functional.pad(image, (2, 2, 2, 2))))
    assert torch.allclose(ours, published, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("resnet19", "unknown; there are resnet18, "),
        ("timm/nothing_of_the_kind", "unknown"),
        ("test_vit", r"strides \[16, 16, 16, 16\]"),
        ("swin_tiny_patch4_window7_224", "does not take images of every size"),
    ],
)
def test_a_backbone_that_cannot_serve_is_refused_by_name(name, reason):
    with pytest.raises(backbones.BackboneError, match=f"model.backbone = '{name}': .*{reason}"):
        backbones.build_backbone(name)


def test_a_timm_model_without_features_is_refused(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("features_only not implemented for this model.")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(backbones.BackboneError, match="timm gives no four features of it: features_only not"):
        backbones.build_backbone("timm/resnet18")


def test_a_bare_name_is_torchvisions_and_a_timm_prefix_timms():
    assert isinstance(backbones.build_backbone("resnet18"), backbones.TorchvisionBackbone)
    assert not isinstance(backbones.build_backbone("timm/resnet18"), backbones.TorchvisionBackbone)


def test_stages_are_named_from_the_input_inwards():
    found = backbones.backbone_stages(backbones.build_backbone("resnet18"))
    assert [stage.name for stage in found] == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert found[0].modules == ("conv1", "bn1")
    lite = backbones.backbone_stages(backbones.build_backbone("tf_efficientnet_lite0"))
    assert [stage.name for stage in lite] == ["stem", *(f"blocks.{number}" for number in range(7))]
    assert lite[0].modules == ("conv_stem", "bn1")
