# SPDX-License-Identifier: Apache-2.0
"""The whole road in Snakemake, on configs/ci.yaml: real renders, real training, a real page."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from pipeline.config.config import read_config
from pipeline.config.stages import SampleConfig
from tests.helpers.paths import ROOT
from tests.helpers.snakemake_runs import planned, snakemake

KNOWN_LINT = "Specify a conda environment or container for each rule."


def test_lint_finds_nothing_but_the_wish_for_a_container():
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint", "-s", str(ROOT / "Snakefile")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    found = [line.strip(" *:") for line in (run.stdout + run.stderr).splitlines() if line.strip().startswith("*")]
    assert found, run.stdout + run.stderr
    assert {line.rstrip(":") for line in found} == {KNOWN_LINT}


def test_a_wrong_config_starts_nothing_and_names_the_key(tmp_path):
    run = snakemake("-n", "train", "--config", "train={iterations: 0}", folder=tmp_path)
    assert run.returncode != 0
    assert "train.iterations = 0: input should be greater than or equal to 1" in run.stdout + run.stderr


@pytest.mark.skipif(sys.platform == "darwin", reason="has what is asked for")
def test_a_job_that_fails_is_said_to_fail(tmp_path):
    change = ("--configfile", "configs/ci.yaml", "--config", "render={device: metal}")
    run = snakemake("dataset", "-j1", *change, folder=tmp_path)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "render.device = metal: Cycles finds no such GPU here" in said
    assert "non-zero exit status" in said
    assert "MissingOutputException" not in said, "its exit status is lost on the way through tee"


def test_export_needs_a_model_and_nothing_after_it_and_training_does_not_need_it(tmp_path):
    jobs = planned("export", "--configfile", "configs/ci.yaml", folder=tmp_path)
    assert jobs["export"] == jobs["train_model"] == 1
    assert not {"predict", "evaluate", "report"} & set(jobs)
    run = snakemake("results/runs/ci/model.onnx", "-n", "--configfile", "configs/ci.yaml", folder=tmp_path)
    assert "rule export:" in run.stdout + run.stderr
    assert "export" not in planned("train", "--configfile", "configs/ci.yaml", folder=tmp_path)


@pytest.fixture(scope="module")
def road(tmp_path_factory) -> Path:
    """A folder in which `snakemake train` has run on configs/ci.yaml."""
    folder = tmp_path_factory.mktemp("road")
    run = snakemake("train", "-j2", "--configfile", "configs/ci.yaml", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_everything_lands_where_the_readme_says(road):
    data, run = road / "results/data/ci", road / "results/runs/ci"
    for split, images in (("train", 4), ("val", 1), ("test", 1)):
        coco = json.loads((data / "annotations" / f"{split}.json").read_text())
        assert len(coco["images"]) == images
        assert all((data / image["file_name"]).is_file() for image in coco["images"])
        assert [category["name"] for category in coco["categories"]] == ["pedestrian", "pallet_truck"]
    metrics = json.loads((run / "metrics.json").read_text())
    for split in ("val", "test"):
        for kind in ("box", "mask"):
            assert {"AP", "AP50", "AP75", "pedestrian", "pallet_truck"} <= set(metrics[split][kind])
    for name in ("model.pt", "report.html", "predictions/val.json", "predictions/test.json", "logs", "benchmarks"):
        assert (run / name).exists(), name


def recorded_configs(road: Path) -> dict[str, dict[str, Any]]:
    """Return what every stage recorded of the config, by the path of the file."""
    data, run = road / "results/data/ci", road / "results/runs/ci"
    found = {"model.pt": torch.load(run / "model.pt", weights_only=True)["facts"]["config"]}
    for path in [*data.glob("scenes/*.json"), data / "annotations/provenance.json"]:
        found[path.relative_to(data).as_posix()] = json.loads(path.read_text())["config"]
    for path in data.glob("shards/*/shard.json"):
        found[path.relative_to(data).as_posix()] = json.loads(path.read_text())["made_by"]["config"]
    page = (run / "report.html").read_text()
    found["report.html"] = yaml.safe_load(html.unescape(re.search(r"<pre[^>]*>(data:.*?)</pre>", page, re.S)[1]))
    return found


def differing_keys(recorded: Any, expected: Any, path: str = "") -> list[str]:
    """Return the dotted keys of `recorded` whose values are not those of `expected`."""
    if isinstance(recorded, dict) and isinstance(expected, dict):
        return [
            difference
            for key, value in recorded.items()
            for difference in differing_keys(value, expected.get(key, "no such key"), f"{path}{key}.")
        ]
    return [] if recorded == expected else [f"{path.rstrip('.')}: {recorded!r} instead of {expected!r}"]


def test_every_stage_records_the_values_of_the_config_and_no_defaults(road):
    config = read_config(ROOT / "configs/ci.yaml").model_dump(mode="json")
    assert config["train"]["rate_factors"]["backbone"] is None
    config["train"]["rate_factors"]["backbone"] = 0.1  # what null means for bundled weights
    found = recorded_configs(road)
    assert len(found) == 7
    assert {name: differing_keys(record, config) for name, record in found.items()} == {name: [] for name in found}
    sections = {name: set(record) for name, record in found.items()}
    assert sections["model.pt"] == {"run", "model", "train"}
    assert found["model.pt"]["run"] == {"seed": 0}
    assert sections["annotations/provenance.json"] == {"data", "label"}
    assert sections["scenes/00000.json"] == sections["shards/00000/shard.json"]
    assert sections["scenes/00000.json"] == set(SampleConfig.model_fields)


def test_nothing_is_made_twice(road):
    assert planned("train", "--configfile", "configs/ci.yaml", folder=road) == {}


@pytest.mark.parametrize(
    ("change", "made_again", "kept"),
    [
        ("train={learning_rate: 0.01}", {"train_model", "predict", "evaluate", "report"}, {"render", "label"}),
        ("render={samples: 3}", {"sample", "render", "label", "train_model"}, set()),
        ("label={min_pixels: 20}", {"label", "train_model", "report"}, {"sample", "render"}),
    ],
)
def test_a_change_makes_again_what_depends_on_it(road, change, made_again, kept):
    jobs = planned("train", "--configfile", "configs/ci.yaml", "--config", change, folder=road)
    assert made_again <= set(jobs)
    assert not kept & set(jobs)


def test_a_larger_set_renders_only_what_is_new(road):
    config = "data={images: 9}"
    jobs = planned("dataset", "--configfile", "configs/ci.yaml", "--config", config, folder=road)
    assert jobs["sample"] == jobs["render"] == jobs["label"] == 1


def test_the_set_is_described_beside_a_real_one_and_training_does_not_wait_for_it(road):
    # Its own validation split stands in for real images.
    real = "{annotations: results/data/ci/annotations/val.json, images: results/data/ci}"
    arguments = ("--configfile", "configs/ci.yaml", "--config", f"compare={{val: {real}}}")
    assert not {"distribution", "train_model", "label"} & set(planned("train", *arguments, folder=road))
    run = snakemake("dataset", "-j2", *arguments, folder=road)
    assert run.returncode == 0, run.stdout + run.stderr
    described = json.loads((road / "results/data/ci/distribution.json").read_text())
    assert [(each["name"], each["images"]) for each in described["sets"]] == [("ci", 6), ("val", 1)]
    assert "Gaps to val" in (road / "results/data/ci/distribution.html").read_text()
    assert planned("dataset", *arguments, folder=road) == {}
