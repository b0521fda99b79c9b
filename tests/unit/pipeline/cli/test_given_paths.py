# SPDX-License-Identifier: Apache-2.0
"""Paths, numbers and devices of all commands are checked before work begins: one line each, nothing is written."""

import os
import shlex
from pathlib import Path

import pytest

from tests.helpers.command_syntax import CARISTE
from tests.helpers.commands import run_cariste


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A current folder with files that no command gets as far as to read."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "model.pt",
        "coco.json",
        "results.json",
        "config.yaml",
        "data/x",
        "images/a.jpg",
        "mesh.json",
        "run/model.pt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "unpacked/model").mkdir(parents=True)
    (tmp_path / "unpacked/model/data.pkl").write_text("x")
    (tmp_path / "hard link.json").hardlink_to(tmp_path / "coco.json")
    (tmp_path / "link.json").symlink_to("coco.json")
    return tmp_path


EVALUATE = "evaluate --annotations coco.json --predictions results.json --out"
MODEL = "evaluate --annotations coco.json --images images --model model.pt --out"
PREDICT = "predict --model model.pt --annotations coco.json --images images --predictions"
TRAIN = "train --config config.yaml --annotations coco.json --images images"
DESCRIBE = "distribution --annotations coco.json --images images"
OVERWRITING = {
    "the annotations": (f"{EVALUATE} coco.json", "--out coco.json: is the file of --annotations"),
    "the annotations by a longer path": (f"{EVALUATE} images/../coco.json", "is the file of --annotations"),
    "the annotations by a link": (f"{EVALUATE} link.json", "--out link.json: is the file of --annotations"),
    "the annotations by a hard link": (f"{EVALUATE} 'hard link.json'", "is the file of --annotations"),
    "the predictions": (f"{EVALUATE} results.json", "--out results.json: is the file of --predictions"),
    "the model": (f"{MODEL} model.pt", "--out model.pt: is the file of --model"),
    "the model by an export": ("export --model model.pt --out model.pt", "--out model.pt: is the file of --model"),
    "an image": (f"{PREDICT} images/a.jpg", "--predictions images/a.jpg: is an image in --images images"),
    "the config": (f"{TRAIN} --out config.yaml --log log", "--out config.yaml: is the file of --config"),
    "a mesh": ("sample --config c --count 1 --custom-mesh mesh.json --out mesh.json", "is the file of --custom-mesh"),
    "another output": (f"{TRAIN} --out new --log ./new", "--out and --log are the same: new"),
    "the other page": (f"{DESCRIBE} --out new --page new", "--out and --page are the same: new"),
    "the provenance": ("sample --config c --count 1 --out new --provenance new", "--out and --provenance are the same"),
    "a folder of outputs": (f"{TRAIN} --out new --log log --checkpoint new", "--out and --checkpoint are the same"),
    "a folder below an output": (f"{TRAIN} --out new --log log --checkpoint new/below", "new/below: lies below --out"),
    "a set to compare": (f"{DESCRIBE} --compare x mesh.json images --out mesh.json --page p", "the file of --compare"),
}  # fmt: skip
PATHS = {
    "a folder as output": (f"{EVALUATE} images", "--out images: is a folder"),
    "below a file": (f"{EVALUATE} coco.json/x", "--out coco.json/x: cannot be made"),
    "a device": (f"{EVALUATE} /dev/null", "--out /dev/null: is a stream or a device"),
    "standard output": (f"{EVALUATE} -", "--out -: is no file"),
    "nothing": (f"{EVALUATE} ''", "--out: is empty: is a variable of the shell not set?"),
    "nothing after an equals sign": ("verify data --processes=", "--processes: is empty"),
    "a file as a folder": ("predict --model model.pt images --out coco.json", "--out coco.json: is a file"),
    "a file as images": (f"{MODEL} new --images coco.json", "--images: is given twice"),
    "a missing model": ("predict --model modle.pt images --out new", "modle.pt: no such file; did you mean model.pt?"),
    "a folder as model": ("predict --model images images --out new", "--model images: is a folder, not a file"),
    "a missing image": ("predict --model model.pt images nope.jpg --out new", "IMAGES nope.jpg: no such file"),
    "a model on the web": (f"{MODEL.replace('model.pt', 'https://host/model.pt')} new", "is a URL: copy it"),
    "a model as a URL": (f"{MODEL.replace('model.pt', 'file:///model.pt')} new", "is a URL: give the path"),
    "results in a bucket": (f"{MODEL} s3://bucket/found", "--out s3:/bucket/found: is a URL: copy"),
    "a camera": ("predict --model model.pt rtsp://host/1 --out new", "IMAGES rtsp:/host/1: is a URL"),
    "the folder of a run": ("export --model run --out new.onnx", "is a folder, not a file; did you mean run/model.pt?"),
    "an unpacked model": ("export --model unpacked --out new.onnx", "an unpacked model file, as some browsers leave"),
    "a missing data set": ("label --config config.yaml --data nope", "--data nope: no such folder"),
    "a file as a data set": ("verify coco.json", "DIR coco.json: is a file, not a folder"),
    "a missing run": ("report --config c --data data --run nope --out new", "--run nope: no such folder"),
    "a missing mesh": ("sample --config c --count 1 --custom-mesh nope --out new", "--custom-mesh nope: no such file"),
}  # fmt: skip
NUMBERS = {
    "a text": ("sample --config c --count many --out new", "'--count'"),
    "a fraction": ("sample --config c --count 1.5 --out new", "'--count'"),
    "zero": ("sample --config c --count 0 --out new", "'--count'"),
    "a negative number": ("sample --config c --count -1 --out new", "'--count'"),
    "too many": (f"sample --config c --count {10**12} --out new", "'--count'"),
    "more than a processor counts": (f"sample --config c --count 1 --first {2**70} --out new", "'--first'"),
    "NaN": ("predict --model model.pt images --out new --draw-threshold nan", "'--draw-threshold'"),
    "above one": ("predict --model model.pt images --out new --draw-threshold 1.5", "'--draw-threshold'"),
    "infinite": ("predict --model model.pt images --out new --draw-threshold inf", "'--draw-threshold'"),
    "no threads": ("predict --model model.pt images --out new --threads 0", "'--threads'"),
    "a million threads": (f"predict --model model.pt images --out new --threads {10**6}", "'--threads'"),
    "a million processes": (f"verify data --processes {10**6}", "'--processes'"),
    "a side of zero": ("export --model model.pt --out new.onnx --size 0 480", "each side must be 32 to 8192"),
    "a negative side": ("export --model model.pt --out new.onnx --size -640 480", "each side must be 32 to 8192"),
    "a huge side": (f"export --model model.pt --out new.onnx --size {10**9} 480", "each side must be 32 to 8192"),
    "one side": ("export --model model.pt --out new.onnx --size 640", "'--size'"),
    "a side as text": ("export --model model.pt --out new.onnx --size 640x480 1", "'--size'"),
}  # fmt: skip
OTHERS = {
    "a device of another program": (f"{MODEL} new --device gpu", "for a GPU of NVIDIA or AMD: cuda"),
    "a device without number": (f"{MODEL} new --device cuda:x", "'cuda:x' is none of auto, cpu, cuda"),
    "a device that is missing": (f"{MODEL} new --device cuda:999", "device 'cuda:999'"),
    "an option twice": (f"{EVALUATE} new --out new2", "--out: is given twice"),
    "a split twice": (f"{EVALUATE} new --split a --split a", "'a' is given twice"),
    "a class without a name": ("weights --config config.yaml --class ' '", "a name is empty"),
    "both ways": ("predict --model model.pt images --out new --annotations coco.json", "give IMAGES and --out, or"),
    "a model and predictions": (f"{EVALUATE} new --model model.pt", "give --model with --images, or --predictions"),
    "an unknown option": (f"{EVALUATE} new --annotation x", "No such option: --annotation (Possible options: --ann"),
    "a dash of a word processor": ("predict \u2013model model.pt images --out new", "type --model"),
    "two of them": ("predict --model model.pt images \u2014\u2014out new", "type --out"),
    "an unknown command": ("evalaute", "Did you mean 'evaluate'?"),
    "the name of an export": ("export --model model.pt --out new.zip", "the name must end in .onnx or .torchscript.pt"),
}  # fmt: skip


@pytest.mark.parametrize("what", OVERWRITING)
def test_an_output_never_overwrites_what_is_given(folder, what):
    assert_refused(folder, *OVERWRITING[what])


@pytest.mark.parametrize("what", PATHS)
def test_a_path_that_cannot_be_used_is_named(folder, what):
    assert_refused(folder, *PATHS[what])


@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_out_of_range_is_named(folder, what):
    assert_refused(folder, *NUMBERS[what])


@pytest.mark.parametrize("what", OTHERS)
def test_other_mistakes_are_named(folder, what):
    assert_refused(folder, *OTHERS[what])


def assert_refused(folder: Path, command: str, message: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run_cariste(*shlex.split(command))
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr
    assert message in done.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (folder / "new").exists()


def test_every_path_is_named_at_once_and_after_ten_only_the_count(folder):
    missing = [f"{number}.jpg" for number in range(15)]
    done = run_cariste("predict", "--model", "nope.pt", *missing, "--out", "coco.json")
    lines = done.stderr.splitlines()
    assert (done.exit_code, len(lines), lines[-1]) == (2, 11, "and 7 more")
    assert lines[0] == "--model nope.pt: no such file"


def test_a_tilde_that_the_shell_left_is_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "data"))
    done = run_cariste("verify", "~")
    assert f"DIR ~: read as {folder}/data\n" in done.stderr
    assert f"{folder}/data: not a data set" in done.stderr
    os.mkdir("~")
    assert "read as" not in run_cariste("verify", "~").stderr


def test_a_name_that_is_no_text_is_shown_with_escapes(folder):
    done = run_cariste("verify", "gr\udcfcn\n")
    assert (done.exit_code, done.stderr) == (2, "DIR gr\\xfcn\\n: no such folder\n")


def test_a_device_may_be_written_in_capitals(folder):
    done = run_cariste(*shlex.split(f"{EVALUATE} new --device CPU"))
    assert "results.json" in done.stderr or "coco.json" in done.stderr


@pytest.mark.parametrize("key", ["model.weights", "train.sources.real", "train.validation.dataset"])
def test_training_does_not_overwrite_what_its_config_names(folder, key):
    other = "{annotations: coco.json, images: images}"
    sections = {
        "model.weights": "model: {weights: coco.json}",
        "train.sources.real": "train: {sources: {real: {annotations: coco.json, images: images, share: 0.5}}}",
        "train.validation.dataset": f"train: {{validation: {{dataset: {other}}}}}",
    }
    (folder / "config.yaml").write_text(sections[key])
    (folder / "train.json").write_text("{}")
    command = "train --config config.yaml --annotations train.json --images images --out coco.json --log log"
    done = run_cariste(*shlex.split(command))
    assert done.exit_code == 2
    assert f"--out coco.json: is the file of {key}" in done.stderr


def test_options_of_all_commands_are_checked():
    """A new option for a path must say what the path is for."""
    unchecked = [
        f"{command.name} {param.opts[0]}"
        for command in CARISTE.commands.values()
        for param in command.params
        if "Path" in str(param.type_descriptor.annotation) and param.callback is None
    ]
    assert unchecked == []
