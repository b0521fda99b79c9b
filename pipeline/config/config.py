# SPDX-License-Identifier: Apache-2.0
"""The whole config: one YAML file in `configs/`, checked before anything starts.

The defaults are those of a serious run on a GPU. `configs/quickstart.yaml` makes it small enough for two CPU cores.
`cariste config FILE` checks a file and prints it with all defaults filled in.
"""

import json
import os.path
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from pipeline.common.errors import CaristeError
from pipeline.common.text_files import TextFileError
from pipeline.common.validation_messages import WrongKey, at_most_ten, dotted, wrong_keys
from pipeline.common.vocabulary import SPLITS
from pipeline.common.yaml_files import KeyPath, YamlDocument, parse_yaml, read_yaml
from pipeline.config.data_set import DataSection, LabelSection, RenderSection, RunSection
from pipeline.config.field_types import CocoSetSection, Name, Section, none_as_empty
from pipeline.config.renamed_keys import new_name_of
from pipeline.config.study import StudySection
from pipeline.config.training import ModelSection, TrainSection
from pipeline.config.world import (
    CameraSection,
    GoodsSection,
    LayoutSection,
    LightSection,
    PeopleSection,
    TrucksSection,
)

TEST_SPLIT = SPLITS[-1]  # what a study scores its models on


class ConfigError(CaristeError):
    """A config that cannot be used; the message has one line for each wrong key, at most ten, then a count."""


class Config(Section):
    """The whole config."""

    data: DataSection = DataSection()
    layout: LayoutSection = LayoutSection()
    people: PeopleSection = PeopleSection()
    trucks: TrucksSection = TrucksSection()
    goods: GoodsSection = GoodsSection()
    camera: CameraSection = CameraSection()
    light: LightSection = LightSection()
    render: RenderSection = RenderSection()
    label: LabelSection = LabelSection()
    compare: Annotated[dict[Name, CocoSetSection], BeforeValidator(none_as_empty)] = Field(
        {}, description="sets of real images to compare the rendered set with, by a name of your choice"
    )
    run: RunSection = RunSection()
    model: ModelSection = ModelSection()
    train: TrainSection = TrainSection()
    study: StudySection = StudySection()

    @model_validator(mode="after")
    def _check_compared_names(self) -> Self:
        for name, owner in ((self.data.name, "the rendered set"), (TEST_SPLIT, "the test split of the rendered set")):
            if name in self.compare:
                raise ValueError(f"compare.{name}: {owner} has this name; choose another one")
        return self


def with_changes(config: Config, changes: dict[str, dict[str, Any]]) -> Config:
    """Return the config with other values: section → key → value. The result is checked.

    Raises:
        ConfigError: see `validate`.
    """
    values = config.model_dump(mode="json")
    return validate(
        {**values, **{name: values[name] | section for name, section in changes.items()}}, lambda path: "study"
    )


def validate(values: Any, place_of: Callable[[KeyPath], str] = lambda path: "config") -> Config:
    """Return the typed config.

    Args:
        values: the content of a config; None, as an empty document has it, means all defaults.
        place_of: returns where a key was read, such as "configs/full.yaml, line 3".

    Raises:
        ConfigError: one line for each wrong key, with its place, its value and what is allowed.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        wrong = wrong_keys(error, Config)
    raise ConfigError(at_most_ten([f"{place_of(key.path)}: {_line(key)}" for key in wrong]))


def _line(key: WrongKey) -> str:
    new = new_name_of(key.path)
    return f"{dotted(key.path)}: this key is called {new} now" if new else str(key)


def is_inline(source: str | Path) -> bool:
    """Return whether `source` is the text of a config and not the path of a file."""
    return isinstance(source, str) and source.lstrip().startswith("{") and not os.path.exists(source)


def read_config(source: str | Path) -> Config:
    """Return the whole config from a YAML file, or from text that begins with `{`; missing keys have their defaults.

    A stage calls `stages.read_stage_config` instead.

    Raises:
        ConfigError: no such file, no YAML, or a value that is not allowed.
    """
    if is_inline(source):
        return validate(_parse(lambda: parse_yaml(str(source), "config")).values)
    document = read_config_values(source)
    return validate(document.values, lambda path: document.place(source, path))


def read_config_values(path: str | Path) -> YamlDocument:
    """Return the content of a config file, which is not checked yet.

    Raises:
        ConfigError: no such file, not YAML, or no keys with values.
    """
    document = _parse(lambda: read_yaml(path))
    if document.values is None:
        raise ConfigError(f"{path}: has no keys; write {{}} for all defaults")
    if not isinstance(document.values, dict):
        raise ConfigError(f"{path}: must be keys with values, such as `data: {{images: 100}}`")
    return document


def _parse(read: Callable[[], YamlDocument]) -> YamlDocument:
    try:
        return read()
    except TextFileError as error:
        raise ConfigError(str(error)) from None


def schema() -> str:
    """Return the JSON schema of the config as text that ends with a newline."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"
