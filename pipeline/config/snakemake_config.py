# SPDX-License-Identifier: Apache-2.0
"""The config of a Snakemake run: its config files, and the values of `--config`, as `cariste config` reads them.

Snakemake's own `config` cannot be used: in it, values of files and of `--config`, which are text, look the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.common.yaml_files import KeyPath, YamlDocument, YamlError, parse_yaml
from pipeline.config.config import Config, ConfigError, read_config_values, validate


def read_snakemake_config(files: Sequence[str | Path], overrides: Sequence[str]) -> Config:
    """Return the config of files, of which each changes keys of those before it, and of `--config` on top of them.

    Args:
        files: YAML or JSON files.
        overrides: the entries of `--config`, such as "train={iterations: 5}".

    Raises:
        ConfigError: a file or an entry that cannot be read; or see `validate`.
    """
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for path in files:
        _merge(values, places, read_config_values(path), str(path))
    for entry in overrides:
        name, _, text = entry.partition("=")
        document = _parse_override(text, f"--config {name}")
        _merge(values, places, YamlDocument({name: document.values}), f"--config {name}")

    def place_of(path: KeyPath) -> str:
        known = (places[path[:length]] for length in range(len(path), 0, -1) if path[:length] in places)
        return next(known, "config")

    return validate(values, place_of)


def _parse_override(text: str, source: str) -> YamlDocument:
    """Return the value of an entry of `--config`. Like Snakemake, look into quotes that are left around it."""
    try:
        document = parse_yaml(text, source)
        return parse_yaml(document.values, source) if isinstance(document.values, str) else document
    except YamlError as error:
        raise ConfigError(str(error)) from None


def _merge(values: dict[str, Any], places: dict[KeyPath, str], document: YamlDocument, source: str) -> None:
    """Change `values` and `places` by the content of another file."""
    new = document.values or {}
    _update(values, {name: section for name, section in new.items() if section is not None or name not in values})
    for path in _paths(new):
        line = document.lines.get(path)
        places[path] = f"{source}, line {line}" if line else source


def _update(values: dict[str, Any], new: dict[str, Any]) -> None:
    """Change mappings key by key, and everything else as a whole, as Snakemake does with several config files."""
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _update(values[key], value)
        else:
            values[key] = value


def _paths(value: Any, above: KeyPath = ()) -> list[KeyPath]:
    """Return the paths of all keys and entries."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in entries for path in ((*above, key), *_paths(item, (*above, key)))]
