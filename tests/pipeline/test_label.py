# SPDX-License-Identifier: Apache-2.0
"""The labels of a data set: whole or not there, faults named and shown, the bytes never vary."""

import json
import re
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import coco, config, label
from tests.pipeline import made_shards
from tests.pipeline.made_shards import HEIGHT, WIDTH


def id_map(*sizes: int) -> np.ndarray:
    """Instances 1, 2, … in a row, each of so many pixels (at most 32, in one column)."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, size in enumerate(sizes, 1):
        ids[:size, 3 * number] = number
    return ids


def test_growth_moves_no_picture_to_another_split():
    split = config.Split(train=3, val=1, test=2)
    names = [label.split_of(index, split) for index in range(12)]
    assert names == ["train", "train", "train", "val", "test", "test"] * 2


SETTINGS = config.check(
    {
        "data": {"pictures": 7, "shard_size": 3, "split": {"train": 3, "val": 1, "test": 1}},
        "label": {"min_pixels": 0, "crowd_pixels": 15},
    }
)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data set of 7 pictures in 3 shards, the last of one picture; picture i has i people and trucks."""
    data = tmp_path_factory.mktemp("made")
    for index in range(SETTINGS.data.pictures):
        ids = id_map(*(8 + 4 * number for number in range(index)))
        wholes = made_shards.wholes_of(ids, list(range(1, index + 1)))
        made_shards.write(data / "shards" / f"{index // 3:05d}", ids, wholes, index)
    return data


@pytest.fixture
def data(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "data")


def run(data: Path, monkeypatch, settings: config.Config = SETTINGS, processes: int = 1) -> int:
    text = settings.only("data", "label")
    arguments = ["--config", text, "--data", str(data), "--processes", str(processes)]
    monkeypatch.setattr(sys, "argv", ["label", *arguments])
    return label.main()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_splits_are_files_that_can_be_relied_on(data, monkeypatch):
    assert run(data, monkeypatch) == 0
    read = {split: coco.read(data / "annotations" / f"{split}.json") for split in label.SPLITS}
    for file in read.values():
        coco.check_pictures(file, data)
        assert [(category.id, category.name) for category in file.categories] == [
            (1, "pedestrian"),
            (2, "pallet_truck"),
        ]
    assert {name: [image.id for image in file.images] for name, file in read.items()} == {
        "train": [1, 2, 3, 6, 7],
        "val": [4],
        "test": [5],
    }
    assert [entry.image_id for entry in read["train"].annotations] == [2, 3, 3, *[6] * 5, *[7] * 6]
    assert [entry.id for entry in read["train"].annotations] == list(range(1, 15))
    assert [entry.iscrowd for entry in read["test"].annotations] == [1, 1, 0, 0]


def test_what_an_image_says(data, monkeypatch):
    run(data, monkeypatch)
    document = json.loads((data / "annotations" / "val.json").read_text())
    assert document["images"] == [
        {
            "id": 4,
            "index": 3,
            "file_name": "shards/00001/images/000003.png",
            "instances": "shards/00001/instances/000003.png",
            "width": WIDTH,
            "height": HEIGHT,
            "camera": {
                "fx_px": 50.0,
                "fy_px": 50.0,
                "cx_px": 50.0,
                "cy_px": 50.0,
                "position_m": [0.0, 0.0, 1.0],
                "rotation": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            },
            "rig": "robot",
            "layout": "aisle",
            "light": {"lamps": 2, "power_w": 0.3, "exposure_ev": 0.25},
        }
    ]
    facts = document["info"]
    assert (facts["name"], facts["split"], facts["seed"], facts["generator_version"]) == ("quickstart", "val", 7, 1)


def test_the_same_bytes_on_every_run_with_any_number_of_processes(data, monkeypatch):
    run(data, monkeypatch)
    first = files(data / "annotations")
    assert sorted(first) == ["audit.json", "provenance.json", "test.json", "train.json", "val.json"]
    run(data, monkeypatch, processes=2)
    assert files(data / "annotations") == first
    assert [path.name for path in data.iterdir() if path.name.startswith(".")] == []


def test_growth_changes_no_entry_that_was_there(data, monkeypatch):
    fewer = SETTINGS.model_copy(update={"data": SETTINGS.data.model_copy(update={"pictures": 6})})
    shutil.move(data / "shards" / "00002", data / "later")
    assert run(data, monkeypatch, fewer) == 0
    before = json.loads((data / "annotations" / "train.json").read_text())
    shutil.move(data / "later", data / "shards" / "00002")
    run(data, monkeypatch)
    after = json.loads((data / "annotations" / "train.json").read_text())
    for section in ("images", "annotations"):
        assert after[section][: len(before[section])] == before[section]
        assert len(after[section]) > len(before[section])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def redraw(shape: tuple[int, ...], dtype: type):
    return lambda path: cv2.imwrite(str(path), np.zeros(shape, dtype))


# What is done to which file, and the words that must name it.
FAULTS = {
    "no picture": ("images/000004.png", Path.unlink, "picture 4: .*images/000004.png is missing"),
    "cut picture": ("images/000004.png", cut, "picture 4: .*images/000004.png is corrupt"),
    "flipped bit": ("images/000004.png", flip, "picture 4: .*images/000004.png is corrupt"),
    "grey picture": (
        "images/000004.png",
        redraw((HEIGHT, WIDTH), np.uint8),
        "picture 4: .*has 48x32 pixels of PNG type 0 with 8 bits, the record says 48x32, RGB",
    ),
    "no map": ("instances/000004.png", Path.unlink, "picture 4: .*instances/000004.png is missing"),
    "cut map": ("instances/000004.png", cut, "picture 4: .*instances/000004.png is corrupt"),
    "flipped bit of a map": ("instances/000004.png", flip, "picture 4: .*instances/000004.png is corrupt"),
    "8-bit map": ("instances/000004.png", redraw((HEIGHT, WIDTH), np.uint8), "picture 4: .*no 16-bit grey .*uint8"),
    "small map": ("instances/000004.png", redraw((8, 9), np.uint16), "picture 4: .*the id map is 9x8, .*48x32"),
    "empty map": (
        "instances/000004.png",
        redraw((HEIGHT, WIDTH), np.uint16),
        "picture 4, instance 1: 0 pixels in the id map, 8 visible",
    ),
    "no silhouettes": ("silhouettes/000004.npz", Path.unlink, "picture 4: .*silhouettes/000004.npz is missing"),
    "cut silhouettes": ("silhouettes/000004.npz", cut, "picture 4: .*silhouettes/000004.npz is corrupt"),
    "flipped bit of silhouettes": ("silhouettes/000004.npz", flip, "picture 4: .*silhouettes/000004.npz is corrupt"),
    "fewer silhouettes": (
        "silhouettes/000004.npz",
        lambda path: np.savez_compressed(path, **{"1": np.ones((8, 1), bool)}),
        "picture 4: .*silhouettes/000004.npz: 2 is missing",
    ),
    "no shard": (".", shutil.rmtree, "scenes.jsonl is missing; render the shard first"),
    "no records": ("scenes.jsonl", lambda path: path.write_text(""), "holds no pictures, .*asks for 3 from 3 to 5"),
    "half a record": ("scenes.jsonl", cut, "scenes.jsonl is not a list of rendered scenes"),
    "another seed": (
        "scenes.jsonl",
        lambda path: path.write_text(path.read_text().replace('"dataset_seed":7', '"dataset_seed":8')),
        "picture 3 was made with seed 8 .*wanted seed 7",
    ),
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_no_file_appears(data, monkeypatch, capsys, fault, processes):
    place, plant, words = FAULTS[fault]
    plant(data / "shards" / "00001" / place)
    assert run(data, monkeypatch, processes=processes) == 1
    message = capsys.readouterr().err
    assert "shards/00001" in message
    assert re.search(words, message), message
    assert not (data / "annotations").exists()


def test_a_fault_leaves_the_files_of_the_last_run(data, monkeypatch):
    run(data, monkeypatch)
    before = files(data / "annotations")
    cut(data / "shards" / "00001" / "images" / "000003.png")
    assert run(data, monkeypatch) == 1
    assert files(data / "annotations") == before
