# SPDX-License-Identifier: Apache-2.0
"""Frozen parts keep every bit; what the schedule unfreezes is trained from then on."""

import copy
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models.detection.rpn import RegionProposalNetwork

from pipeline.coco import reader
from pipeline.config import config
from pipeline.config.training import ModelSection
from pipeline.models import detectors, freezing
from pipeline.models.mask_rcnn import architecture_from_settings, build_mask_rcnn
from tests.helpers.configs import SMALL_MODEL
from tests.helpers.search import examples

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9, weight_decay=0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.01, weight_decay=0.1),
}
POLICIES = [
    "none",
    "backbone",
    "heads_only",
    0,
    3,
    {"all_but_last": 1},
    {"all_but_last": 26},
    ["backbone.body.blocks.[0-4]*", "roi_heads.mask_head", "*.bias"],
    ["rpn.*", "roi_heads.*"],
]
TARGET = {
    "boxes": torch.tensor([[10.0, 10.0, 40.0, 80.0]]),
    "labels": torch.tensor([1]),
    "ids": torch.ones(96, 96, dtype=torch.int32),
    "mask_ids": torch.tensor([1], dtype=torch.int32),
}


def checked(**values) -> ModelSection:
    return config.validate({"model": SMALL_MODEL | values}).model


def steps(detector: nn.Module, optimizer: torch.optim.Optimizer, count: int = 2) -> None:
    """Train with learning rates that move everything that can move."""
    detector.train()
    for _ in range(count):
        optimizer.zero_grad()
        losses = detector([torch.rand(3, 96, 96)], [TARGET])
        assert len(losses) == 5
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()


def moved(detector: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in detector.state_dict().items() if not torch.equal(before[name], tensor)}


@pytest.fixture(scope="module")
def built() -> Callable[[ModelSection], nn.Module]:
    """Return a function that builds; the weights are read once for each source of weights."""
    kept: dict[str, nn.Module] = {}

    def build(settings: ModelSection) -> nn.Module:
        if settings.weights not in kept:
            torch.manual_seed(0)
            categories = [reader.Category(id=1, name="pedestrian"), reader.Category(id=2, name="pallet_truck")]
            kept[settings.weights] = detectors.build(settings, categories)
        detector = copy.deepcopy(kept[settings.weights])
        freezing.apply_freezing(detector, settings)
        return detector.train()

    return build


@pytest.fixture(scope="module")
def bodies() -> dict[str, nn.Module]:
    """Return a whole model around each kind of body."""
    wanted = [checked(backbone=name, weights="none") for name in ("tf_efficientnet_lite0", "resnet50")]
    return {
        settings.backbone: build_mask_rcnn(architecture_from_settings(settings), settings, 2) for settings in wanted
    }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_what_is_frozen_keeps_every_bit_and_the_rest_moves(built, policy, optimizer):
    settings = checked(freeze=policy)
    detector = built(settings)
    frozen = freezing.frozen_parameter_names(detector, settings.freeze) | freezing.pretrained_norm_names(
        detector, settings
    )
    names = {name for name, _ in detector.named_parameters()}
    assert names - frozen == {name for name, parameter in detector.named_parameters() if parameter.requires_grad}
    before = copy.deepcopy(detector.state_dict())
    steps(detector, OPTIMIZERS[optimizer](freezing.trainable_parameters(detector)))
    # All buffers are the statistics of the pretrained body's norms, which stay with every policy.
    assert moved(detector, before) == names - frozen


def test_frozen_buffers_stay_where_the_norms_of_others_move(built):
    settings = checked(weights="none", freeze=3)
    detector = built(settings)
    before = copy.deepcopy(detector.state_dict())
    steps(detector, OPTIMIZERS["sgd"](freezing.trainable_parameters(detector)))
    frozen = tuple(f"backbone.body.{part}." for part in ("conv_stem", "bn1", "blocks.0", "blocks.1"))
    assert moved(detector, before) == {name for name in before if not name.startswith(frozen)}


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_frozen_modules_stay_in_eval_mode_and_switches_do_not(built, policy):
    detector = built(checked(freeze=policy))
    detector.eval()
    detector.train()
    for part in detector.modules():
        parameters = list(part.parameters())
        if isinstance(part, freezing.MODE_DEPENDENT_MODULES):
            assert part.training
        elif parameters:
            assert part.training == any(parameter.requires_grad for parameter in parameters)
    assert not any(part.training for part in detector.eval().modules())


def test_dropout_and_stochastic_depth_are_off_where_frozen_and_on_elsewhere():
    frozen = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).requires_grad_(False)
    trained = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    whole = nn.Sequential(frozen, trained).train()
    freezing.set_frozen_to_eval(whole)
    assert [part.training for part in (whole, *frozen.modules(), *trained.modules())] == [
        True,
        *[False] * 3,
        *[True] * 3,
    ]


def test_batch_statistics_would_have_moved_without_eval():
    """The reason for eval mode: without it this test's opposite would hold for every frozen norm."""
    norm = nn.BatchNorm2d(3).requires_grad_(False)
    norm(torch.rand(2, 3, 4, 4))
    assert not torch.equal(norm.running_mean, torch.zeros(3))
    freezing.set_frozen_to_eval(norm)
    before = norm.running_mean.clone()
    norm(torch.rand(2, 3, 4, 4))
    assert torch.equal(norm.running_mean, before)


def test_pretrained_norms_stay_where_their_stage_is_trained_and_random_ones_learn(built):
    pretrained, random = (built(checked(weights=weights, freeze="none")) for weights in ("bundled", "none"))
    frozen = {name for name, parameter in pretrained.named_parameters() if not parameter.requires_grad}
    assert frozen == {
        f"backbone.body.{name}" for name, _ in pretrained.backbone.body.named_parameters() if "bn" in name
    }
    assert len(freezing.trainable_parameters(random)) == len(list(random.parameters()))


@pytest.mark.parametrize(("policy", "levels"), [("backbone", 4), (8, 4), ("none", 0), (1, 0), (3, 1), (4, 2), (6, 3)])
def test_a_frozen_prefix_of_the_body_costs_no_backward(built, policy, levels):
    """Features that need no gradient have no graph behind them: nothing is kept for a way back."""
    detector = built(checked(freeze=policy))
    features = detector.backbone.body(torch.rand(1, 3, 96, 96))
    assert [feature.requires_grad for feature in features] == [False] * levels + [True] * (4 - levels)


def test_the_way_back_stops_before_the_last_frozen_stage(built):
    """Where a stage between two features is the first to learn: what comes out of the one before has no graph."""
    detector = built(checked(freeze=6))
    outputs = {}
    for number, block in enumerate(detector.backbone.body.blocks):
        block.register_forward_hook(lambda _, __, output, number=number: outputs.update({number: output.requires_grad}))
    detector.backbone.body(torch.rand(1, 3, 96, 96))
    assert outputs == {number: number >= 5 for number in range(7)}


def test_with_only_the_heads_trained_the_pyramid_needs_no_gradient(built):
    detector = built(checked(freeze="heads_only"))
    levels = detector.backbone(torch.rand(1, 3, 96, 96))
    assert not any(level.requires_grad for level in levels.values())
    assert all(name.startswith(("rpn.", "roi_heads.")) for name, p in detector.named_parameters() if p.requires_grad)


def test_a_frozen_proposal_network_still_has_losses_and_hands_gradients_to_the_pyramid(built):
    detector = built(checked(freeze=["rpn"]))
    assert isinstance(detector.rpn, RegionProposalNetwork)
    losses = detector([torch.rand(3, 96, 96)], [TARGET])
    losses["loss_objectness"].backward()
    assert all(parameter.grad is None for parameter in detector.rpn.parameters())
    assert any(parameter.grad is not None for parameter in detector.backbone.fpn.parameters())


@pytest.mark.parametrize("body", ["tf_efficientnet_lite0", "resnet50"])
def test_stages_are_the_whole_body_in_the_order_of_execution(bodies, body):
    detector = bodies[body]
    found = freezing.backbone_stages(detector.backbone.body)
    assert len(found) == {"tf_efficientnet_lite0": 8, "resnet50": 5}[body]
    everything = [f"backbone.body.{name}" for stage in found for name in stage.modules]
    assert freezing._names_below(detector, everything) == freezing.frozen_parameter_names(detector, "backbone")
    called = []
    layers = [name for name in freezing.parameters_by_layer(detector) if name.startswith("backbone.body.")]
    for name in layers:
        detector.get_submodule(name).register_forward_hook(lambda *_, name=name: called.append(name))
    detector.backbone.body(torch.rand(1, 3, 64, 64))
    assert called == layers
    stage_of = [
        next(i for i, module in enumerate(everything) if f"{name}.".startswith(f"{module}.")) for name in called
    ]
    assert stage_of == sorted(stage_of)


@given(first=st.integers(0, 8), second=st.integers(0, 8))
def test_more_stages_freeze_a_superset(bodies, first, second):
    for detector in bodies.values():
        known = len(freezing.backbone_stages(detector.backbone.body))
        fewer, more = sorted((min(first, known), min(second, known)))
        assert freezing.frozen_parameter_names(detector, fewer) <= freezing.frozen_parameter_names(detector, more)
        assert (fewer == more) == (
            freezing.frozen_parameter_names(detector, fewer) == freezing.frozen_parameter_names(detector, more)
        )


@settings(max_examples=examples(30))
@given(first=st.integers(1, 69), second=st.integers(1, 69))
def test_more_last_layers_freeze_a_subset(bodies, first, second):
    for detector in bodies.values():
        fewer, more = sorted((first, second))
        frozen = [
            freezing.frozen_parameter_names(detector, checked(freeze={"all_but_last": n}).freeze) for n in (fewer, more)
        ]
        assert frozen[1] <= frozen[0]


@pytest.mark.parametrize("body", ["tf_efficientnet_lite0", "resnet50"])
def test_policies_agree_where_they_meet(bodies, body):
    detector = bodies[body]
    body_frozen = freezing.frozen_parameter_names(detector, "backbone")
    assert (
        freezing.frozen_parameter_names(detector, len(freezing.backbone_stages(detector.backbone.body))) == body_frozen
    )
    assert freezing.frozen_parameter_names(detector, ["backbone.body"]) == body_frozen
    assert freezing.frozen_parameter_names(detector, ["backbone.body*"]) == body_frozen
    assert freezing.frozen_parameter_names(detector, ["backbone"]) == freezing.frozen_parameter_names(
        detector, "heads_only"
    )
    layers = freezing.parameters_by_layer(detector)
    behind = sum(not name.startswith("backbone.body.") for name in layers)
    assert freezing.frozen_parameter_names(detector, checked(freeze={"all_but_last": behind}).freeze) == body_frozen
    assert freezing.frozen_parameter_names(detector, 0) == freezing.frozen_parameter_names(detector, "none") == set()
    everything = [name for names in layers.values() for name in names]
    assert sorted(everything) == sorted(name for name, _ in detector.named_parameters())


def test_a_layer_takes_the_norm_behind_it_along(bodies):
    layers = freezing.parameters_by_layer(bodies["tf_efficientnet_lite0"])
    stem = "backbone.body.conv_stem.weight", "backbone.body.bn1.weight", "backbone.body.bn1.bias"
    assert layers["backbone.body.conv_stem"] == list(stem)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            ["backbone.body.block.0"],
            r"model\.freeze: 'backbone\.body\.block\.0' matches nothing .*backbone\.body\.blocks\.0",
        ),
        (["conv_stem"], r"nearest names: backbone\.body\.conv_stem"),
        (["backbone.fpn", "rnp.*"], r"'rnp\.\*' matches nothing .*: rpn"),
        (9, r"model\.freeze = 9: .* only 8 stages: stem, blocks\.0"),
        ({"all_but_last": 1000}, r"all_but_last = 1000: the model has only \d+ layers"),
        (["*"], r"model\.freeze: \*: nothing is left to train"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(built, policy, message):
    with pytest.raises(freezing.FreezingError, match=message):
        built(checked(freeze=policy))


def scheduled(built, *unfreeze: dict, iterations: int = 100, **values) -> list[freezing.UnfreezeEvent]:
    settings = checked(unfreeze=list(unfreeze), **values)
    return freezing.schedule(built(settings), settings, iterations, iterations_per_epoch=12.5)


def test_moments_become_iterations_and_each_parameter_is_unfrozen_once(built):
    found = scheduled(
        built,
        {"run_fraction": 0.5, "keep_frozen": 2, "learning_rate_factor": 0.01},
        {"epoch": 2, "parameters": ["backbone.body.blocks.6"]},
        {
            "iteration": 30,
            "parameters": ["backbone.body.blocks.5", "backbone.body.blocks.6*"],
            "learning_rate_factor": 0.1,
        },
    )
    assert [(each.iteration, each.learning_rate_factor) for each in found] == [(26, 1), (30, 0.1), (51, 0.01)]
    stages = [{name.split(".")[3] for name in each.names} for each in found]
    assert stages == [{"6"}, {"5"}, {"1", "2", "3", "4"}]
    # Norms of a pretrained body stay frozen.
    assert not any(".bn" in name for each in found for name in each.names)
    assert freezing.steps_due(found, 30) == [found[1]]
    assert freezing.steps_due(found, 31) == []


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"epoch": 8, "keep_frozen": "none"}, r"model\.unfreeze\.0: iteration 101 never comes: the run has 100"),
        ({"epoch": 1, "keep_frozen": "heads_only"}, r"model\.unfreeze\.0: nothing of it is frozen by then"),
        ({"epoch": 1, "parameters": ["backbone.fpn"]}, r"model\.unfreeze\.0: nothing of it is frozen by then"),
        ({"epoch": 1, "parameters": ["backbone.body.bn1"]}, r"or only norms, which stay frozen"),
        (
            {"epoch": 1, "parameters": ["backbone.body.blocks.7"]},
            r"model\.unfreeze\.0\.parameters: .*backbone\.body\.blocks\.",
        ),
        ({"epoch": 1, "keep_frozen": 9}, r"model\.unfreeze\.0\.keep_frozen = 9: .* only 8 stages"),
    ],
)
def test_a_step_that_cannot_be_is_refused(built, step, message):
    with pytest.raises(freezing.FreezingError, match=message):
        scheduled(built, step)


@pytest.mark.parametrize("weights", ["bundled", "none"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_is_scheduled_keeps_every_bit_until_it_is_due_and_moves_after(built, weights, optimizer):
    unfreeze = [{"iteration": 3, "parameters": ["backbone.body.blocks.6"], "learning_rate_factor": 0.5}]
    settings = checked(weights=weights, unfreeze=unfreeze)
    detector = built(settings)
    (unfreezing,) = freezing.schedule(detector, settings, 4, 2)
    taught = OPTIMIZERS[optimizer](freezing.trainable_parameters(detector))
    before = copy.deepcopy(detector.state_dict())
    steps(detector, taught)
    assert not any(name.startswith("backbone.body.") for name in moved(detector, before))
    new = freezing.unfreeze_parameters(detector, unfreezing)
    assert [name for name, _ in new] == list(unfreezing.names)
    assert freezing.unfreeze_parameters(detector, unfreezing) == []
    taught.add_param_group({"params": [parameter for _, parameter in new]})
    steps(detector, taught)
    thawed = {name for name in before if name.startswith("backbone.body.blocks.6.")}
    norms = {name for name in thawed if ".bn" in name and weights == "bundled"}
    in_body = {name for name in moved(detector, before) if name.startswith("backbone.body.")}
    assert in_body == thawed - norms > set()


def test_applying_again_freezes_what_was_unfrozen(built):
    """As after a return to an earlier state of the run."""
    settings = checked(unfreeze=[{"iteration": 2, "keep_frozen": "none"}])
    detector = built(settings)
    frozen = freezing.frozen_parameter_names(detector, "backbone")
    (unfreezing,) = freezing.schedule(detector, settings, 4, 2)
    freezing.unfreeze_parameters(detector, unfreezing)
    assert any(part.training for part in detector.backbone.body.modules())
    freezing.apply_freezing(detector, settings)
    assert {name for name, parameter in detector.named_parameters() if not parameter.requires_grad} == frozen
    assert not any(part.training for part in detector.backbone.body.modules())


def test_a_model_that_starts_from_a_file_is_frozen_again(built, categories, tmp_path):
    settings = checked(freeze=4, unfreeze=[{"iteration": 2, "keep_frozen": "none"}])
    detector = built(settings)
    freezing.unfreeze_parameters(detector, freezing.schedule(detector, settings, 4, 2)[0])
    detectors.save(tmp_path / "model.pt", detector, settings, categories, {})
    again = detectors.build(settings.model_copy(update={"weights": str(tmp_path / "model.pt")}), categories)
    before = copy.deepcopy(again.state_dict())
    steps(again, OPTIMIZERS["adamw"](freezing.trainable_parameters(again)))
    frozen = freezing.frozen_parameter_names(again, 4) | freezing.pretrained_norm_names(again, settings)
    assert moved(again, before) == {name for name, _ in again.named_parameters()} - frozen
