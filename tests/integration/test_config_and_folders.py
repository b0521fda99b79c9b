# SPDX-License-Identifier: Apache-2.0
"""Snakemake with configs, paths and folders of any name: a run, or one line before anything starts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import snakemake_runs
from tests.helpers.paths import ROOT
from tests.helpers.snakemake_runs import planned_inputs, snakemake

ODD_NAME = 'it\'s a "test" #1 $HOME (b) & ü 50% {x}'
SMALL_SET = {"data": {"name": "odd", "images": 2, "shard_size": 1, "split": {"train": 1, "val": 1, "test": 1}}}
STAGED = "results/data/odd/scenes/00000.jsonl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("odd") / ODD_NAME


@pytest.fixture(scope="module")
def checkout(folder) -> Path:
    """A copy of the repository in a folder with an odd name, without Blender."""
    folder.mkdir()
    for name in ("Snakefile", "pipeline", "profiles", "rules", "configs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "assets").mkdir()
    shutil.copy(ROOT / "assets/catalogue.yaml", folder / "assets")
    (folder / "a config.json").write_text(json.dumps(SMALL_SET))
    return folder


def run_in(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--configfile", "a config.json"],
        capture_output=True,
        text=True,
        env=snakemake_runs.environment(checkout),
        cwd=checkout,
        check=False,
    )


def test_the_repository_may_lie_in_a_folder_of_any_name(checkout):
    run = run_in(checkout, "-j1", STAGED)
    assert run.returncode == 0, run.stdout + run.stderr
    assert len((checkout / STAGED).read_text().splitlines()) == 1
    planned = run_in(checkout, "-n", "train", "dataset")
    assert planned.returncode == 0, planned.stdout + planned.stderr


def test_results_may_be_written_into_a_folder_of_any_name(tmp_path):
    folder = tmp_path / ODD_NAME
    config = snakemake_runs.write_config(tmp_path / "it's #1.json", **SMALL_SET)
    run = snakemake("-j1", STAGED, "--configfile", str(config), folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (folder / STAGED).is_file()


def test_paths_and_texts_of_a_config_file_reach_the_rules_unchanged(tmp_path):
    images = tmp_path / 'it\'s a "hall" #2 $x'
    images.mkdir()
    Image.new("RGB", (64, 48)).save(images / "a.png")
    annotations = tmp_path / "ä & b.json"
    coco = {"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}], "annotations": []}
    annotations.write_text(json.dumps({**coco, "categories": [{"id": 1, "name": "pedestrian"}]}))
    config = tmp_path / "mine.yaml"
    config.write_text(
        "data: {images: 1_0, shard_size: 1e1}\nrun: {name: '2024'}\n"
        "model: {freeze: [backbone.body.blocks.0, '*.bias']}\n"
        f"compare: {{hall: {json.dumps({'annotations': str(annotations), 'images': str(images)})}}}\n"
    )
    inputs = planned_inputs("dataset", "train", "--configfile", str(config), folder=tmp_path)
    assert {str(annotations), str(images)} <= inputs["distribution"]
    assert "results/runs/2024/model.pt" in inputs["predict"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("run: {name: a}".encode("utf-16"), "is in UTF-16"),
        (b"people: {women: yes}", "line 1: people.women = 'yes': must be a number"),
        (b"compare: {a: {annotations: /no/a.json, images: /no}}", "compare.a.images = /no: no such folder"),
    ],
    ids=["unreadable", "wrong value", "missing input"],
)
def test_what_is_wrong_is_said_by_the_plan_without_a_traceback(tmp_path, content, said):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    run = snakemake("-n", "train", "--configfile", str(path), folder=tmp_path / "run")
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert not (tmp_path / "run/results").exists()


def test_make_shows_the_errors_of_snakemake_and_nothing_else(tmp_path, monkeypatch):
    """With `--quiet all`, a run that a killed one left locked would end without a word."""
    (flags,) = re.findall(r"^SNAKEMAKE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    setting, quietness = re.fullmatch(r"(\S+)=1 \S+ -m snakemake (--quiet [a-z ]+) -j\$\(JOBS\)", flags).groups()
    monkeypatch.setenv(setting, "1")
    run = snakemake(*quietness.split(), "-j1", "--", "no_such_target", folder=tmp_path)
    assert run.returncode == 1
    lines = (run.stdout + run.stderr).splitlines()
    assert "MissingRuleException:" in lines
    assert len(lines) <= 3, lines
