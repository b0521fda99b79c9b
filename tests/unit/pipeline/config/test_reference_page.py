# SPDX-License-Identifier: Apache-2.0
"""The page of the config in the docs is the one that the code gives."""

import pytest

from pipeline.config.config import Config
from pipeline.config.reference_page import reference_page
from tests.helpers.paths import ROOT


def test_the_page_in_the_docs_is_up_to_date():
    written = (ROOT / "docs" / "reference" / "config.md").read_text()
    assert written == reference_page(), "run: cariste config --markdown > docs/reference/config.md"


@pytest.mark.parametrize("section", Config.model_fields)
def test_every_key_of_every_section_is_on_the_page(section):
    field = Config.model_fields[section]
    keys = getattr(field.annotation, "model_fields", {})
    rows = reference_page().splitlines()
    assert all(any(row.startswith(f"| `{key}` |") for row in rows) for key in keys)


@pytest.mark.parametrize(
    "row",
    [
        "| `count` | range of integers | `[0, 4]` |",
        "| `optimizer` | `adamw`, `adam`, `sgd` | `sgd` |",
        "| `weights_file` | text or null | `null` |",
    ],
)
def test_types_and_defaults_are_shown_as_in_yaml(row):
    assert any(line.startswith(row) for line in reference_page().splitlines())
