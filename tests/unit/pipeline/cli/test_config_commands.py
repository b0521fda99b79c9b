# SPDX-License-Identifier: Apache-2.0
"""`cariste config` prints what a config means, and its schema."""

import json

import yaml

from pipeline.config import config
from tests.helpers.commands import run_cariste, start_cariste
from tests.helpers.paths import CONFIGS


def test_a_config_is_printed_with_all_defaults_and_reads_back_as_the_same():
    done = start_cariste("config", CONFIGS / "ci.yaml")
    assert done.exit_code == 0, done.stderr
    settings = config.read_config(CONFIGS / "ci.yaml")
    assert config.validate(yaml.safe_load(done.stdout)) == settings
    assert yaml.safe_load(done.stdout).keys() == config.Config.model_fields.keys()


def test_the_schema_is_json_and_needs_no_file():
    done = run_cariste("config", "--schema")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["properties"].keys() == config.Config.model_fields.keys()
    assert run_cariste("config").exit_code == 2
    assert run_cariste("config", "--schema", CONFIGS / "ci.yaml").exit_code == 2
