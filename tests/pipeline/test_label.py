# SPDX-License-Identifier: Apache-2.0
"""Id maps become COCO without losing a pixel; shards that are not what they say are named; the bytes never vary."""

import json
import re
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline import coco, config, label
from pipeline.scene import RenderedScene

WIDTH, HEIGHT = 48, 32
RGB = (0.5, 0.5, 0.5)
EVERYTHING = config.LabelSection(min_pixels=0, min_visible_fraction=0, crowd_pixels=0, crowd_visible_fraction=0)
PERSON = {
    "asset": "person",
    "parameters": {
        **dict.fromkeys(("gender", "age", "muscle", "weight", "proportions", "african", "asian", "caucasian"), 0.5),
        "height_m": 1.75,
        "skin_rgb": RGB,
        "pose": {"name": "stand", "phase": 0, "seed": 1, "hand_left_m": None, "hand_right_m": None},
        "outfit": {
            **dict.fromkeys(("top_rgb", "trousers_rgb", "shoes_rgb", "vest_rgb", "head_rgb", "hair_rgb"), RGB),
            "sleeves": "long",
            "head": "helmet",
        },
    },
}
TRUCK = {
    "asset": "hand_pallet_truck",
    "parameters": {
        **dict.fromkeys(("fork_length_m", "width_m", "fork_width_m", "lift_m", "wear"), 0.5),
        **dict.fromkeys(("tiller_tilt_deg", "tiller_turn_deg"), 0),
        **dict.fromkeys(("body_rgb", "wheel_rgb"), RGB),
        "tandem_rollers": True,
        "seed": 1,
    },
}


def scene(index: int, numbers: list[int], height: int, width: int) -> dict:
    """A record whose odd instances are people and even ones trucks."""
    surface = {"kind": "concrete", "color_rgb": RGB, "roughness": 0.5, "wear": 0.5, "seed": 1}
    return {
        "generator_version": config.GENERATOR_VERSION,
        "index": index,
        "dataset_seed": 7,
        "layout": "aisle",
        "render": {
            "width": width,
            "height": height,
            "samples": 1,
            "denoise": False,
            "seed": 1,
            "exposure_ev": 0.25,
            "view_transform": "AgX",
        },
        "camera": {
            **dict.fromkeys(("fx_px", "fy_px", "cx_px", "cy_px"), 50),
            "rig": "robot",
            "position_m": (0, 0, 1),
            "rotation": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        },
        "hall": {"size_m": (20, 20, 6), "floor": surface, "walls": surface, "ceiling": surface, "lines": []},
        "lamps": [
            {
                "kind": "strip",
                "position_m": (0, 0, 5),
                "size_m": (1, 0.1),
                "yaw_deg": 0,
                "power_w": power,
                "color_rgb": RGB,
            }
            for power in (0.1, 0.2)
        ],
        "ambient": {"color_rgb": RGB, "strength": 0.1},
        "objects": [
            {
                **(PERSON if number % 2 else TRUCK),
                "name": f"thing_{number}",
                "position_m": (0, 0, 0),
                "yaw_deg": 0,
                "stands_on": "floor",
                "instance_id": number,
            }
            for number in numbers
        ],
    }


def rendered(ids: np.ndarray, numbers: list[int], index: int = 0, hidden_pixels: int = 0) -> RenderedScene:
    """The record of an id map; every instance has `hidden_pixels` more than can be seen."""
    pixels = {number: int((ids == number).sum()) for number in numbers}
    instances = [
        {
            "instance_id": number,
            "visible_pixels": count,
            "whole_pixels": count + hidden_pixels,
            "truncated": number % 3 == 0,
            "distance_m": number + 0.12345,
        }
        for number, count in pixels.items()
    ]
    measured = {"device": "cpu", "instances": instances, "seconds": {}}
    return RenderedScene.model_validate({"scene": scene(index, numbers, *ids.shape), "measured": measured})


def id_map(*sizes: int) -> np.ndarray:
    """Instances 1, 2, … in a row, each of so many pixels (at most 32, in one column)."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, size in enumerate(sizes, 1):
        ids[:size, 3 * number] = number
    return ids


def decode(annotation: dict, shape: tuple[int, int]) -> np.ndarray:
    checked = coco.Annotation(id=1, **annotation)
    return label.coco_mask.decode(coco.rle(checked.segmentation, *shape)).astype(bool)


maps = arrays.array_shapes(min_dims=2, max_dims=2, max_side=16).flatmap(
    lambda shape: arrays.arrays(np.uint16, shape, elements=st.sampled_from([0, 1, 2, 3, 500, 65535]))
)


@given(maps)
def test_annotations_give_back_the_id_map(ids):
    annotations = label.label_picture(rendered(ids, [1, 2, 3, 500, 65535]), ids, EVERYTHING)
    again = np.zeros(ids.shape, np.int64)
    for annotation in annotations:
        mask = decode(annotation, ids.shape)
        again[mask] += annotation["instance_id"]  # a pixel in two masks would get a sum
        rows, columns = np.nonzero(mask)
        size = [np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert annotation["bbox"] == [columns.min(), rows.min(), *size]
        assert annotation["area"] == mask.sum()
    np.testing.assert_array_equal(again, ids)


def test_what_an_annotation_says():
    ids = id_map(20, 30)
    person, truck = label.label_picture(rendered(ids, [1, 2, 3], index=5, hidden_pixels=10), ids, EVERYTHING)
    assert person == {
        "image_id": 6,
        "category_id": 1,
        "segmentation": coco.encode(ids == 1),
        "area": 20,
        "bbox": [3, 0, 1, 20],
        "iscrowd": 0,
        "visible_fraction": 0.6667,
        "truncated": False,
        "distance_m": 1.123,
        "asset": "person",
        "instance_id": 1,
    }
    assert (truck["category_id"], truck["asset"], truck["visible_fraction"]) == (2, "hand_pallet_truck", 0.75)


@pytest.mark.parametrize(
    ("rules", "crowd"),
    [
        ({"min_pixels": 11}, {2: 0, 3: 0}),
        ({"crowd_pixels": 11}, {1: 1, 2: 0, 3: 0}),
        ({"min_visible_fraction": 0.45}, {3: 0}),
        ({"crowd_visible_fraction": 0.45}, {1: 1, 2: 1, 3: 0}),
        ({"min_pixels": 11, "crowd_pixels": 21}, {2: 1, 3: 0}),
        ({}, {1: 0, 2: 0, 3: 0}),
    ],
)
def test_the_config_decides_what_is_dropped_and_what_is_crowd(rules, crowd):
    ids = id_map(10, 20, 30, 0)
    record = rendered(ids, [1, 2, 3, 4], hidden_pixels=25)
    annotations = label.label_picture(record, ids, EVERYTHING.model_copy(update=rules))
    assert {entry["instance_id"]: entry["iscrowd"] for entry in annotations} == crowd


def test_ids_that_the_record_does_not_have():
    ids = id_map(20, 30)
    with pytest.raises(label.LabelError, match=r"^instance 2: 30 pixels of the id map, and not in the record"):
        label.label_picture(rendered(ids, [1]), ids, EVERYTHING)


@pytest.mark.parametrize("change", [5, -20])
def test_pixels_that_disagree_with_the_measurement(change):
    ids = id_map(20, 30)
    other = id_map(20 + change, 30)
    with pytest.raises(label.LabelError, match=rf"^instance 1: {20 + change} pixels in the id map, 20 visible ones"):
        label.label_picture(rendered(ids, [1, 2]), other, EVERYTHING)


def test_an_id_map_of_another_size():
    ids = id_map(20)
    with pytest.raises(label.LabelError, match=r"^the id map is 32x48, the record says 48x32"):
        label.label_picture(rendered(ids, [1]), ids.T, EVERYTHING)


def test_objects_and_measurements_that_do_not_match():
    ids = id_map(20, 30)
    record = rendered(ids, [1, 2])
    measured = record.measured.model_copy(update={"instances": record.measured.instances[:1]})
    with pytest.raises(label.LabelError, match=r"^instance 2: an object, and not measured"):
        label.label_picture(record.model_copy(update={"measured": measured}), ids, EVERYTHING)
    twice = record.scene.model_copy(update={"objects": record.scene.objects[:1] * 2})
    with pytest.raises(label.LabelError, match=r"^instance 1: the record gives this id to more than one object"):
        label.label_picture(record.model_copy(update={"scene": twice}), ids, EVERYTHING)


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
    random = np.random.default_rng(0)
    for index in range(SETTINGS.data.pictures):
        shard = data / "shards" / f"{index // 3:05d}"
        ids = id_map(*(8 + 4 * number for number in range(index)))
        for folder, picture in (("images", random.integers(0, 255, (*ids.shape, 3), np.uint8)), ("instances", ids)):
            (shard / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(shard / folder / f"{index:06d}.png"), picture)
        with (shard / "scenes.jsonl").open("a") as lines:
            lines.write(rendered(ids, list(range(1, index + 1)), index).model_dump_json() + "\n")
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
    assert sorted(first) == ["test.json", "train.json", "val.json"]
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
        "picture 4: .*is L 48x32, the record says RGB 48x32",
    ),
    "no map": ("instances/000004.png", Path.unlink, "picture 4: .*instances/000004.png is missing"),
    "cut map": ("instances/000004.png", cut, "picture 4: .*instances/000004.png is corrupt"),
    "flipped bit of a map": ("instances/000004.png", flip, "picture 4: .*instances/000004.png is corrupt"),
    "8-bit map": ("instances/000004.png", redraw((HEIGHT, WIDTH), np.uint8), "picture 4: .*no 16-bit grey .*uint8"),
    "small map": ("instances/000004.png", redraw((8, 9), np.uint16), "picture 4: the id map is 9x8, .*48x32"),
    "empty map": (
        "instances/000004.png",
        redraw((HEIGHT, WIDTH), np.uint16),
        "picture 4: instance 1: 0 pixels in the id map, 8 visible",
    ),
    "no shard": (".", shutil.rmtree, "scenes.jsonl is missing; render the shard first"),
    "no records": ("scenes.jsonl", lambda path: path.write_text(""), "holds no pictures, .*asks for 3 from 3 to 5"),
    "half a record": ("scenes.jsonl", cut, "scenes.jsonl is not a list of rendered scenes"),
    "another seed": (
        "scenes.jsonl",
        lambda path: path.write_text(path.read_text().replace('"dataset_seed":7', '"dataset_seed":8')),
        "picture 3: made with seed 8 .*wanted seed 7",
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
