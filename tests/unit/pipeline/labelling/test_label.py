# SPDX-License-Identifier: Apache-2.0
"""The annotations of a data set: complete or absent, damage is named, every run writes the same bytes."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.coco import image_check, reader
from pipeline.common.vocabulary import SPLITS
from pipeline.config import config
from pipeline.config.stages import LabelConfig
from pipeline.labelling import label
from pipeline.record.scene import GENERATOR_VERSION
from tests.helpers import shard_files
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.shard_files import HEIGHT, WIDTH

SETTINGS = LabelConfig.from_config(
    config.validate(
        {
            "data": {"images": 7, "shard_size": 3, "split": {"train": 3, "val": 1, "test": 1}},
            "label": {"min_pixels": 0, "crowd_pixels": 15},
        }
    )
)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data set of 7 images in 3 shards, the last of one image; image i has i people and trucks."""
    return shard_files.write_data_set(tmp_path_factory.mktemp("made"), SETTINGS.data.images)


@pytest.fixture
def data(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "data")


def run(data: Path, settings: LabelConfig = SETTINGS, processes: int = 1) -> Outcome:
    text = settings.as_text()
    return run_cariste("label", "--config", text, "--data", data, "--processes", processes)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_splits_are_valid_coco_files(data):
    assert run(data).exit_code == 0
    read = {split: reader.read_coco(data / "annotations" / f"{split}.json") for split in SPLITS}
    for file in read.values():
        image_check.check_images(file, data)
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


def test_the_entry_of_an_image(data):
    run(data)
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
                "distortion": [0.0] * 5,
                "motion_m": [0.0] * 3,
                "motion_deg": [0.0] * 3,
                "aperture_f": None,
                "focus_m": 3.0,
            },
            "rig": "robot",
            "layout": "aisle",
            "light": {"scene": "neon", "lamps": 2, "power_w": 0.3, "exposure_ev": 0.25},
        }
    ]
    facts = document["info"]
    assert (facts["name"], facts["split"], facts["seed"], facts["generator_version"]) == (
        SETTINGS.data.name,
        "val",
        7,
        GENERATOR_VERSION,
    )


def test_the_same_bytes_on_every_run_with_any_number_of_processes(data):
    run(data)
    first = files(data / "annotations")
    assert sorted(first) == ["audit.json", "provenance.json", "test.json", "train.json", "val.json"]
    run(data, processes=2)
    assert files(data / "annotations") == first
    assert [path.name for path in data.iterdir() if path.name.startswith(".")] == []


def test_more_images_change_no_earlier_entry(data):
    fewer = SETTINGS.model_copy(update={"data": SETTINGS.data.model_copy(update={"images": 6})})
    shutil.move(data / "shards" / "00002", data / "later")
    assert run(data, fewer).exit_code == 0
    before = json.loads((data / "annotations" / "train.json").read_text())
    shutil.move(data / "later", data / "shards" / "00002")
    run(data)
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


# The file that is damaged, how, and the pattern that the message must match.
DAMAGES = {
    "no image": ("images/000004.png", Path.unlink, "image 4: .*images/000004.png is missing"),
    "cut image": ("images/000004.png", cut, "image 4: .*images/000004.png is damaged"),
    "flipped bit": ("images/000004.png", flip, "image 4: .*images/000004.png is damaged"),
    "gray image": (
        "images/000004.png",
        redraw((HEIGHT, WIDTH), np.uint8),
        "image 4: .*has 48x32 pixels of mode L, the record says 48x32 of RGB",
    ),
    "no map": ("instances/000004.png", Path.unlink, "image 4: .*instances/000004.png is missing"),
    "cut map": ("instances/000004.png", cut, "image 4: .*instances/000004.png is damaged"),
    "flipped bit of a map": ("instances/000004.png", flip, "image 4: .*instances/000004.png is damaged"),
    "8-bit map": (
        "instances/000004.png",
        redraw((HEIGHT, WIDTH), np.uint8),
        "image 4: .*not a 16-bit gray image but uint8",
    ),
    "small map": ("instances/000004.png", redraw((8, 9), np.uint16), "image 4: .*the id map is 9x8, .*48x32"),
    "no silhouettes": ("silhouettes/000004.npz", Path.unlink, "image 4: .*silhouettes/000004.npz is missing"),
    "cut silhouettes": ("silhouettes/000004.npz", cut, "image 4: .*silhouettes/000004.npz is damaged"),
    "flipped bit of silhouettes": ("silhouettes/000004.npz", flip, "image 4: .*silhouettes/000004.npz is damaged"),
    "fewer silhouettes": (
        "silhouettes/000004.npz",
        lambda path: np.savez_compressed(path, **{"1": np.ones((8, 1), bool)}),
        "image 4: .*silhouettes/000004.npz: 2 is missing",
    ),
    "small silhouette": (
        "silhouettes/000004.npz",
        lambda path: np.savez_compressed(path, **dict(np.load(path)) | {"2": np.ones((11, 1), bool)}),
        r"image 4: .*000004.npz: 2 is bool of shape \(11, 1\), not a mask of 1x12",
    ),
    "silhouettes of numbers": (
        "silhouettes/000004.npz",
        lambda path: np.savez_compressed(path, **dict(np.load(path)) | {"2": np.ones((12, 1))}),
        r"image 4: .*000004.npz: 2 is float64 of shape \(12, 1\), not a mask of 1x12",
    ),
    "no shard": (".", shutil.rmtree, "scenes.jsonl is missing; render the shard first"),
    "no records": ("scenes.jsonl", lambda path: path.write_text(""), "holds no images, .*asks for 3 from 3 to 5"),
    "half a record": ("scenes.jsonl", cut, "scenes.jsonl is not a list of rendered scenes"),
    "another seed": (
        "scenes.jsonl",
        lambda path: path.write_text(path.read_text().replace('"dataset_seed":7', '"dataset_seed":8')),
        "image 3 has seed 8 .*expected seed 7",
    ),
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(data, damage, processes):
    name, spoil, pattern = DAMAGES[damage]
    spoil(data / "shards" / "00001" / name)
    done = run(data, processes=processes)
    assert done.exit_code == 2
    message = done.stderr
    assert "shards/00001" in message
    assert re.search(pattern, message), message
    assert not (data / "annotations").exists()


def test_a_failed_run_leaves_the_annotations_of_the_last_run(data):
    run(data)
    before = files(data / "annotations")
    cut(data / "shards" / "00001" / "images" / "000003.png")
    assert run(data).exit_code == 2
    assert files(data / "annotations") == before


def test_without_the_audit_silhouettes_are_not_compared(data):
    shard_files.shift_ids(data / "shards/00000", 2)
    quiet = SETTINGS.model_copy(update={"label": SETTINGS.label.model_copy(update={"audit": False})})
    assert run(data, quiet).exit_code == 0
    facts = json.loads((data / "annotations/audit.json").read_text())
    assert (facts["silhouettes"], facts["images"], facts["instances"]) == (False, 7, 0)


def test_the_summary_of_the_audit(data):
    run(data)
    facts = json.loads((data / "annotations/audit.json").read_text())
    counts = [8 + 4 * number for index in range(7) for number in range(index)]
    assert facts == {
        "silhouettes": True,
        "images": 7,
        "instances": 21,
        "hidden": 0,
        "outside": 0,
        "verified": 0,
        "blurred": 0,
        "keypoints": 12,
        "visible_pixels": sum(counts),
        "boundary_pixels": 0,
        "largest_excess_px": 0,
        "quarantined": [],
    }


def test_the_config_can_ask_for_polygons(data):
    rules = SETTINGS.label.model_copy(update={"segmentation": "polygons"})
    assert run(data, SETTINGS.model_copy(update={"label": rules})).exit_code == 0
    read = reader.read_coco(data / "annotations/train.json")
    assert {type(each.segmentation) for each in read.annotations if not each.iscrowd} == {list}
    images = {image.id: image for image in read.images}
    for each in read.annotations:
        assert read.decode_mask(each, images[each.image_id]).sum() == each.area


def test_only_a_few_shards_are_read_ahead(data, monkeypatch):
    """The memory of a run does not grow with the number of shards."""
    begun = []

    class Pool(ThreadPoolExecutor):
        def submit(self, work, number):
            begun.append(number)
            return super().submit(work, number)

    monkeypatch.setattr(label, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(label, "QUEUED_SHARDS_PER_PROCESS", 0.5)
    ahead = [len(begun) - done for done, _ in enumerate(label.label_shards(data / "shards", SETTINGS, 2), 1)]
    assert begun == [0, 1, 2]
    assert max(ahead) == 1
