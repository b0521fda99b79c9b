# SPDX-License-Identifier: Apache-2.0
"""The part of a config that each stage gets, and that it refuses to take a part of it for the whole."""

import json

import pytest

from pipeline.config.config import Config, ConfigError, read_config, validate
from pipeline.config.stages import (
    DistributionConfig,
    LabelConfig,
    ReportConfig,
    SampleConfig,
    StageConfig,
    StudyConfig,
    TrainConfig,
    read_stage_config,
)

STAGES = (DistributionConfig, LabelConfig, ReportConfig, SampleConfig, StudyConfig, TrainConfig)
OTHER = {
    "data": {"seed": 11, "images": 5},
    "people": {"count": [0, 3]},
    "trucks": {"electric": 0.2},
    "camera": {"fov_deg": 50},
    "render": {"samples": 3, "device": "auto"},
    "label": {"min_pixels": 3},
    "compare": {"hall": {"annotations": "a.json", "images": "i"}},
    "run": {"seed": 4, "name": "other"},
    "model": {"freeze": {"all_but_last": 5}, "unfreeze": [{"epoch": 1, "keep_frozen": "none"}]},
    "train": {"iterations": 3, "validation": {"every": 2}},
    "study": {"seeds": [5]},
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_text_of_a_stage_is_read_back_unchanged(stage: type[StageConfig]):
    part = stage.from_config(validate(OTHER))
    assert read_stage_config(stage, part.as_text()) == part
    assert json.loads(part.as_text()) == part.model_dump(mode="json")


@pytest.mark.parametrize("stage", STAGES)
def test_every_value_of_a_stage_is_that_of_the_config(stage: type[StageConfig]):
    whole = validate(OTHER).model_dump(mode="json")
    for section, values in stage.from_config(validate(OTHER)).model_dump(mode="json").items():
        assert values.items() <= whole[section].items()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_its_part_of_a_whole_file(stage: type[StageConfig], tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(OTHER))  # JSON is YAML
    assert read_stage_config(stage, path) == stage.from_config(read_config(path))


@pytest.mark.parametrize("stage", STAGES)
def test_text_that_lacks_a_section_or_a_key_is_refused(stage: type[StageConfig]):
    for section, values in json.loads(stage.from_config(validate(OTHER)).as_text()).items():
        given = json.loads(stage.from_config(validate(OTHER)).as_text())
        del given[section]
        with pytest.raises(ConfigError, match=f"the text lacks {section}"):
            read_stage_config(stage, json.dumps(given))
        if section != "compare":
            key = next(iter(values))
            given[section] = {name: value for name, value in values.items() if name != key}
            with pytest.raises(ConfigError, match=rf"the text lacks {section}(\.{key})?[;,]"):
                read_stage_config(stage, json.dumps(given))


def test_a_key_that_is_missing_inside_a_section_is_named_with_its_path():
    given = json.loads(TrainConfig.from_config(validate(OTHER)).as_text())
    del given["train"]["augment"]["flip"], given["train"]["validation"]["patience"]
    with pytest.raises(ConfigError, match=r"lacks train\.validation\.patience, train\.augment\.flip;"):
        read_stage_config(TrainConfig, json.dumps(given))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_cannot_read_a_section_that_it_was_not_given(stage: type[StageConfig]):
    part = stage.from_config(validate(OTHER))
    for section in Config.model_fields.keys() - stage.model_fields.keys():
        with pytest.raises(AttributeError):
            getattr(part, section)


@pytest.mark.parametrize(
    ("stage", "change", "depends"),
    [
        (SampleConfig, {"render": {"device": "cuda"}}, False),
        (SampleConfig, {"data": {"images": 50}}, False),
        (SampleConfig, {"goods": {"fill": 0.1}}, True),
        (LabelConfig, {"render": {"samples": 9}}, False),
        (TrainConfig, {"run": {"name": "b"}}, False),
        (TrainConfig, {"run": {"seed": 9}}, True),
        (ReportConfig, {"study": {"name": "b"}}, False),
    ],
)
def test_the_text_changes_with_what_a_stage_depends_on_and_with_nothing_else(stage, change, depends):
    assert (stage.from_config(validate(change)) != stage.from_config(Config())) == depends


@pytest.mark.parametrize(("weights", "rate"), [("coco", 0.1), ("none", 1), ("my.pth", 0.1)])
def test_a_pretrained_backbone_learns_more_slowly_by_default(weights, rate):
    config = TrainConfig.from_config(Config(model={"weights": weights}))
    factors = config.with_backbone_rate().train.rate_factors
    assert (factors.heads, factors.fpn, factors.backbone) == (1, 1, rate)
    chosen = TrainConfig.from_config(Config(model={"weights": weights}, train={"rate_factors": {"backbone": 0.5}}))
    assert chosen.with_backbone_rate() == chosen
