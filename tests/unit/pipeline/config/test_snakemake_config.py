# SPDX-License-Identifier: Apache-2.0
"""Snakemake gets the config that `cariste config` gets: from files, and from the text of --config."""

import codecs
import json

import pytest

from pipeline.config.config import Config, ConfigError, read_config, validate
from pipeline.config.snakemake_command import check_command_line, problems
from pipeline.config.snakemake_config import read_snakemake_config

ANCHORS = """\
compare:
  a: &paths {annotations: '/x/site #2/a.json', images: "/x/it's a \\"hall\\""}
  b: *paths
  c: {<<: *paths, images: z}
train: {learning_rate: 1e-3, iterations: 1_000}
"""
FILES = {
    "row 1": "model: {freeze: [backbone.body.blocks.0, '*.bias']}\nrun: {name: '2024'}\n"
    "compare: {real: {images: '/x/site #2', annotations: a.json}}",
    "anchors": ANCHORS,
    "text": "run: {name: 'on'}\nstudy: {name: '1e3'}\ndata: {name: 'null'}\nrender: {denoise: off}\n",
    "windows": "run:\r\n  name: a\r\ncompare:\r\n  a: {annotations: 'C:\\x.json', images: '%TEMP%\\{x}'}\r\n",
    "colons": "compare: {a: {annotations: 's3://b/a.json', images: '12:30'}, '2024': {annotations: '~', images: '*'}}",
    "json": json.dumps({"run": {"name": "2024"}, "compare": {"a": {"annotations": "\u00fc #1", "images": "\\ud"}}}),
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["", "byte order mark"])
def test_a_file_is_the_same_config_for_snakemake_and_for_cariste(tmp_path, text, mark):
    path = tmp_path / "a.yaml"
    path.write_bytes(mark + text.encode())
    config = read_config(path)
    assert read_snakemake_config([path], []) == config != Config()


def test_a_text_in_a_file_stays_text(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(FILES["row 1"])
    config = read_snakemake_config([path], [])
    assert config.model.freeze == ["backbone.body.blocks.0", "*.bias"]
    assert config.run.name == "2024"
    assert config.compare["real"].images == "/x/site #2"


@pytest.mark.parametrize(
    ("entries", "values"),
    [
        (["train={iterations: 5}"], {"train": {"iterations": 5}}),
        (["train={'iterations': 5, \"batch_size\": 2}"], {"train": {"iterations": 5, "batch_size": 2}}),
        (["train={iterations: 5}", "train={batch_size: 2}"], {"train": {"iterations": 5, "batch_size": 2}}),
        (["train={learning_rate: 1e-3}"], {"train": {"learning_rate": 0.001}}),
        (["run={name: '2024'}"], {"run": {"name": "2024"}}),
        (["run={name: 2024_01}"], {"run": {"name": "2024_01"}}),
        (["run='{name: a}'"], {"run": {"name": "a"}}),
        (
            ["compare={a: {annotations: 'x=1 #2', images: \"b c\"}}"],
            {"compare": {"a": {"annotations": "x=1 #2", "images": "b c"}}},
        ),
        (["people="], {}),
        (["train={validation: null}"], {}),
    ],
    ids=str,
)
def test_only_the_text_of_an_override_is_given_a_type(entries, values):
    assert read_snakemake_config([], entries) == validate(values)


def test_later_files_and_overrides_change_single_keys(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.json"
    first.write_text("train: {iterations: 5, batch_size: 2, validation: {every: 3}}\npeople: {count: 3}\n")
    second.write_text('{"train": {"iterations": 6, "validation": null}, "people": null}')
    config = read_snakemake_config([first, second], ["train={threads: 3}"])
    assert config == validate(
        {"train": {"iterations": 6, "batch_size": 2, "threads": 3}, "people": {"count": 3}},
    )


def test_each_problem_names_the_file_that_has_it(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("train:\n  iterations: 0\nrun: {name: a}\n")
    second.write_text("# mine\ndata:\n  seed: -1\n")
    with pytest.raises(ConfigError) as refused:
        read_snakemake_config([first, second], ["run={seed: x}", "goods={fill: 3}"])
    assert str(refused.value).splitlines() == [
        f"{second}, line 3: data.seed = -1: must be at least 0",
        "--config goods: goods.fill = 3: must lie within 0 and 1",
        "--config run: run.seed = 'x': must be a whole number",
        f"{first}, line 2: train.iterations = 0: must be at least 1",
    ]


@pytest.mark.parametrize(
    "entry", ["train={iterations: [}", "train={a: 1, a: 2}", "train={iterations: !x 5}", "train=5"]
)
def test_an_override_that_cannot_be_read_is_one_line(entry):
    with pytest.raises(ConfigError, match=r"^--config train.*: [^\n]*$"):
        read_snakemake_config([], [entry])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--configfile", "GOOD"], None),
        (["train", "--configfile", "GOOD", "GOOD", "-j4", "--config", "train={iterations: 5}", "run={}"], None),
        (["-n", "--configfiles", "GOOD", "--", "train"], None),
        (["--configfile"], None),  # Snakemake says it
        (["train", "--configfile", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--configfile", "GOOD", "train"], "train: no such file; if it is a target, name it before --configfile"),
        (["--configfile", "FOLDER"], "is a folder"),
        (["--configfile", "EMPTY"], "has no keys; write {} for all defaults"),
        (["--configfile", "LIST"], "must be keys with values"),
        (["--configfile", "UTF16"], "is in UTF-16"),
        (["--configfile", "CODE"], "__use_yte__"),
        (["--configfile", "GOOD", "-n", "--configfile", "GOOD"], "--configfile is given 2 times"),
        (["--config", "run={}", "--config", "data={}"], "--config is given 2 times"),
        (["--config", "train.iterations=5"], "such as 'train={iterations: 5}'"),
        (["--config", "train.validation.every=5"], "such as 'train={validation: {every: 5}}'"),
        (["-C", "train"], "write section={key: value}"),
    ],
)
def test_the_command_line_is_checked_before_snakemake_reads_it(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    contents = {"GOOD": b"run: {name: a}", "EMPTY": b"# nothing", "LIST": b"- a", "CODE": b"__use_yte__: true"}
    for name, content in {**contents, "UTF16": "a: 1".encode("utf-16")}.items():
        (tmp_path / f"{name}.yaml").write_bytes(content)
    (tmp_path / "FOLDER.yaml").mkdir()
    names = {*contents, "UTF16", "FOLDER"}
    found = problems([f"{each}.yaml" if each in names else each for each in arguments])
    assert found == [] if said is None else said in found[0]
    assert len(found) <= 1


def test_a_wrong_command_line_ends_with_exit_code_2(capsys):
    with pytest.raises(SystemExit) as ended:
        check_command_line(["-n", "--configfile", "/nowhere.yaml"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "/nowhere.yaml: no such file\n"
