# SPDX-License-Identifier: Apache-2.0
"""The typed configuration: one YAML file in `configs/`, checked before anything starts.

`python -m pipeline.config.config --schema` prints the JSON schema that `configs/schema.json` holds (for editors);
`python -m pipeline.config.config FILE.yaml` checks a file and prints it with every default filled in.
"""

import json
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import Field, ValidationError

from pipeline.common.errors import CaristeError
from pipeline.common.vocabulary import MapFormat, ViewTransform
from pipeline.config.field_types import CocoSetSection, Count, Fraction, Name, Section
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

SCENE_SECTIONS = ("layout", "people", "trucks", "goods", "camera", "light")


class ConfigError(CaristeError):
    """A configuration that cannot be used; the message has one line for each wrong key."""


class SplitSection(Section):
    """Of every `train + val + test` images in a row, how many go to each split (by index, so growth moves none)."""

    train: Annotated[int, Field(ge=1)] = 9
    val: Annotated[int, Field(ge=1)] = 1
    test: Annotated[int, Field(ge=1)] = 2

    def of(self, index: int) -> str:
        """Return the split of the image with this index."""
        position = index % (self.train + self.val + self.test)
        return "train" if position < self.train else "val" if position < self.train + self.val else "test"


class DataSection(Section):
    """The rendered data set: its name, size, division into shards and splits."""

    name: Name = "quickstart"
    seed: Annotated[int, Field(ge=0)] = 7
    images: Annotated[int, Field(ge=1)] = 96
    shard_size: Annotated[int, Field(ge=1)] = 12
    split: SplitSection = SplitSection()

    @property
    def shards(self) -> int:
        return -(-self.images // self.shard_size)

    def images_in_shard(self, number: int) -> int:
        """All shards are full but the last, so a larger set has the same first shards."""
        return min(self.shard_size, self.images - number * self.shard_size)


class AppearanceSection(Section):
    """The keys of `render` that decide how the images look."""

    samples: Annotated[int, Field(ge=1, le=65536)] = 4
    denoise: bool = True
    view_transform: ViewTransform = "AgX"
    depth: MapFormat | None = Field(
        None, description="also write depth along the optical axis: png in whole millimetres, exr in metres"
    )
    normals: MapFormat | None = Field(None, description="also write surface normals in camera axes")
    verify_share: Fraction = Field(
        0.04, description="share of images in which one instance is rendered alone to prove its silhouette"
    )


class RenderSection(AppearanceSection):
    """Cycles, Blender's renderer."""

    device: Literal["auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi"] = "cpu"


class LabelSection(Section):
    """Which rendered objects become annotations."""

    audit: bool = Field(True, description="check every id map against the silhouettes of its objects")
    max_violations: Count | None = Field(
        None,
        description="images that may fail the audit: they are in no split; more of them fail the run; "
        "null: 0.1 % of the images, at least 1",
    )
    segmentation: Literal["rle", "polygons"] = "rle"
    min_pixels: Count = Field(12, description="fewer visible pixels: no annotation")
    min_visible_fraction: Fraction = Field(0.02, description="less of the object visible: no annotation")
    crowd_pixels: Count = Field(100, description="fewer visible pixels: iscrowd, neither taught nor scored")
    crowd_visible_fraction: Fraction = Field(0.2, description="less of the object visible: iscrowd")


class RunSection(Section):
    name: Name = "quickstart"
    seed: Annotated[int, Field(ge=0)] = 0


class Config(Section):
    """The whole file."""

    data: DataSection = DataSection()
    layout: LayoutSection = LayoutSection()
    people: PeopleSection = PeopleSection()
    trucks: TrucksSection = TrucksSection()
    goods: GoodsSection = GoodsSection()
    camera: CameraSection = CameraSection()
    light: LightSection = LightSection()
    render: RenderSection = RenderSection()
    label: LabelSection = LabelSection()
    compare: dict[Name, CocoSetSection] = Field(
        {}, description="real sets whose distributions the rendered one is held to"
    )
    run: RunSection = RunSection()
    model: ModelSection = ModelSection()
    train: TrainSection = TrainSection()
    study: StudySection = StudySection()


def with_changes(config: Config, changes: dict[str, dict[str, Any]]) -> Config:
    """Return the config with other values in some sections, checked again."""
    values = config.model_dump(mode="json")
    return validate({**values, **{name: values[name] | section for name, section in changes.items()}}, "study")


def parse_nested_yaml(value: Any) -> Any:
    """Give YAML types to the strings that `snakemake --config 'train={iterations: 5}'` delivers for nested values."""
    if isinstance(value, dict):
        return {key: parse_nested_yaml(item) for key, item in value.items()}
    if isinstance(value, list):
        return [parse_nested_yaml(item) for item in value]
    return yaml.safe_load(value) if isinstance(value, str) else value


def validate(values: Any, source: str = "config") -> Config:
    """Return the typed config.

    Raises:
        ConfigError: one line per problem with the key, the value and what is allowed.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem, source) for problem in error.errors())) from None


def _explain(problem: dict, source: str) -> str:
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the file"
    if new := new_name_of(problem["loc"]):
        return f"{source}: {key}: this key is called {new} now"
    if problem["type"] == "extra_forbidden":
        return f"{source}: {key}: unknown key; allowed here: {', '.join(_siblings(problem['loc']))}"
    message = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "pair [low, high]")
    return f"{source}: {key} = {problem['input']!r}: {message[0].lower()}{message[1:]}"


def _siblings(location: tuple) -> list[str]:
    """Return the keys that the section holding `location` knows."""
    kind: Any = Config
    for part in location[:-1]:
        if get_origin(kind) is UnionType:  # a section or null
            kind = get_args(kind)[0]
        # Of a list or a dictionary of sections, the last argument is what it holds.
        kind = get_args(kind)[-1] if get_args(kind) else kind.model_fields[part].annotation
    return list(kind.model_fields)


def is_inline(source: str | Path) -> bool:
    """Return whether `source` is the text of a config and not the path of a file."""
    return str(source).lstrip().startswith("{")


def read_config(source: str | Path) -> Config:
    """Return the whole config from a YAML file, or from text that begins with `{`; missing keys have their defaults.

    A stage calls `stages.read_stage_config` instead.

    Raises:
        ConfigError: no such file, no YAML, or a value that is not allowed.
    """
    inline = is_inline(source)
    try:
        text = str(source) if inline else Path(source).read_text()
        values = yaml.safe_load(text)
    except FileNotFoundError:
        raise ConfigError(f"{source}: no such config file") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {error}") from None
    return validate(values or {}, "config" if inline else str(source))


def schema() -> str:
    """Return the JSON schema of the config as text that ends with a newline."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"
