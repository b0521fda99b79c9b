# SPDX-License-Identifier: Apache-2.0
"""The part of the config that each stage gets.

A stage is typed with one of the models below. It can read, and write into its outputs, only what it was given. So a
record never shows a default instead of the value that was used. Snakemake hands the part over as text
(`as_text`) and runs a stage again only if its own part has changed.
"""

from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.config.config import Config, ConfigError, is_inline, read_config
from pipeline.config.data_set import AppearanceSection, DataSection, LabelSection, RenderSection, RunSection
from pipeline.config.field_types import CocoSetSection, Name, Section, SeedSection
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

PRETRAINED_BACKBONE_RATE_FACTOR, RANDOM_BACKBONE_RATE_FACTOR = 0.1, 1.0


class StageConfig(Section):
    """Base class: sections of `Config`, or some keys of a section. No key has a default of its own."""

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return the part of `config` that this stage depends on."""
        return cls.model_validate(_part_of(cls, config.model_dump(mode="json")))


class SampleConfig(StageConfig):
    """Everything that decides how an image looks."""

    data: SeedSection
    layout: LayoutSection
    people: PeopleSection
    trucks: TrucksSection
    goods: GoodsSection
    camera: CameraSection
    light: LightSection
    render: AppearanceSection


class LabelConfig(StageConfig):
    """Stage `label`."""

    data: DataSection
    label: LabelSection


class DistributionConfig(StageConfig):
    """Stage `distribution`."""

    compare: dict[Name, CocoSetSection]


class TrainConfig(StageConfig):
    """Stage `train`."""

    run: SeedSection
    model: ModelSection
    train: TrainSection

    def with_backbone_rate(self) -> "TrainConfig":
        """Return the same config with a number for `train.rate_factors.backbone`."""
        factors = self.train.rate_factors
        if factors.backbone is not None:
            return self
        rate = RANDOM_BACKBONE_RATE_FACTOR if self.model.weights == "none" else PRETRAINED_BACKBONE_RATE_FACTOR
        train = self.train.model_copy(update={"rate_factors": factors.model_copy(update={"backbone": rate})})
        return self.model_copy(update={"train": train})


class ReportConfig(StageConfig):
    """Stage `report`: the page shows the config of the data set and of the training run."""

    data: DataSection
    layout: LayoutSection
    people: PeopleSection
    trucks: TrucksSection
    goods: GoodsSection
    camera: CameraSection
    light: LightSection
    render: RenderSection
    label: LabelSection
    run: RunSection
    model: ModelSection
    train: TrainSection


class StudyConfig(StageConfig):
    """Stage `study`: the table and the page of all trainings."""

    train: TrainSection
    study: StudySection
    compare: dict[Name, CocoSetSection]


Stage = TypeVar("Stage", bound=StageConfig)


def read_stage_config(stage: type[Stage], source: str | Path) -> Stage:
    """Return the part of a config that a stage depends on.

    `source`: a YAML file, in which any key may be missing and then has its default; or text that begins with `{`, in
    which no key of the stage may be missing. Keys of other stages are checked and left out.

    Raises:
        ConfigError: see `read_config`; or the text lacks keys, which the message lists.
    """
    config = read_config(source)
    if is_inline(source):
        given = _part_of(stage, config.model_dump(mode="json", exclude_unset=True))
        expected = _part_of(stage, config.model_dump(mode="json"))
        if missing := _missing_keys(given, expected):
            raise ConfigError(
                f"config: the text lacks {', '.join(missing)}; give a YAML file, in which missing keys have their "
                f"defaults, or every key of {', '.join(stage.model_fields)}"
            )
    return stage.from_config(config)


def _part_of(stage: type[StageConfig], values: dict[str, Any]) -> dict[str, Any]:
    """Return those of `values`, a whole config as JSON, that `stage` has fields for."""
    part = {}
    for name, field in stage.model_fields.items():
        if name not in values:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            part[name] = {key: values[name][key] for key in field.annotation.model_fields if key in values[name]}
        else:
            part[name] = values[name]
    return part


def _missing_keys(given: Any, expected: Any, path: str = "") -> list[str]:
    """Return the dotted paths of `expected` that `given` lacks; a section that is missing is listed as a whole."""
    if not isinstance(expected, dict) or not isinstance(given, dict):
        return []
    missing = []
    for key, value in expected.items():
        if key in given:
            missing += _missing_keys(given[key], value, f"{path}{key}.")
        else:
            missing.append(f"{path}{key}")
    return missing
