# SPDX-License-Identifier: Apache-2.0
"""The typed configuration: one YAML file in `configs/`, checked before anything starts.

`python -m pipeline.config --schema` prints the JSON schema that `configs/schema.json` holds (for editors);
`python -m pipeline.config FILE.yaml` checks a file and prints it with every default filled in.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

# Raise by hand when the same config must give other pictures: it is part of every scene record, so all shards are
# rendered again. Editing a docstring or a log line is no reason.
GENERATOR_VERSION = 2

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]


class ConfigError(Exception):
    """A configuration that cannot be used; the message has one line for each wrong key."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"the low end {ends[0]} is above the high end {ends[1]}")
    return ends


# Closed ranges to draw from, written [low, high] in YAML.
Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
CountRange = Annotated[tuple[Count, Count], AfterValidator(_ordered)]


def _within(low: float, high: float) -> AfterValidator:
    """Refuse ranges that reach beyond [low, high]."""

    def check_ends(ends: tuple[float, float]) -> tuple[float, float]:
        if ends[0] < low or ends[1] > high:
            raise ValueError(f"must lie within {low:g} and {high:g}")
        return ends

    return AfterValidator(check_ends)


def _pair(value: Any) -> Any:
    """Take a single number for the range that holds it alone."""
    return [value, value] if isinstance(value, int | float) and not isinstance(value, bool) else value


# Ranges for which a single number will do.
Shares = Annotated[Range, _within(0, 1), BeforeValidator(_pair, json_schema_input_type=Fraction | Range)]
Counts = Annotated[CountRange, BeforeValidator(_pair, json_schema_input_type=Count | CountRange)]

Layout = Literal["aisle", "staging", "dock", "packing", "block", "mixed", "chaos"]
OtherGoods = Literal["crate", "drum", "stillage", "ibc", "cable_reel", "bin"]
Lookalike = Literal[
    "hand_trolley", "platform_cart", "roll_cage", "forklift", "reach_truck", "stacker", "cleaning_machine"
]


def _some_share(shares: dict[str, float]) -> dict[str, float]:
    if sum(shares.values()) <= 0:
        raise ValueError("at least one share must be above 0")
    return shares


SomeShare = AfterValidator(_some_share)


class Split(Section):
    """Of every `train + val + test` pictures in a row, how many go to each split (by index, so growth moves none)."""

    train: Annotated[int, Field(ge=1)] = 9
    val: Annotated[int, Field(ge=1)] = 1
    test: Annotated[int, Field(ge=1)] = 2


class Data(Section):
    """The rendered data set: its name, size, division into shards and splits."""

    name: Name = "quickstart"
    seed: Annotated[int, Field(ge=0)] = 7
    pictures: Annotated[int, Field(ge=1)] = 96
    shard_size: Annotated[int, Field(ge=1)] = 12
    split: Split = Split()

    @property
    def shards(self) -> int:
        return -(-self.pictures // self.shard_size)

    def pictures_in_shard(self, number: int) -> int:
        """All shards are full but the last, so a larger set has the same first shards."""
        return min(self.shard_size, self.pictures - number * self.shard_size)


class SceneSection(Section):
    """What stands in the hall. A range gives each picture its own value, a single number the same to all.

    Each group can be left out to see what it is worth: people: 0, trucks: 0, goods: 0, other_goods: 0, props: 0,
    lookalikes: 0, or one layout alone.
    """

    layouts: Annotated[dict[Layout, Fraction], SomeShare] = Field(
        {"aisle": 0.26, "staging": 0.12, "dock": 0.09, "packing": 0.07, "block": 0.07, "mixed": 0.1, "chaos": 0.29},
        description="shares; all are as people work but chaos",
    )
    empty: Fraction = Field(0.06, description="share of pictures without any person or truck")
    # people
    people: Counts = (0, 4)
    working_pairs: Fraction = Field(0.4, description="share of pictures with somebody pushing or pulling a truck")
    activities: Annotated[dict[Literal["alone", "talk", "carry", "sit"], Fraction], SomeShare] = Field(
        {"alone": 0.68, "talk": 0.12, "carry": 0.12, "sit": 0.08},
        description="shares of what people without a truck do; alone: walk, stand, scan, bend, crouch, reach",
    )
    # trucks
    trucks: Counts = (0, 4)
    electric_trucks: Fraction = Field(0.3, description="share of trucks that are electric walkies, not hand trucks")
    truck_places: Annotated[dict[Literal["free", "rack", "pallet", "row", "beside"], Fraction], SomeShare] = Field(
        {"free": 0.24, "rack": 0.28, "pallet": 0.26, "row": 0.1, "beside": 0.12},
        description="shares: on the floor, in or before a rack, forks in a pallet, several in a row, by a look-alike",
    )
    under_beams: Fraction = Field(0.35, description="of trucks at a rack, how many stand under its lowest beam")
    # goods
    goods: Shares = Field((0.25, 1.0), description="how full racks and floor are: 0 empty, 1 crowded")
    other_goods: Shares = Field((0.0, 0.5), description="share of loads that are no cartons: crates, drums, ...")
    other_goods_kinds: Annotated[dict[OtherGoods, Fraction], SomeShare] = {
        "crate": 0.3,
        "drum": 0.2,
        "stillage": 0.2,
        "ibc": 0.1,
        "cable_reel": 0.06,
        "bin": 0.14,
    }
    # props
    props: Shares = Field(
        (0.0, 1.0), description="how much furniture: tables, conveyors, ladders, bollards, cones, signs"
    )
    lookalikes: Counts = Field((0, 3), description="things on wheels that are no pallet trucks, where the camera looks")
    lookalike_kinds: Annotated[dict[Lookalike, Fraction], SomeShare] = {
        "hand_trolley": 0.2,
        "platform_cart": 0.15,
        "roll_cage": 0.15,
        "forklift": 0.14,
        "reach_truck": 0.12,
        "stacker": 0.14,
        "cleaning_machine": 0.1,
    }


class FieldsOfView(Section):
    """Horizontal field of view by rig, in degrees."""

    robot: Annotated[Range, _within(10, 150)] = (55, 100)
    handheld: Annotated[Range, _within(10, 150)] = (45, 85)
    ceiling: Annotated[Range, _within(10, 150)] = (55, 100)
    forklift_mast: Annotated[Range, _within(10, 150)] = (55, 100)


class CameraSection(Section):
    """Where the camera hangs, what it sees, and what its lens does."""

    width: Annotated[int, Field(ge=32, le=8192)] = 384
    height: Annotated[int, Field(ge=32, le=8192)] = 288
    rigs: Annotated[dict[Literal["robot", "handheld", "ceiling", "forklift_mast"], Fraction], SomeShare] = {
        "robot": 0.3,
        "handheld": 0.4,
        "ceiling": 0.15,
        "forklift_mast": 0.15,
    }
    fov_deg: FieldsOfView = FieldsOfView()
    roll_deg: Annotated[float, Field(ge=0, le=45)] = Field(2.0, description="standard deviation")
    aim_deg: Annotated[float, Field(ge=0, le=45)] = Field(
        3.0, description="standard deviation of the pitch about what the rig aims at"
    )
    distorted: Fraction = Field(0.3, description="share of pictures with lens distortion")
    distortion: Annotated[Range, _within(-0.4, 0.2)] = Field(
        (-0.3, 0.05), description="k1 of Brown and Conrady; the wider the view, the nearer to the low end"
    )
    motion_blur: Fraction = Field(0.1, description="share of pictures whose camera moves while the shutter is open")
    motion_m: Annotated[Range, _within(0, 0.5)] = Field((0.0, 0.03), description="way while the shutter is open")
    motion_deg: Annotated[Range, _within(0, 10)] = Field((0.0, 0.6), description="turn while the shutter is open")
    depth_of_field: Fraction = Field(0.1, description="share of pictures that are sharp at one distance only")
    aperture_f: Annotated[Range, _within(0.7, 64)] = Field((1.4, 4.0), description="f-number at 36 mm of sensor width")
    focus_m: Annotated[Range, _within(0.1, 1000)] = Field((1.5, 8.0), description="drawn log-uniformly")
    exposure_error: Fraction = Field(0.1, description="share of pictures that are exposed wrongly")
    exposure_error_ev: Annotated[Range, _within(-10, 10)] = (-2.0, 1.5)


LightScene = Literal["high_bay", "neon", "daylight", "dusk", "torch"]


class LightSection(Section):
    """Lamps, daylight and exposure."""

    scenes: Annotated[dict[LightScene, Fraction], SomeShare] = Field(
        {"high_bay": 0.34, "neon": 0.33, "daylight": 0.2, "dusk": 0.07, "torch": 0.06},
        description="shares: lamps of either kind, light through doors and windows, dusk, a dark hall with a headlight",
    )
    temperature_k: Annotated[Range, _within(1700, 25000)] = (2700, 7500)
    colored: Fraction = Field(0.1, description="share of pictures with strongly coloured light")
    dead: Annotated[Range, _within(0, 0.95)] = Field((0.0, 0.3), description="share of lamps that do not burn")
    flickering: Fraction = Field(0.06, description="share of neon tubes that are dim, too warm or too cold")
    power: Annotated[Range, _within(0.01, 100)] = Field(
        (0.3, 3.0), description="factor on every lamp's power, drawn log-uniformly"
    )
    hdri: Fraction = Field(0.35, description="share of pictures whose fill light comes from a photographed place")
    exposure_ev: Annotated[Range, _within(-10, 10)] = (-1.0, 1.0)


class RenderSection(Section):
    """Cycles."""

    samples: Annotated[int, Field(ge=1, le=65536)] = 4
    denoise: bool = True
    view_transform: Literal["AgX", "Filmic", "Standard"] = "AgX"
    depth: Literal["png", "exr"] | None = Field(
        None, description="also write depth along the optical axis: png in whole millimetres, exr in metres"
    )
    normals: Literal["png", "exr"] | None = Field(None, description="also write surface normals in camera axes")
    proof_share: Fraction = Field(
        0.04, description="share of pictures in which one instance is rendered alone to prove its silhouette"
    )
    device: Literal["auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi"] = "cpu"


class LabelSection(Section):
    """Which rendered objects become annotations."""

    audit: bool = Field(True, description="check every id map against the silhouettes of its objects")
    segmentation: Literal["rle", "polygons"] = "rle"
    min_pixels: Count = Field(12, description="fewer visible pixels: no annotation")
    min_visible_fraction: Fraction = Field(0.02, description="less of the object visible: no annotation")
    crowd_pixels: Count = Field(100, description="fewer visible pixels: iscrowd, neither taught nor scored")
    crowd_visible_fraction: Fraction = Field(0.2, description="less of the object visible: iscrowd")


class RunSection(Section):
    name: Name = "quickstart"
    seed: Annotated[int, Field(ge=0)] = 0


class ModelSection(Section):
    """Mask R-CNN and where its weights come from."""

    weights: Annotated[str, Field(min_length=1)] = Field(
        "bundled",
        description="bundled: EfficientNet-Lite0 from its package; coco: torchvision's Mask R-CNN ResNet-50-FPN; "
        "none: random; or the path of a model.pt of ours",
    )
    weights_file: str | None = Field(None, description="for weights: coco, the file to use instead of the download")
    freeze_backbone: bool = True
    fpn_channels: Annotated[int, Field(ge=16, le=512)] = 128
    min_size: Annotated[int, Field(ge=32)] = Field(288, description="the shorter side is resized to this, in pixels")
    max_size: Annotated[int, Field(ge=32)] = 512
    rpn_proposals_train: Annotated[int, Field(ge=1)] = 900
    rpn_proposals_test: Annotated[int, Field(ge=1)] = 200
    sampled_boxes: Annotated[int, Field(ge=4)] = Field(128, description="boxes per picture that train the heads")
    score_threshold: Fraction = 0.05
    nms_iou: Fraction = Field(0.4, description="of two boxes of a class that overlap more, the better scored stays")
    detections: Annotated[int, Field(ge=1)] = 100


class AugmentSection(Section):
    """What happens to a picture at training time; probabilities and strengths."""

    flip: Fraction = 0.5
    scale: Range = Field((0.8, 1.5), description="random zoom: below 1 shrinks, above 1 crops")
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.3
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.3
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    white_balance: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="red and blue are multiplied by up to 1 + this, or divided by it"
    )
    vignette: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="light lost in the corners, at most")
    blur: Fraction = Field(0.2, description="probability of a Gaussian blur")
    motion_blur: Fraction = Field(0.1, description="probability of a blur along a line of 2 to 7 pixels")
    noise: Fraction = Field(0.3, description="probability of sensor noise: shot and read")
    jpeg: Fraction = Field(0.3, description="probability of JPEG artefacts, quality 50 to 95")


class TrainSection(Section):
    """The fine-tuning loop."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    iterations: Annotated[int, Field(ge=1)] = 460
    batch_size: Annotated[int, Field(ge=1)] = 2
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 7e-4
    momentum: Fraction = Field(0.9, description="for optimizer: sgd")
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_iterations: Count = 50
    gradient_clip: Annotated[float, Field(gt=0)] = 10.0
    workers: Count = Field(1, description="processes that read pictures; 0 reads in the loop")
    threads: Annotated[int, Field(ge=1)] = Field(2, description="processor threads of the training step")
    augment: AugmentSection = AugmentSection()


class Config(Section):
    """The whole file."""

    data: Data = Data()
    scene: SceneSection = SceneSection()
    camera: CameraSection = CameraSection()
    light: LightSection = LightSection()
    render: RenderSection = RenderSection()
    label: LabelSection = LabelSection()
    run: RunSection = RunSection()
    model: ModelSection = ModelSection()
    train: TrainSection = TrainSection()

    @property
    def picture_keys(self) -> list[str]:
        """The render settings that change pixels: all but the device."""
        return [f"render.{name}" for name in RenderSection.model_fields if name != "device"]

    def only(self, *keys: str) -> str:
        """Return these sections ("scene") or values ("data.seed") as one line of sorted JSON that `read` takes.

        It is what a stage depends on and nothing else, so that a change elsewhere runs nothing again.
        """
        chosen: dict[str, Any] = {}
        whole = self.model_dump(mode="json")
        for key in keys:
            section, _, name = key.partition(".")
            if name:
                chosen.setdefault(section, {})[name] = whole[section][name]
            else:
                chosen[section] = whole[section]
        return json.dumps(chosen, sort_keys=True)


def typed(value: Any) -> Any:
    """Give YAML types to the strings that `snakemake --config 'train={iterations: 5}'` delivers for nested values."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return yaml.safe_load(value) if isinstance(value, str) else value


def check(values: Any, source: str = "config") -> Config:
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
    if problem["type"] == "extra_forbidden":
        return f"{source}: {key}: unknown key; allowed here: {', '.join(_siblings(problem['loc']))}"
    message = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "pair [low, high]")
    return f"{source}: {key} = {problem['input']!r}: {message[0].lower()}{message[1:]}"


def _siblings(location: tuple) -> list[str]:
    """Return the keys that the section holding `location` knows."""
    model: type[BaseModel] = Config
    for part in location[:-1]:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def read(source: str | Path) -> Config:
    """Read a config from a YAML file, or from text when it begins with `{` (how the Snakefile hands over sections).

    Raises:
        ConfigError: no such file, no YAML, or a value that is not allowed.
    """
    inline = str(source).lstrip().startswith("{")
    try:
        text = str(source) if inline else Path(source).read_text()
        values = yaml.safe_load(text)
    except FileNotFoundError:
        raise ConfigError(f"{source}: no such config file") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {error}") from None
    return check(values or {}, "config" if inline else str(source))


def schema() -> str:
    """Return the JSON schema of the config as text that ends with a newline."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.config", description=__doc__)
    parser.add_argument("file", nargs="?", help="YAML file to check")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema")
    arguments = parser.parse_args()
    if arguments.schema:
        sys.stdout.write(schema())
        return 0
    if arguments.file is None:
        parser.error("name a YAML file, or ask for --schema")
    try:
        config = read(arguments.file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    yaml.safe_dump(config.model_dump(mode="json"), sys.stdout, sort_keys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
