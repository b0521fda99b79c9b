# SPDX-License-Identifier: Apache-2.0

import pytest

from pipeline.config.config import Config, ConfigError, read_config, schema, validate
from pipeline.config.data_set import SplitSection
from tests.helpers.commands import start_cariste
from tests.helpers.paths import CONFIGS


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"scenes": {}}, "config: scenes: unknown key here; did you mean light.scenes?"),
        ({"people": {"cuont": [0, 1]}}, "config: people.cuont: unknown key; did you mean count?"),
        ({"train": {"augment": {"flop": 1}}}, "config: train.augment.flop: unknown key; did you mean flip?"),
        ({"goods": {"fill": 2}}, "config: goods.fill = 2: must lie within 0 and 1"),
        ({"data": {"seed": -1}}, "config: data.seed = -1: must be at least 0"),
        (
            {"data": {"name": "a/b"}},
            "config: data.name = 'a/b': may contain only letters from a to z, digits, _, . and -",
        ),
        (
            {"render": {"device": "gpu"}},
            "config: render.device = 'gpu': must be auto, cpu, cuda, optix, hip, metal or oneapi",
        ),
        (
            {"camera": {"rigs": {"drone": 1}}},
            "config: camera.rigs.drone: unknown name; known: robot, handheld, ceiling or forklift_mast",
        ),
        (
            {"camera": {"aperture_f": "wide"}},
            "config: camera.aperture_f = 'wide': must be a number, or a pair [low, high] of numbers",
        ),
        ({"camera": {"fov_deg": {"robot": [5, 60]}}}, "config: camera.fov_deg.robot = [5, 60]: must lie within 10"),
        ({"light": {"power": [0, 1]}}, "config: light.power = [0, 1]: must lie within 0.01 and 100"),
        (
            {"people": {"count": [3, 1]}},
            "config: people.count = [3, 1]: the low end 3 is above the high end 1; write [1, 3]",
        ),
        (
            {"layout": {"kinds": {"aisle": 0}}},
            "config: layout.kinds: at least one share must be above",
        ),
        (
            {"compare": {"street": {"annotations": "a.json", "images": "a", "mask": "b"}}},
            "config: compare.street.mask: unknown key; allowed here: annotations, images",
        ),
        ({"compare": {"street": {"images": "a"}}}, "config: compare.street.annotations: is missing"),
        ({"model": {"freeze": "body"}}, "config: model.freeze = 'body': must be backbone, heads_only, none, a number"),
        ({"model": {"freeze": True}}, "config: model.freeze = true: must be backbone"),
        ({"model": {"freeze": {"all_but_last": 0}}}, "config: model.freeze: must be backbone"),
        ({"model": {"freeze": []}}, "config: model.freeze = []: must be backbone"),
        (
            {"model": {"freeze_backbone": True}},
            "config: model.freeze_backbone: unknown key; allowed here: backbone, weights, ",
        ),
        (
            {"model": {"unfreeze": [{"epoch": 1, "keep_frozen": -1}]}},
            "config: model.unfreeze.0.keep_frozen = -1: must be backbone",
        ),
        (
            {"model": {"unfreeze": [{"epoch": 1, "wat": ["rpn"]}]}},
            "config: model.unfreeze.0.wat: unknown key; allowed here: epoch, iteration, run_fraction, parameters, ",
        ),
        (
            {"model": {"unfreeze": [{"epoch": 1, "iteration": 5, "keep_frozen": 1}]}},
            "config: model.unfreeze.0: no single moment: give one of",
        ),
        ({"model": {"unfreeze": [{"epoch": 1}]}}, "config: model.unfreeze.0: give either parameters"),
        ([], "config: the file = []: must be keys with values"),
    ],
)
def test_error_names_key_value_and_what_is_allowed(values, said):
    with pytest.raises(ConfigError) as raised:
        validate(values)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_each_wrong_key_has_its_line():
    with pytest.raises(ConfigError) as raised:
        validate({"goods": {"fill": 2}, "data": {"seed": "x"}})
    assert [line.split(" = ")[0] for line in str(raised.value).splitlines()] == [
        "config: data.seed",
        "config: goods.fill",
    ]


def test_missing_file_and_broken_yaml_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file"):
        read_config(tmp_path / "nowhere.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("scene: [1,")
    with pytest.raises(ConfigError, match=r"broken\.yaml, line 1: not YAML"):
        read_config(broken)


def test_inline_text_is_read_like_a_file(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("data:\n  seed: 3\n")
    assert read_config(path) == read_config('{"data": {"seed": 3}}') == Config(data={"seed": 3})


def test_a_number_is_a_range_of_its_own_and_a_view_that_of_every_rig():
    config = Config(goods={"fill": 0.25}, people={"count": 2}, camera={"aperture_f": 2, "fov_deg": [40, 50]})
    assert (config.goods.fill, config.people.count, config.camera.aperture_f) == ((0.25, 0.25), (2, 2), (2, 2))
    assert set(config.camera.fov_deg.model_dump().values()) == {(40, 50)}


@pytest.mark.parametrize("freeze", ["backbone", "heads_only", "none", 0, 3, {"all_but_last": 5}, ["rpn", "*.bias"]])
def test_a_freezing_policy_is_read_back_as_it_was_written(freeze):
    step = {"run_fraction": 0.5, "keep_frozen": freeze, "learning_rate_factor": 0.1}
    model = validate({"model": {"freeze": freeze, "unfreeze": [step]}})
    dumped = model.model_dump(mode="json")["model"]
    assert dumped["freeze"] == freeze
    assert {key: value for key, value in dumped["unfreeze"][0].items() if value is not None} == step
    assert read_config(model.as_text()).model == model.model


def test_committed_schema_and_configs_are_up_to_date():
    assert (CONFIGS / "schema.json").read_text() == schema()
    for path in CONFIGS.glob("*.yaml"):
        read_config(path)


def test_command_prints_one_line_and_fails():
    done = start_cariste("config", "/nowhere.yaml")
    assert (done.exit_code, done.stderr) == (2, "/nowhere.yaml: no such file\n")


def test_growth_moves_no_image_to_another_split():
    split = SplitSection(train=3, val=1, test=2)
    names = [split.of(index) for index in range(12)]
    assert names == ["train", "train", "train", "val", "test", "test"] * 2


def test_the_order_of_shares_in_a_file_changes_nothing():
    """Random choices go through the shares in order: a file, its text for Snakemake and the defaults must agree."""
    kinds = {"staging": 0.5, "aisle": 0.3, "dock": 0.2}
    one = validate({"layout": {"kinds": kinds}}).layout.kinds
    other = validate({"layout": {"kinds": dict(reversed(kinds.items()))}}).layout.kinds
    assert list(one.items()) == list(other.items())
    defaults = validate({}).camera.rigs
    assert list(defaults) == sorted(defaults)
