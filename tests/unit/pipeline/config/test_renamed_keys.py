# SPDX-License-Identifier: Apache-2.0
"""A key that has been renamed is refused with its new name; the new name is one that the config knows."""

from pathlib import Path

import pytest

from pipeline.config.config import Config, ConfigError, read_config, validate
from pipeline.config.renamed_keys import RENAMED_KEYS, new_name_of


def nested(path: str, value: object) -> dict:
    """Return a config with one key; `*` becomes a list of one entry."""
    head, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {head: inner} if head != "*" else [inner]  # type: ignore[dict-item]


@pytest.mark.parametrize("old", RENAMED_KEYS)
def test_an_old_key_is_refused_with_its_new_name(old):
    with pytest.raises(ConfigError) as refused:
        validate(nested(old, 1))
    assert f"this key is called {RENAMED_KEYS[old].replace('*', '0')} now" in str(refused.value)


@pytest.mark.parametrize("new", sorted(set(RENAMED_KEYS.values())))
def test_the_new_name_is_a_key_of_the_config(new):
    with pytest.raises(ConfigError) as refused:
        validate(nested(new, object()))
    assert "unknown key" not in str(refused.value)


def test_a_bare_on_is_named_too(tmp_path: Path):
    """YAML 1.1 reads `on:` as true; our reader takes every key as text."""
    path = tmp_path / "config.yaml"
    path.write_text("train: {validation: {on: {annotations: a.json, images: a}}}")
    with pytest.raises(ConfigError, match=r"this key is called train\.validation\.dataset now"):
        read_config(path)


def test_other_keys_have_no_new_name():
    assert new_name_of(("data", "images")) is None
    assert new_name_of(("data",)) is None
    assert Config.model_fields.keys() >= {name.split(".")[0] for name in RENAMED_KEYS.values()}
