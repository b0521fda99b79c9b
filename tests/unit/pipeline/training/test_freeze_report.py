# SPDX-License-Identifier: Apache-2.0
"""The report of `cariste layers` agrees with what a run trains."""

import json

import pytest

from pipeline.config import config
from pipeline.models import detectors, freezing
from tests.helpers.commands import run_cariste
from tests.helpers.configs import SMALL_MODEL

CONFIG = {
    "model": {
        "backbone": "tf_efficientnet_lite0",
        "weights": "bundled",
        "fpn_channels": 16,
        "freeze": 3,
        "unfreeze": [
            {"epoch": 2, "parameters": ["backbone.body.conv_stem"], "learning_rate_factor": 0.25},
            {"run_fraction": 0.9, "keep_frozen": "none"},
        ],
    },
    "train": {"iterations": 100, "batch_size": 2},
    "data": {"images": 24, "split": {"train": 2, "val": 1, "test": 1}},
}


def printed(*options: object) -> str:
    done = run_cariste("layers", *options)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def line_of(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


@pytest.fixture
def detector(categories):
    return detectors.build(config.validate(CONFIG).model, categories)


def test_the_rows_count_what_the_run_trains(detector):
    found = json.loads(printed("--json", "--config", json.dumps(CONFIG)))
    assert found["parameters"] == freezing.count(detector.parameters())
    assert found["trained"] == freezing.count(freezing.trainable_parameters(detector))
    for kind in (True, False):
        rows = [row for row in found["rows"] if (row["layer"] is None) == kind]
        assert sum(row["parameters"] for row in rows) == found["parameters"]
        assert sum(row["trained"] for row in rows) == found["trained"]
    layers = [row for row in found["rows"] if row["layer"]]
    assert [row["all_but_last"] for row in layers] == list(range(len(layers), 0, -1))
    settings = config.validate(CONFIG)
    # 12 of the 24 images are for training: six iterations an epoch.
    assert found["schedule"] == [
        {"iteration": each.iteration, "names": list(each.names), "learning_rate_factor": each.learning_rate_factor}
        for each in freezing.schedule(detector, settings.model, 100, 6)
    ]
    assert [step["iteration"] for step in found["schedule"]] == [13, 91]


def test_every_number_in_the_table_can_be_written_into_the_config():
    found = json.loads(printed("--json", "--config", json.dumps(CONFIG)))
    whole = detectors.build_unweighted(config.validate({"model": SMALL_MODEL | {"freeze": "none"}}).model, 2)
    before = set()
    for row in (row for row in found["rows"] if row["layer"] is None):
        last = config.validate({"model": {"freeze": {"all_but_last": row["all_but_last"]}}}).model.freeze
        assert freezing.frozen_parameter_names(whole, last) == before
        inside = [each["layer"] for each in found["rows"] if each["layer"] and each["part"] == row["part"]]
        before |= {name for layer in inside for name in freezing.parameters_by_layer(whole)[layer]}
        if row["stage"]:
            assert freezing.frozen_parameter_names(whole, row["stage"]) == before


def test_the_table_is_for_reading():
    text = printed("--config", json.dumps(CONFIG))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "frozen at the start: stages 1 to 3" in text
    assert line_of(text, "stem").rstrip().endswith("frozen until 13")
    assert line_of(text, "blocks.0").rstrip().endswith("frozen until 91")
    assert "norms frozen" in line_of(text, "blocks.6")
    assert line_of(text, "rpn").rstrip().endswith("trained")
    assert "× 0.25" in line_of(text.partition("Later in the run")[2], " 13 ")
    assert "backbone.body.blocks.6.0.conv_pwl" not in text
    longer = printed("--each", "--config", json.dumps(CONFIG))
    assert "backbone.body.blocks.6.0.conv_pwl" in longer
    assert max(len(line.rstrip()) for line in longer.splitlines()) <= 100


def test_a_model_file_shows_the_run_that_wrote_it(detector, categories, tmp_path):
    settings = config.validate(CONFIG)
    facts = {"config": settings.model_dump(mode="json"), "images": 20}
    detectors.save(tmp_path / "model.pt", detector, settings.model, categories, facts)
    found = json.loads(printed("--json", "--model", tmp_path / "model.pt"))
    assert found["trained"] == freezing.count(freezing.trainable_parameters(detector))
    assert [step["iteration"] for step in found["schedule"]] == [21, 91]


def test_a_wrong_policy_is_reported_in_one_line():
    done = run_cariste("layers", "--config", json.dumps({"model": {"freeze": ["layer1*"]}}))
    assert done.exit_code == 2
    assert done.stderr.startswith("model.freeze: 'layer1*' matches nothing that has parameters; nearest names:")
