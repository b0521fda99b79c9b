# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline in Snakemake, on configs/ci.yaml: real renders, a real training, a real report."""

import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import onnxruntime
import pytest
import torch
import yaml
from PIL import Image

from pipeline.config.config import read_config, with_changes
from pipeline.config.stages import SampleConfig, TrainConfig
from pipeline.reports.run_records import read_training
from tests.helpers.paths import ROOT
from tests.helpers.snakemake_runs import count_planned, planned_inputs, rules_run, snakemake

CI = ("--configfile", "configs/ci.yaml")
TARGETS = ("train", "dataset", "yolo", "export", "freeze_study")
DATA, RUN, STUDY = Path("results/data/ci"), Path("results/runs/ci"), Path("results/studies/ci")
SPLIT_SIZES = {"train": 4, "val": 1, "test": 1}
CATEGORIES = ["pedestrian", "pallet_truck"]
# The pinned packages of .venv stand in for containers; short functions stand beside the rule that uses them.
KNOWN_LINTS = {
    "Specify a conda environment or container for each rule.",
    "Mixed rules and functions in same snakefile.",
}
# Rules that configs/ci.yaml does not need, and the test file that runs them.
RUN_ELSEWHERE = dict.fromkeys(("measure_asset", "preview_records", "preview"), "test_custom_meshes.py")


@pytest.fixture(scope="module")
def pipeline_run(tmp_path_factory) -> Path:
    """A folder in which Snakemake has made every target for configs/ci.yaml. Tests must not change its results."""
    folder = tmp_path_factory.mktemp("pipeline")
    run = snakemake(*TARGETS, "-j2", *CI, folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    (folder / "output.txt").write_text(run.stdout + run.stderr)
    return folder


def test_every_rule_was_run(pipeline_run):
    listed = snakemake("--list-rules", folder=pipeline_run).stdout.split()
    assert set(listed) - rules_run(pipeline_run) == set(RUN_ELSEWHERE), "add a target to TARGETS for a new rule"


def test_every_stage_prints_one_line_and_keeps_its_output_in_a_log(pipeline_run):
    lines = (pipeline_run / "output.txt").read_text().splitlines()
    finished = [line.partition(": done in ")[0] for line in lines if re.search(r": done in \d+ s$", line)]
    assert {"sample 00001", "render 00000", "label", "train", "predict val", "export", "study"} <= set(finished)
    assert len(finished) == len(set(finished))
    assert "train: 4 of 4 iterations" in (pipeline_run / RUN / "logs/train.log").read_text()


@pytest.mark.parametrize(("split", "images"), SPLIT_SIZES.items())
def test_the_annotations_of_a_split_name_images_that_exist(pipeline_run, split, images):
    coco = json.loads((pipeline_run / DATA / "annotations" / f"{split}.json").read_text())
    assert len(coco["images"]) == images
    assert all((pipeline_run / DATA / image["file_name"]).is_file() for image in coco["images"])
    assert [category["name"] for category in coco["categories"]] == CATEGORIES


def test_a_run_leaves_a_model_predictions_metrics_and_a_report(pipeline_run):
    metrics = json.loads((pipeline_run / RUN / "metrics.json").read_text())
    for split in ("val", "test"):
        for kind in ("box", "mask"):
            assert {"AP", "AP50", "AP75", *CATEGORIES} <= set(metrics[split][kind])
    for name in ("model.pt", "report.html", "predictions/val.json", "predictions/test.json", "logs", "benchmarks"):
        assert (pipeline_run / RUN / name).exists(), name


def test_the_yolo_folder_links_the_images_and_has_a_line_for_each_instance(pipeline_run):
    yolo = pipeline_run / DATA / "yolo"
    assert list(yaml.safe_load((yolo / "data.yaml").read_text())["names"].values()) == CATEGORIES
    for split in SPLIT_SIZES:
        coco = json.loads((pipeline_run / DATA / "annotations" / f"{split}.json").read_text())
        for image in coco["images"]:
            name = Path(image["file_name"])
            assert (yolo / "images" / split / name.name).samefile(pipeline_run / DATA / name)
        lines = [line for path in (yolo / "labels" / split).iterdir() for line in path.read_text().splitlines()]
        assert len(lines) == sum(not annotation["iscrowd"] for annotation in coco["annotations"])


def test_the_exported_model_runs_without_torch_on_an_image_of_its_size(pipeline_run, tmp_path):
    model = pipeline_run / RUN / "model.onnx"
    about = onnxruntime.InferenceSession(model).get_modelmeta().custom_metadata_map
    assert [category["name"] for category in json.loads(about["categories"])] == CATEGORIES
    size = json.loads(about["input"])
    image = cv2.imread(str(next((pipeline_run / DATA / "shards/00000/images").iterdir())))
    cv2.imwrite(str(tmp_path / "in.png"), cv2.resize(image, (size["width"], size["height"])))
    example = [sys.executable, str(ROOT / "examples/detect_without_torch.py"), str(model)]
    done = subprocess.run([*example, tmp_path / "in.png", tmp_path / "out.png"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").is_file()


def test_the_study_has_a_row_for_each_training_and_freezes_what_its_policy_says(pipeline_run):
    with (pipeline_run / STUDY / "study.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["policy"], row["set"]) == ("heads_only", "test")
    assert "heads only" in (pipeline_run / STUDY / "study.html").read_text()
    run = pipeline_run / STUDY / "runs" / f"{row['backbone']}--heads_only--0"
    studied, main = (read_training(path / "training.jsonl") for path in (run, pipeline_run / RUN))
    assert len(studied.columns["loss"]) == 2
    assert studied.facts["trainable_parameters"] < main.facts["trainable_parameters"] < studied.facts["parameters"]


def recorded_configs(pipeline_run: Path) -> dict[str, dict[str, Any]]:
    """Return what every stage recorded of the config, by the path of the file."""
    data, run = pipeline_run / DATA, pipeline_run / RUN
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


def test_every_stage_records_the_values_of_the_config_and_no_defaults(pipeline_run):
    settings = read_config(ROOT / "configs/ci.yaml")
    config = settings.model_dump(mode="json")
    found = recorded_configs(pipeline_run)
    trained = TrainConfig.from_config(settings).with_backbone_rate()
    assert found.pop("model.pt") == trained.model_dump(mode="json")
    for variant in settings.study.variants():
        model = torch.load(pipeline_run / STUDY / "runs" / variant / "model.pt", weights_only=True)
        changed = with_changes(settings, settings.study.changes(variant))
        expected = TrainConfig.from_config(changed).with_backbone_rate()
        assert model["facts"]["config"] == expected.model_dump(mode="json")
    assert len(found) == 6
    assert {name: differing_keys(record, config) for name, record in found.items()} == {name: [] for name in found}
    sections = {name: set(record) for name, record in found.items()}
    assert sections["annotations/provenance.json"] == {"data", "label"}
    assert sections["scenes/00000.json"] == sections["shards/00000/shard.json"]
    assert sections["scenes/00000.json"] == set(SampleConfig.model_fields)


def test_a_second_run_has_nothing_to_do(pipeline_run):
    assert count_planned(*TARGETS, *CI, folder=pipeline_run) == {}


@pytest.mark.parametrize(
    ("change", "rerun", "kept"),
    [
        ("train={learning_rate: 0.01}", {"train_model", "predict", "evaluate", "report"}, {"render", "label"}),
        ("render={samples: 3}", {"sample", "render", "label", "train_model"}, set()),
        ("label={min_pixels: 20}", {"label", "train_model", "report"}, {"sample", "render"}),
    ],
)
def test_a_changed_config_reruns_the_stages_that_depend_on_it(pipeline_run, change, rerun, kept):
    jobs = count_planned("train", *CI, "--config", change, folder=pipeline_run)
    assert rerun <= set(jobs)
    assert not kept & set(jobs)


def test_a_larger_data_set_renders_only_the_new_images(pipeline_run):
    jobs = count_planned("dataset", *CI, "--config", "data={images: 9}", folder=pipeline_run)
    assert jobs["sample"] == jobs["render"] == jobs["label"] == 1


@pytest.fixture(scope="module")
def run_with_real_set(pipeline_run, tmp_path_factory) -> Path:
    """A copy of `pipeline_run` with a real set in `real/`: the validation split stands in for it."""
    folder = tmp_path_factory.mktemp("with_real_set") / "results"
    shutil.copytree(pipeline_run, folder, copy_function=os.link, ignore=shutil.ignore_patterns("incomplete", "locks"))
    coco = json.loads((folder / DATA / "annotations/val.json").read_text())
    for image in coco["images"]:
        (folder / "real/images" / image["file_name"]).parent.mkdir(parents=True)
        shutil.copy(folder / DATA / image["file_name"], folder / "real/images" / image["file_name"])
    (folder / "real/annotations.json").write_text(json.dumps(coco))
    return folder


REAL_SET = "{annotations: real/annotations.json, images: real/images}"
REAL_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
    "categories": [{"id": 1, "name": "pedestrian"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}],
}


def test_a_real_set_is_compared_in_the_description_and_the_training_does_not_depend_on_it(run_with_real_set):
    arguments = (*CI, "--config", f"compare={{hall: {REAL_SET}}}")
    jobs = count_planned("train", *arguments, folder=run_with_real_set)
    assert not {"distribution", "train_model", "label"} & set(jobs)
    run = snakemake("dataset", "-j2", *arguments, folder=run_with_real_set)
    assert run.returncode == 0, run.stdout + run.stderr
    described = json.loads((run_with_real_set / DATA / "distribution.json").read_text())
    assert [(data_set["name"], data_set["images"]) for data_set in described["datasets"]] == [("ci", 6), ("hall", 1)]
    assert "hall" in (run_with_real_set / DATA / "distribution.html").read_text()
    assert count_planned("dataset", *arguments, folder=run_with_real_set) == {}


@pytest.mark.slow
def test_torchrun_trains_in_two_processes_with_a_real_set_in_training_and_validation(run_with_real_set):
    real = REAL_SET.replace("}", ", share: 0.5}")
    train = f"train={{processes: 2, sources: {{hall: {real}}}, validation: {{every: 2, dataset: {REAL_SET}}}}}"
    target = "results/runs/two/model.pt"
    run = snakemake(target, "-j2", *CI, "--config", "run={name: two}", train, folder=run_with_real_set)
    assert run.returncode == 0, run.stdout + run.stderr
    facts = torch.load(run_with_real_set / target, weights_only=True)["facts"]
    assert facts["processes"] == 2
    assert "hall" in json.dumps(facts)


def test_every_stage_that_reads_images_declares_the_shards_and_the_real_sets_as_inputs(tmp_path):
    (tmp_path / "real/images").mkdir(parents=True)
    (tmp_path / "real/annotations.json").write_text(json.dumps(REAL_COCO))
    Image.new("RGB", (64, 48)).save(tmp_path / "real/images/a.png")
    changes = (
        f"compare={{hall: {REAL_SET}}}",
        f"train={{sources: {{hall: {REAL_SET.replace('}', ', share: 0.5}')}}}, validation: {{dataset: {REAL_SET}}}}}",
    )
    inputs = planned_inputs("train", "dataset", "yolo", "freeze_study", *CI, "--config", *changes, folder=tmp_path)
    shards = {f"{DATA}/shards/00000", f"{DATA}/shards/00001"}
    readers = ("train_model", "predict", "report", "distribution", "yolo", "study_train", "study_evaluate")
    assert {rule: shards <= inputs[rule] for rule in readers} == dict.fromkeys(readers, True)
    real = {"real/annotations.json", "real/images"}
    readers = ("train_model", "distribution", "study_train", "study_evaluate")
    assert {rule: real <= inputs[rule] for rule in readers} == dict.fromkeys(readers, True)


def test_a_failed_job_prints_the_end_of_its_log_and_fails_the_run(tmp_path):
    changes = ("data={images: 3}", f"render={{device: {'cuda' if sys.platform == 'darwin' else 'metal'}}}")
    run = snakemake("dataset", "-j1", *CI, "--config", *changes, folder=tmp_path)
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Cycles finds no such GPU here" in output
    assert "render 00000: failed with exit code 2; the end of results/data/ci/logs/render/00000.log:" in output
    assert "MissingOutputException" not in output, "the exit code of the job was lost"


def test_export_needs_a_model_but_no_predictions_and_the_report_needs_no_export(tmp_path):
    jobs = count_planned("export", *CI, folder=tmp_path)
    assert jobs["export"] == jobs["train_model"] == 1
    assert not {"predict", "evaluate", "report"} & set(jobs)
    assert "export" in count_planned("results/runs/ci/model.onnx", *CI, folder=tmp_path)
    assert "export" not in count_planned("train", *CI, folder=tmp_path)


def test_a_wrong_config_starts_nothing_and_names_the_key(tmp_path):
    run = snakemake("-n", "train", "--config", "train={iterations: 0}", folder=tmp_path)
    assert run.returncode == 2
    assert "--config train: train.iterations = 0: must be at least 1" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_snakemakes_lint_finds_nothing_new(tmp_path):
    run = snakemake("--lint", folder=tmp_path)
    found = [line.strip(" *:") for line in (run.stdout + run.stderr).splitlines() if line.strip().startswith("*")]
    assert set(found) == KNOWN_LINTS
