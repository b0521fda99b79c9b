# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a config: it is taken as it is meant, or there is one line for each wrong key, in plain words."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.validation_messages import MAX_LINES
from pipeline.common.yaml_files import YamlError, dump_yaml, parse_yaml
from pipeline.config.config import ConfigError, read_config, validate
from tests.helpers.paths import CONFIGS
from tests.helpers.search import examples


def refusal_of(text: str) -> str:
    """Return the message about a config in YAML."""
    with pytest.raises(ConfigError) as refused:
        validate(parse_yaml(text, "config").values)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Near names, of keys and of values.
        ("train: {learning_rat: 1}", "train.learning_rat: unknown key; did you mean learning_rate?"),
        ("Train: {}", "Train: unknown key; did you mean train?"),
        ("train: {validation: {evry: 3}}", "train.validation.evry: unknown key; did you mean every?"),
        ("study: {backbones: {a: {wights: x}}}", "study.backbones.a.wights: unknown key; did you mean weights?"),
        ("render: {device: cudda}", "oneapi; did you mean cuda?"),
        ("render: {view_transform: agx}", "must be AgX, Filmic or Standard; did you mean AgX?"),
        ("data:\n  images:5", "data = 'images:5': must be keys with values, indented below it; write `key: value`"),
        ("layout: {kinds: {dck: 1}}", "layout.kinds.dck: unknown name; did you mean dock?"),
        ("model: {freeze: bakbone}", "did you mean backbone?"),
        ("model: {backbone: resnet_50}", "model.backbone = 'resnet_50': unknown; did you mean resnet50?"),
        ("model: {backbone: timm/TF-EfficientNet-Lite0}", "did you mean tf_efficientnet_lite0?"),
        ("study: {backbones: {ResNet-18: none}}", "did you mean resnet18?"),
        ("train: {iterations=5}", "unknown key; write `iterations: 5`, with a blank behind the colon"),
        ("train: {iterations:5}", "unknown key; write `iterations: 5`, with a blank behind the colon"),
        # Names of other tools, and names that are short.
        ("train: {lr: 1}", "train.lr: unknown key; did you mean learning_rate?"),
        ("train: {wd: 0.1}", "train.wd: unknown key; did you mean weight_decay?"),
        ("train: {batch: 4}", "train.batch: unknown key; did you mean batch_size?"),
        ("camera: {fov: 90}", "camera.fov: unknown key; did you mean fov_deg?"),
        ("train.batch_size: 4", "train.batch_size: unknown key; write train: {batch_size: ..}"),
        ("train.augment.blur: 0", "train.augment.blur: unknown key; write train: {augment: {blur: ..}}"),
        # Sections.
        (
            "train: {validation: false}",
            "train.validation = false: must be keys with values, indented below it, or null",
        ),
        (
            "compare: {images: x}",
            "; images belongs below a name of your choice: compare: {NAME: {",
        ),
        (
            "train: {sources: {annotations: x}}",
            "annotations belongs below a name of your choice: train.sources: {NAME: ",
        ),
        # Keys of another section.
        ("learning_rate: 1", "learning_rate: unknown key here; did you mean train.learning_rate?"),
        ("data: {iterations: 5}", "did you mean train.iterations or study.iterations?"),
        ("train: {copy_paste: 1}", "train.copy_paste: unknown key here; did you mean train.augment.copy_paste?"),
        ("run: {zzz: 5}", "run.zzz: unknown key; allowed here: name, seed"),
        # Numbers.
        ("people: {women: yes}", "people.women = 'yes': must be a number"),
        ("people: {women: true}", "people.women = true: must be a number"),
        ("camera: {width: true}", "camera.width = true: must be a whole number"),
        ("layout: {kinds: {aisle: yes}}", "layout.kinds.aisle = 'yes': must be a number"),
        ("camera: {focus_m: 10 m}", "must be a number, or a pair [low, high] of numbers without a unit"),
        ("camera: {width: 960px}", "must be a whole number without a unit"),
        ("people: {women: 50%}", "must be a number; write 0.5"),
        ("data: {images: '5,000'}", "data.images = '5,000': must be a whole number; write 5000"),
        ('data: {images: "5\'000"}', "must be a whole number; write 5000"),
        ("data: {images: 12 000}", "must be a whole number; write 12000"),
        ("data: {images: 5.000}", "data.images = 5.000: unclear; write 5000, or 5"),
        ("data: {images: '1.000.000'}", "unclear; write 1000000, or 1"),
        ("people: {count: [1.000, 2]}", "unclear; write 1000, or 1"),
        ("people: {women: 1/4}", "must be a number; write 0.25"),
        ("camera: {distortion: [–0.3, 0]}", "must be a number, or a pair [low, high] of numbers; write -0.3"),
        ("light: {exposure_ev: −1}", "write -1"),
        ("camera: {width: 640x480}", "must be a whole number; it is a single number"),
        ("people: {women: '0,5'}", "must be a number; write 0.5"),
        ("people: {women: .nan}", "must be a number, and finite"),
        ("people: {women: -.inf}", "must be a number, and finite"),
        ("train: {learning_rate: 1e999}", "must be a number, and finite"),
        (f"data: {{seed: {2**70}}}", "is too large; the largest number is 9223372036854775807"),
        (f"data: {{seed: {'9' * 5000}}}", "is too large"),
        (f"people: {{women: {10**400}}}", "is too large"),
        ("data: {images: 1.5}", "data.images = 1.5: must be a whole number"),
        ("data: {images: [5]}", "data.images = [5]: must be a whole number"),
        (
            "data: {images: 1000000000}",
            "data: 1000000000 images in shards of 50 are 20000000 shards, but at most 100000",
        ),
        ("train: {learning_rate: 0}", "must be above 0"),
        ("train: {workers: autos}", "train.workers = 'autos': must be auto or a whole number, 0 or more"),
        # Ranges.
        ("people: {count: [3, 1]}", "the low end 3 is above the high end 1; write [1, 3]"),
        ("people: {count: [1]}", "or a pair [low, high] of whole numbers; this list has 1"),
        ("people: {count: 1-3}", "; a range is [low, high]"),
        ("people: {count: {low: 1, high: 3}}", "people.count: must be a whole number, or a pair"),
        ("people: {count: [0, 1000000]}", "must lie within 0 and 1000"),
        ("camera: {fov_deg: [5, 500]}", "camera.fov_deg = [5, 500]: must lie within 10 and 150"),
        # Sections, lists, texts, switches.
        ("people: yes", "people = 'yes': must be keys with values, indented below it"),
        ("people: {count: }", "people.count: has no value"),
        ("layout: {kinds: }", "layout.kinds: has no value"),
        ("layout: {kinds: [aisle]}", "layout.kinds = ['aisle']: must be names with values"),
        ("model: {unfreeze: {epoch: 1}}", "model.unfreeze: must be a list"),
        ("study: {seeds: 1}", "study.seeds = 1: must be a list"),
        ("run: {name: 1.10}", "run.name = 1.1: must be text: put it in quotes"),
        ("run: {name: true}", "run.name = true: must be text: put it in quotes"),
        ("run: {name: [a]}", "must be text"),
        ("run: {name: ../a}", "may contain only letters from a to z, digits"),
        ('run: {name: "a\\n"}', "contains a line break or a control character"),
        ("render: {denoise: 1}", "render.denoise = 1: must be true or false"),
        ("render: {denoise: maybe}", "must be true or false"),
        ("render: {depth: none}", "render.depth = 'none': must be png, exr or null"),
        ("compare: {a: {images: x}}", "compare.a.annotations: is missing"),
        # What does not fit together.
        ("model: {backbone: resnet18}", "weights: coco is only for maskrcnn_resnet50_fpn"),
        ("model: {backbone: resnet18, weights: bundled}", "weights: bundled is only for tf_efficientnet_lite0"),
        ("model: {weights: none, weights_file: a.pth}", "weights_file is for weights: coco"),
        ("study: {backbones: {resnet18: coco}}", "backbones.resnet18: weights: coco is only for"),
        ("study: {policies: {a: {freeze: 1, rate_factors: {x: 1}}}}", "study.policies.a: rate_factors.x: unknown key"),
        ("study: {policies: {a: [1, [2]]}}", "study.policies.a = [1, [2]]: must be backbone"),
        (
            "compare: {test: {annotations: a, images: a}}",
            "compare.test: the test split of the rendered set has this name",
        ),
        (
            "data: {name: a}\ncompare: {a: {annotations: a, images: a}}",
            "compare.a: the rendered set has this name; choose another one",
        ),
        ("[data]", "the file = ['data']: must be keys with values"),
    ],
    ids=lambda value: value[:40],
)
def test_a_wrong_value_is_one_line(text, said):
    message = refusal_of(text)
    assert said in message
    assert "\n" not in message
    assert message.startswith("config: ")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("train: {learning_rate: 1e-3}", {"train": {"learning_rate": 0.001}}),
        ("data: {images: 1_000, seed: '5', shard_size: 5e1}", {"data": {"images": 1000, "seed": 5}}),
        ("data: {seed: 0x1F}", {"data": {"seed": 31}}),
        ("data: {seed: 0o17}", {"data": {"seed": 15}}),
        ("data: {seed: 007}", {"data": {"seed": 7}}),
        ("render: {denoise: off, audit: }", None),
        ("render: {denoise: off}", {"render": {"denoise": False}}),
        ("render: {denoise: No}", {"render": {"denoise": False}}),
        ("run: {name: 2024}", {"run": {"name": "2024"}}),
        ("run: {name: 2024_01}", {"run": {"name": "2024_01"}}),
        ("run: {name: 2024-01-31}", {"run": {"name": "2024-01-31"}}),
        ("run: {name: 0o17}", {"run": {"name": "0o17"}}),
        ("run: {name: no}", {"run": {"name": "no"}}),
        ("people: {women: -0.0}", {"people": {"women": 0}}),
        ("people: {count: 2.0}", {"people": {"count": [2, 2]}}),
        ("people:", {}),
        ("people: {clothing: }", {}),
        ("compare:\ntrain: {sources: }", {}),
        (
            "compare: {2024: {annotations: 5, images: '/x/site #2'}}",
            {"compare": {"2024": {"annotations": "5", "images": "/x/site #2"}}},
        ),
        (
            "model: {freeze: [backbone.body.blocks.0, '*.bias']}",
            {"model": {"freeze": ["backbone.body.blocks.0", "*.bias"]}},
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_clear_is_accepted(text, same):
    values = parse_yaml(text, "config").values
    if same is None:
        with pytest.raises(ConfigError, match=r"render\.audit"):
            validate(values)
    else:
        assert validate(values) == validate(same)


def test_many_problems_are_ten_lines_and_a_count():
    lines = refusal_of("\n".join(f"wrong_key_{number}: 1" for number in range(25))).splitlines()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "and 15 more"


def test_every_line_names_the_file_and_the_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("data:\n  images: 0\ntrain:\n\n  learning_rat: 1\ncompare:\n  hall:\n    images: a\n")
    with pytest.raises(ConfigError) as refused:
        read_config(path)
    assert str(refused.value).splitlines() == [
        f"{path}, line 2: data.images = 0: must be at least 1",
        f"{path}, line 7: compare.hall.annotations: is missing",
        f"{path}, line 5: train.learning_rat: unknown key; did you mean learning_rate?",
    ]


FULL = validate(
    {
        "compare": {"hall": {"annotations": "a.json", "images": "a"}},
        "model": {"unfreeze": [{"epoch": 1, "parameters": ["rpn"]}]},
        "train": {
            "validation": {"dataset": {"annotations": "a.json", "images": "a"}},
            "sources": {"hall": {"annotations": "a.json", "images": "a", "share": 0.5}},
        },
    }
).model_dump(mode="json")


def paths_of(value: Any, above: tuple = ()) -> Iterator[tuple]:
    """Yield the paths of all keys and list entries."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*above, key)
        yield from paths_of(item, (*above, key))


def with_value(path: tuple, value: Any) -> dict[str, Any]:
    """Return the section that has a path, with another value there."""
    changed = {path[0]: json.loads(json.dumps(FULL[path[0]]))}
    section: Any = changed
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return changed


ALL_PATHS = list(paths_of(FULL))
JARGON = re.compile(
    r"[Ii]nput should|valid (integer|string|number|dictionary|list|tuple)|Value error|pydantic|NoneType"
)
WEIRD = (None, True, "yes", "", "10 m", float("nan"), float("inf"), 2**70, -1, 1.5, [], [1], {}, {"a": 1}, [[{"x": 1}]])


@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_every_key_with_a_weird_value_is_accepted_or_one_line_in_plain_words(value):
    """In particular, the types of a union do not each give a line."""
    assert len(ALL_PATHS) > 150
    for path in ALL_PATHS:
        try:
            validate(with_value(path, value))
        except ConfigError as refused:
            lines = str(refused).splitlines()
            # Instead of a section, {} lacks all its keys.
            assert len(lines) == 1 or (isinstance(value, dict) and "is missing" in lines[0]) or value is None
            assert not JARGON.search(str(refused)), (path, lines)  # noqa: PT017


SCALARS = (
    st.sampled_from(
        [*WEIRD, "1e-3", "50%", "0,5", "[1, 2]", "auto", "none", "null", "\u00a0", "a\0b", "~/x", "x" * 200]
    )
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
CHANGES = st.dictionaries(st.sampled_from(ALL_PATHS), VALUES, min_size=1, max_size=4)


def changed_document(changes: dict[tuple, Any], misspelled: str) -> dict[str, Any]:
    """Return the full config with values replaced where the path still exists, and with a key that is not known."""
    document = json.loads(json.dumps(FULL))
    for path, value in changes.items():
        section = document
        for key in path[:-1]:
            section = section[key] if isinstance(section, dict | list) and key in dict(_entries(section)) else None
        if isinstance(section, dict) or (isinstance(section, list) and path[-1] in range(len(section))):
            section[path[-1]] = value
    if misspelled:
        document[misspelled] = 1
    return document


def _entries(section: dict | list) -> Iterator[tuple]:
    return iter(section.items() if isinstance(section, dict) else enumerate(section))


@settings(max_examples=examples(500))
@given(CHANGES, st.sampled_from(["", "trian", "learning_rate", "zzz", "on"]))
def test_any_document_is_a_config_or_an_error_with_one_line_for_each_wrong_key(changes, misspelled):
    started = time.monotonic()
    document = changed_document(changes, misspelled)
    try:
        config = validate(document)
    except ConfigError as refused:
        lines = str(refused).splitlines()
        assert all(line.startswith("config: ") for line in lines[:MAX_LINES])
        assert len({line.partition(" = ")[0] for line in lines}) == len(lines) <= MAX_LINES + 1
        assert not JARGON.search(str(refused))  # noqa: PT017
    else:
        assert read_config(config.as_text()) == config
        assert validate(parse_yaml(dump_yaml(config.model_dump(mode="json")), "printed").values) == config
    assert time.monotonic() - started < 10


QUICKSTART = (CONFIGS / "quickstart.yaml").read_text()
TEXT_CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 6),
        st.text(max_size=4) | st.sampled_from(["\t", "- ", "{", "'", "&a ", "*a", "!!", ": ", "\n"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(500))
@given(TEXT_CHANGES)
def test_a_damaged_file_is_a_config_or_an_error_without_traceback(changes):
    text = QUICKSTART
    for place, removed, inserted in changes:
        text = text[: place % len(text)] + inserted + text[place % len(text) + removed :]
    try:
        validate(parse_yaml(text, "config").values)
    except (ConfigError, YamlError) as refused:
        assert 1 <= len(str(refused).splitlines()) <= MAX_LINES + 1  # noqa: PT017
