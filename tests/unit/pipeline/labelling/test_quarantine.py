# SPDX-License-Identifier: Apache-2.0
"""Images that fail the audit: a few are left out, named and drawn; many fail the run."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as search_settings
from hypothesis import strategies as st

from pipeline.common.vocabulary import SPLITS
from pipeline.config import config
from pipeline.config.stages import LabelConfig
from pipeline.labelling import audit_overlay, label, quarantine
from tests.helpers import shard_files
from tests.helpers.commands import run_cariste
from tests.helpers.search import examples


def settings(images: int = 7, **label_section: object) -> LabelConfig:
    values = {
        "data": {"images": images, "shard_size": 3, "split": {"train": 3, "val": 1, "test": 1}},
        "label": {"min_pixels": 0, "crowd_pixels": 15, **label_section},
    }
    return LabelConfig.from_config(config.validate(values))


@pytest.fixture
def data(tmp_path) -> Path:
    """A data set of 7 images in 3 shards; image i has i people and trucks."""
    return shard_files.write_data_set(tmp_path / "data", 7)


def spoil(data: Path, *indices: int) -> None:
    for index in indices:
        shard_files.shift_ids(data / "shards" / f"{index // 3:05d}", index)


def run(data: Path, label_config: LabelConfig, processes: int = 1):
    return run_cariste("label", "--config", label_config.as_text(), "--data", data, "--processes", processes)


def read(data: Path, name: str) -> dict:
    return json.loads((data / f"annotations/{name}.json").read_text())


@search_settings(max_examples=examples(40))
@given(st.sets(st.integers(1, 6), min_size=1))
def test_exactly_the_images_that_fail_are_left_out(tmp_path_factory, spoiled):
    data = shard_files.write_data_set(tmp_path_factory.mktemp("set"), 7)
    spoil(data, *spoiled)
    label.label_dataset(data, settings(max_violations=len(spoiled)))
    labeled = [image["index"] for split in SPLITS for image in read(data, split)["images"]]
    facts = read(data, "audit")
    assert sorted(labeled) == sorted(set(range(7)) - spoiled)
    assert [image["index"] for image in facts["quarantined"]] == sorted(spoiled)
    # The other counts are of the images that passed.
    assert (facts["images"], facts["instances"]) == (7 - len(spoiled), sum(set(range(7)) - spoiled))
    for image in facts["quarantined"]:
        assert len(image["reasons"]) >= image["index"]  # all of its instances are shifted
        assert image["drawings"]
        assert all((data / path).is_file() for path in image["drawings"])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_quarantined_image_is_named_with_reason_and_drawing(data, processes):
    spoil(data, 2)
    done = run(data, settings(), processes)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == (
        f"quarantined, in no split: shard {data}/shards/00000, image 2, instance 1: 8 of its 8 visible pixels lie "
        f"outside its silhouette, up to 2 px (and 1 more); see {data}/audit/000002-1.png"
    )
    assert "1 image failed the audit" in done.stdout
    assert read(data, "audit")["quarantined"] == [
        {
            "index": 2,
            "shard": "00000",
            "reasons": [
                "instance 1: 8 of its 8 visible pixels lie outside its silhouette, up to 2 px",
                "instance 2: 12 of its 12 visible pixels lie outside its silhouette, up to 2 px",
            ],
            "drawings": ["audit/000002-1.png", "audit/000002-2.png"],
        }
    ]


def test_the_other_images_have_the_same_entries_as_without_a_quarantined_one(data):
    label.label_dataset(data, settings())
    before = read(data, "train")
    spoil(data, 2)
    label.label_dataset(data, settings())
    after = read(data, "train")
    assert after["images"] == [image for image in before["images"] if image["index"] != 2]
    others = [entry for entry in before["annotations"] if entry["image_id"] != 3]
    assert after["annotations"] == [entry | {"id": number} for number, entry in enumerate(others, 1)]


@pytest.mark.parametrize("processes", [1, 2])
def test_more_images_than_allowed_fail_the_run_and_the_first_are_named_and_drawn(data, processes):
    spoil(data, 2, 5, 6)
    (data / "audit").mkdir()
    (data / "audit" / "000000-1.png").write_bytes(b"of the last run")
    done = run(data, settings(max_violations=2), processes)
    assert done.exit_code == 2
    lines = done.stderr.splitlines()[-4:]
    assert [line.split(", ")[1] for line in lines[:3]] == ["image 2", "image 5", "image 6"]
    assert lines[3].startswith("3 of 7 images failed the audit, label.max_violations allows 2. Nothing was labeled.")
    drawn = {2: 2, 5: 3, 6: 3}
    expected = [f"{index:06d}-{number}.png" for index, count in drawn.items() for number in range(1, count + 1)]
    assert sorted(path.name for path in (data / "audit").iterdir()) == expected
    assert not (data / "annotations").exists()


def test_only_ten_failed_images_are_named_and_the_rest_is_counted(tmp_path):
    data = shard_files.write_data_set(tmp_path / "data", 13)
    spoil(data, *range(1, 13))
    with pytest.raises(label.LabelError) as caught:
        label.label_dataset(data, settings(13))
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[10] == "and 2 more"
    assert lines[11].startswith("12 of 13 images failed the audit, label.max_violations allows 1.")


def test_no_image_may_fail_if_the_config_says_so(data):
    spoil(data, 1)
    with pytest.raises(label.LabelError, match=r"1 of 7 images failed the audit, label\.max_violations allows 0"):
        label.label_dataset(data, settings(max_violations=0))


@pytest.mark.parametrize(("images", "allowed"), [(1, 1), (96, 1), (1999, 1), (2000, 2), (100_000, 100)])
def test_by_default_one_in_a_thousand_images_may_fail_and_at_least_one(images, allowed):
    assert quarantine.max_quarantined(settings(images)) == allowed


def test_an_image_that_cannot_be_read_fails_the_run_also_where_violations_are_allowed(data):
    spoil(data, 2)
    (data / "shards/00001/instances/000004.png").unlink()
    with pytest.raises(label.LabelError, match=r"image 4: .*000004\.png is missing"):
        label.label_dataset(data, settings(max_violations=7))


def test_an_id_map_that_contradicts_the_record_is_quarantined_also_without_the_audit(data):
    empty = np.zeros((shard_files.HEIGHT, shard_files.WIDTH), np.uint16)
    cv2.imwrite(str(data / "shards/00001/instances/000004.png"), empty)
    label.label_dataset(data, settings(audit=False))
    (image,) = read(data, "audit")["quarantined"]
    assert image["reasons"][0] == "instance 1: 0 pixels in the id map, 8 visible pixels in the record"


def test_a_violation_of_the_image_itself_gets_a_drawing_of_the_whole_image(data, monkeypatch):
    violation = [label.audit.Violation(None, "the masks overlap")]
    monkeypatch.setattr(
        label.audit, "check_rle_masks", lambda ids, visible: violation if (ids == 2).any() and len(visible) == 2 else []
    )
    label.label_dataset(data, settings())
    (image,) = read(data, "audit")["quarantined"]
    assert (image["index"], image["reasons"], image["drawings"]) == (2, ["the masks overlap"], ["audit/000002.png"])
    assert (data / "audit/000002.png").is_file()


def test_the_drawing_shows_the_instance_enlarged_in_three_colors(data):
    spoil(data, 1)
    label.label_dataset(data, settings())
    drawn = cv2.imread(str(data / "audit/000001-1.png"))[:, :, ::-1].astype(int)
    outline = (drawn == audit_overlay.OUTLINE_RGB).all(axis=2)
    # Eight pixels of an enlarged column are at fault; part of the color is the image's own.
    reddish = (drawn[:, :, 0] > 100) & (drawn[:, :, 1:].sum(axis=2) < 300) & ~outline
    scale = audit_overlay.LONG_SIDE_PX // 20
    assert outline.sum() > 2 * 8 * scale
    assert reddish.sum() > 0.3 * 8 * scale * scale
    assert drawn.shape[1] >= audit_overlay.MIN_WIDTH_PX


def test_a_later_run_without_violations_removes_the_drawings(data):
    spoil(data, 2)
    label.label_dataset(data, settings())
    shard_files.shift_ids(data / "shards/00000", 2, by=-2)
    label.label_dataset(data, settings())
    assert not (data / "audit").exists()
    assert read(data, "audit")["quarantined"] == []


def test_verify_notes_quarantined_images_and_finds_no_problem(data):
    spoil(data, 2)
    shard_files.seal(data / "shards/00000")
    run(data, settings())
    done = run_cariste("verify", data)
    assert done.exit_code == 0, done.stdout
    assert "note: shards/00000/images/000002.png: failed the audit, so it is in no split" in done.stdout
    assert done.stdout.count("000002") == 1
    assert done.stdout.endswith(": no problems\n")
