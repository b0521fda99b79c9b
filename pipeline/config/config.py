# SPDX-License-Identifier: Apache-2.0
"""The whole config: one YAML file in `configs/`, checked before anything starts.

The defaults are those of a serious run on a GPU. `configs/quickstart.yaml` makes it small enough for two CPU cores.
`cariste config FILE` checks a file and prints it with all defaults filled in.
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


class ConfigError(CaristeError):
    """A config that cannot be used; the message has one line for each wrong key."""


class SplitSection(Section):
    """How many of every `train + val + test` consecutive images go to each split.

    Only the index of an image decides its split, so that a larger `data.images` moves no image to another split.
    """

    train: Annotated[int, Field(ge=1)] = 18
    val: Annotated[int, Field(ge=1)] = 1
    test: Annotated[int, Field(ge=1)] = 1

    def of(self, index: int) -> str:
        """Return the split of the image with this index."""
        position = index % (self.train + self.val + self.test)
        return "train" if position < self.train else "val" if position < self.train + self.val else "test"


class DataSection(Section):
    """The rendered data set."""

    name: Name = Field("default", description="the data set is in results/data/NAME")
    seed: Annotated[int, Field(ge=0)] = Field(7, description="of all scenes; another seed gives other images")
    images: Annotated[int, Field(ge=1)] = Field(
        5000, description="number of images; a larger number keeps those that are rendered already"
    )
    shard_size: Annotated[int, Field(ge=1)] = Field(50, description="images that one job renders")
    split: SplitSection = SplitSection()

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.images // self.shard_size)

    def images_in_shard(self, number: int) -> int:
        """Return the number of images. All shards but the last are full, so a larger set has the same first shards."""
        return min(self.shard_size, self.images - number * self.shard_size)


class AppearanceSection(Section):
    """The keys of `render` that decide how the images look."""

    samples: Annotated[int, Field(ge=1, le=65536)] = Field(
        64, description="samples per pixel of Cycles: more give less noise and take longer"
    )
    denoise: bool = Field(True, description="remove the noise with Open Image Denoise")
    view_transform: ViewTransform = Field("AgX", description="Blender's conversion of light to pixel values")
    depth: MapFormat | None = Field(
        None, description="also write depth along the optical axis: png in whole millimeters, exr in meters"
    )
    normals: MapFormat | None = Field(None, description="also write surface normals in camera coordinates")
    verify_share: Fraction = Field(
        0.04, description="share of images in which one object is also rendered isolated, to verify its silhouette"
    )


class RenderSection(AppearanceSection):
    """Cycles, Blender's renderer."""

    device: Literal["auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi"] = Field(
        "auto",
        description="auto: a GPU if there is one, else the CPU; a device that is named and missing is an error. On a "
        "cluster, name the GPU: for auto, none is requested",
    )


class LabelSection(Section):
    """Which rendered objects become annotations."""

    audit: bool = Field(True, description="check every id map against the silhouettes of its objects")
    max_violations: Count | None = Field(
        None,
        description="images that may fail the audit and are left out of all splits; if more fail, the stage fails; "
        "null: 0.1 % of the images, at least 1",
    )
    segmentation: Literal["rle", "polygons"] = Field("rle", description="format of the masks; only rle is exact")
    min_pixels: Count = Field(12, description="objects with fewer visible pixels get no annotation")
    min_visible_fraction: Fraction = Field(
        0.02, description="objects of which a smaller part is visible get no annotation"
    )
    crowd_pixels: Count = Field(
        100, description="objects with fewer visible pixels get iscrowd: they are not trained on and not scored"
    )
    crowd_visible_fraction: Fraction = Field(0.2, description="objects of which a smaller part is visible get iscrowd")


class RunSection(Section):
    """The training run."""

    name: Name = Field("default", description="the run is in results/runs/NAME")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="of new weights, the order of images, and augmentation")


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
    compare: dict[Name, CocoSetSection] = Field(
        {}, description="sets of real images to compare the rendered set with, by a name of your choice"
    )
    run: RunSection = RunSection()
    model: ModelSection = ModelSection()
    train: TrainSection = TrainSection()
    study: StudySection = StudySection()


def with_changes(config: Config, changes: dict[str, dict[str, Any]]) -> Config:
    """Return the config with other values: section → key → value. The result is checked.

    Raises:
        ConfigError: see `validate`.
    """
    values = config.model_dump(mode="json")
    return validate({**values, **{name: values[name] | section for name, section in changes.items()}}, "study")


def parse_nested_yaml(value: Any) -> Any:
    """Return the value with all texts parsed as YAML.

    `snakemake --config 'train={iterations: 5}'` delivers nested values as text.
    """
    if isinstance(value, dict):
        return {key: parse_nested_yaml(item) for key, item in value.items()}
    if isinstance(value, list):
        return [parse_nested_yaml(item) for item in value]
    return yaml.safe_load(value) if isinstance(value, str) else value


def validate(values: Any, source: str = "config") -> Config:
    """Return the typed config. `source` is named in messages.

    Raises:
        ConfigError: one line for each wrong key, with its value and what is allowed.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_error_line(problem, source) for problem in error.errors())) from None


def _error_line(problem: dict, source: str) -> str:
    """Return the message for one error of pydantic."""
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the file"
    if new := new_name_of(problem["loc"]):
        return f"{source}: {key}: this key is called {new} now"
    if problem["type"] == "extra_forbidden":
        return f"{source}: {key}: unknown key; allowed here: {', '.join(_allowed_keys(problem['loc']))}"
    message = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "pair [low, high]")
    return f"{source}: {key} = {problem['input']!r}: {message[0].lower()}{message[1:]}"


def _allowed_keys(location: tuple) -> list[str]:
    """Return the keys of the section that contains `location`."""
    section_type: Any = Config
    for part in location[:-1]:
        if get_origin(section_type) is UnionType:  # a section or null
            section_type = get_args(section_type)[0]
        # The last argument of a list or a dictionary of sections is the type of a section.
        arguments = get_args(section_type)
        section_type = arguments[-1] if arguments else section_type.model_fields[part].annotation
    return list(section_type.model_fields)


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
