# SPDX-License-Identifier: Apache-2.0
"""The table, the CSV file and the page of small studies that the test writes."""

import csv
import json
from pathlib import Path

import pytest

from pipeline.common.spread import Spread, spread_of
from pipeline.config import config
from pipeline.config.stages import StudyConfig, TrainConfig
from pipeline.reports.study_page import describe_best, row_name
from pipeline.reports.study_runs import RunGroup, StudyError, group_runs, read_runs
from tests.helpers.commands import run_cariste

CLASSES = ("pedestrian", "pallet_truck")
STUDY = {"policies": {"backbone": "backbone", "none": "none"}, "seeds": [0, 3], "name": "made"}
# Box AP50 of each training on the rendered test images.
BOX = {("backbone", 0): 0.5, ("backbone", 3): 0.6, ("none", 0): 0.2, ("none", 3): 0.3}


def scores(box, mask, trucks=True):
    def kind(value):
        by_class = {name: {"AP": value / 2, "AP50": value, "AP75": 0.0} for name in CLASSES}
        if not trucks:
            by_class["pallet_truck"] = {"AP": None, "AP50": None, "AP75": None}
        return {"AP": value / 2, "AP50": value, "AP75": 0.0} | by_class

    counts = {"pedestrian": 4, "pallet_truck": 3 if trucks else 0}
    return {
        "box": kind(box),
        "mask": None if mask is None else kind(mask),
        "images": 5,
        "annotations": counts,
        "ignored": dict.fromkeys(CLASSES, 0),
    }


def write_runs(folder: Path, settings: config.Config) -> Path:
    for variant in settings.study.variants():
        _, policy, seed = settings.study.parts(variant)
        run = folder / "runs" / variant
        run.mkdir(parents=True)
        facts = {
            "trainable_parameters": 1000 if policy == "backbone" else 4000,
            "parameters": 4000,
            "weights": "bundled",
        }
        losses = dict.fromkeys(
            ("loss", "loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"), 1.0
        )
        steps = [
            {"iteration": number, "learning_rate": 0.1, "seconds": seconds, "memory_mb": 700.0, **losses}
            for number, seconds in enumerate((9.0, 1.0, 2.0), 1)
        ]
        (run / "training.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (facts, *steps)))
        (run / "test.json").write_text(json.dumps(scores(BOX[policy, seed], 0.1)))
        (run / "hall.json").write_text(json.dumps(scores(0.4, None, trucks=False)))
    return folder / "runs"


@pytest.fixture
def settings() -> config.Config:
    real = {"annotations": "real.json", "images": "real"}
    whole = config.validate({"study": STUDY, "compare": {"hall": real}, "train": {"iterations": 3}})
    return StudyConfig.from_config(whole)


def test_each_variant_is_the_config_with_its_own_backbone_policy_and_seed(settings):
    assert settings.study.variants() == [
        f"tf_efficientnet_lite0--{policy}--{seed}" for policy in ("backbone", "none") for seed in (0, 3)
    ]
    changes = settings.study.changes("tf_efficientnet_lite0--none--3")
    assert changes == {
        "run": {"seed": 3},
        "model": {"backbone": "tf_efficientnet_lite0", "weights": "bundled", "freeze": "none"},
        "train": {},
    }


def test_a_policy_can_be_a_schedule():
    later = {"freeze": "backbone", "unfreeze": [{"run_fraction": 0.5, "keep_frozen": 4, "learning_rate_factor": 0.1}]}
    settings = config.validate({"study": {"policies": {"later": later}}})
    model = config.with_changes(settings, settings.study.changes("tf_efficientnet_lite0--later--0")).model
    assert model.freeze == "backbone"
    assert [(step.run_fraction, step.keep_frozen) for step in model.unfreeze] == [(0.5, 4)]


def test_a_policy_can_have_rates_of_its_own():
    policies = {"free": {"freeze": "none", "rate_factors": {"backbone": 1}}, "slow": "none"}
    settings = config.validate({"study": {"policies": policies}})
    free, slow = (
        config.with_changes(settings, settings.study.changes(f"tf_efficientnet_lite0--{name}--0")) for name in policies
    )
    assert (free.model.freeze, free.train.rate_factors.backbone) == ("none", 1)
    assert TrainConfig.from_config(slow).with_backbone_rate().train.rate_factors.backbone == 0.1


def test_a_backbone_can_name_the_policies_that_make_sense_for_it():
    backbones = {"resnet18": {"weights": "none", "policies": ["none"]}, "tf_efficientnet_lite0": "bundled"}
    policies = {"backbone": "backbone", "none": "none"}
    study = config.validate({"study": {"backbones": backbones, "policies": policies, "seeds": [0]}}).study
    assert study.variants() == [
        "resnet18--none--0",
        "tf_efficientnet_lite0--backbone--0",
        "tf_efficientnet_lite0--none--0",
    ]
    assert study.changes("resnet18--none--0")["model"]["weights"] == "none"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": [1, 1]}, "give each seed only once"),
        ({"policies": {"a--b": "none"}}, "must not contain"),
        ({"seeds": []}, "seeds"),
        (
            {"policies": {"later": {"freeze": 3, "backbone": "resnet18"}}},
            "allowed here: freeze, unfreeze, rate_factors",
        ),
        ({"backbones": {"resnet18": {"weights": "none", "policies": ["all"]}}}, "all: not among study.policies"),
    ],
)
def test_an_ambiguous_study_is_an_error(wrong, message):
    with pytest.raises(config.ConfigError, match=message):
        config.validate({"study": wrong})


def test_a_row_holds_all_seeds(settings, tmp_path):
    runs = read_runs(settings, write_runs(tmp_path, settings))
    frozen, free = group_runs(runs)
    assert frozen.metric_spread("test", "box", "AP50") == Spread((0.5, 0.6))
    assert str(frozen.metric_spread("test", "box", "AP50")) == "0.55 ±0.05"
    assert frozen.metric_spread("hall", "mask", "AP50") is None
    assert free.metric_spread("hall", "box", "AP50", "pallet_truck") is None
    assert [(run.seconds_per_step, run.peak_memory_mb, run.trainable_parameters) for run in frozen.runs] == [
        (2.0, 700.0, 1000)
    ] * 2


def test_the_command_writes_csv_json_and_page(settings, tmp_path):
    runs = write_runs(tmp_path, settings)
    text = settings.as_text()
    done = run_cariste("study", "--config", text, "--runs", runs, "--out", tmp_path)
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "study.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 8
    assert {line["set"] for line in lines} == {"test", "hall"}
    assert [line["box_AP50"] for line in lines if line["set"] == "test"] == ["0.5", "0.6", "0.2", "0.3"]
    assert {line["mask_AP50"] for line in lines if line["set"] == "hall"} == {""}
    first = json.loads((tmp_path / "study.json").read_text())[0]
    assert (first["policy"], first["weights"]) == ("backbone", "bundled")
    page = (tmp_path / "study.html").read_text()
    assert "0.55 ±0.05" in page
    assert "is larger than the differences between seeds" in page
    assert "0.55 ±0.05" in done.stdout


def test_a_missing_training_run_is_named(settings, tmp_path):
    runs = write_runs(tmp_path, settings)
    missing = runs / "tf_efficientnet_lite0--none--3" / "hall.json"
    missing.unlink()
    with pytest.raises(StudyError, match=str(missing)):
        read_runs(settings, runs)


def test_a_lead_within_the_range_of_the_seeds_is_reported_as_such(settings, tmp_path, monkeypatch):
    monkeypatch.setitem(BOX, ("none", 0), 0.51)
    monkeypatch.setitem(BOX, ("none", 3), 0.57)
    rows = group_runs(read_runs(settings, write_runs(tmp_path, settings)))
    assert "is not larger than the differences between seeds" in describe_best("test", rows)
    assert describe_best("test", rows).startswith("Best: backbone, box AP50 0.55. Second: none, 0.54.")


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([("resnet18", "none"), ("vgg16", "none")], ["resnet18", "vgg16"]),
        ([("vgg16", "none"), ("vgg16", "heads_only")], ["none", "heads only"]),
        ([("resnet18", "none"), ("vgg16", "backbone")], ["none, resnet18", "backbone, vgg16"]),
        ([("vgg16", "none")], ["none"]),
    ],
)
def test_a_row_is_named_by_what_differs_between_the_rows(rows, names):
    groups = [RunGroup(backbone, policy, ()) for backbone, policy in rows]
    assert [row_name(row, groups) for row in groups] == names


def test_the_spread_of_no_values_is_none():
    assert spread_of([None, None]) is None
    assert str(spread_of([0.5])) == "0.50"
