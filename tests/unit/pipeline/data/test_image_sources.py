# SPDX-License-Identifier: Apache-2.0
"""Sets that are mixed in: classes by name, boxes without masks, what is logged and what is refused."""

import json
import logging
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.coco import reader
from pipeline.config import config
from pipeline.config.stages import TrainConfig
from pipeline.config.training import AugmentSection, SourceSection
from pipeline.data import image_sources
from pipeline.data.dataset import TrainingDataset
from pipeline.models import detectors
from pipeline.training import train
from tests.helpers.coco_sets import annotation, image, write_set


@pytest.fixture
def mixed(tmp_path: Path, make_data, caplog):
    """Return a function that mixes a made set into the tiny one and gives the sources and the log's lines."""
    data = make_data()

    def mix(annotations, classes, images=2, share=0.25):
        path = write_set(tmp_path / "real", [image()] * images, annotations, classes)
        section = SourceSection(annotations=str(path), images=str(path.parent), share=share)
        with caplog.at_level(logging.INFO):
            opened = image_sources.open_sources(reader.read_coco(data.annotations), data.images, {"site": section})
        return opened, caplog.messages

    return mix


def test_classes_are_matched_by_name_and_the_log_lists_the_others(mixed):
    annotations = [annotation(0, 40, "pallet_truck"), annotation(0, 20, "forklift"), annotation(1, 30, "pallet_truck")]
    (rendered, site), lines = mixed(annotations, ("forklift", "pallet_truck"))
    assert (rendered.share, site.share) == (0.75, 0.25)
    assert site.annotations.labels.tolist() == [2, 2]
    assert not site.annotations.has_mask.any()
    assert rendered.annotations.has_mask.all()
    assert any(
        "train.sources.site: not trained on, because the rendered set does not have these categories: forklift" in line
        for line in lines
    )
    assert any(
        "train.sources.site: pedestrian is not annotated in this set" in line and "background" in line for line in lines
    )
    counts = "share 0.25, 2 images with 0 pedestrian, 2 pallet_truck; 2 of them are boxes without a mask"
    assert any(f"train.sources.site: {counts}" in line for line in lines)
    assert site.facts()["boxes_without_mask"] == 2


def test_a_set_with_every_class_gets_one_line_in_the_log(mixed):
    _, lines = mixed([annotation(0, 40)], ("pallet_truck", "pedestrian"))
    assert len(lines) == 2


def test_a_class_with_crowds_only_is_named(mixed):
    _, lines = mixed(
        [{**annotation(0, 40, "pallet_truck"), "iscrowd": 1}, annotation(1, 30)], ("pallet_truck", "pedestrian")
    )
    (line,) = [line for line in lines if "iscrowd" in line]
    assert line.startswith("train.sources.site: every annotation of pallet_truck (1) has iscrowd 1")


def test_a_set_without_any_of_the_classes_is_refused(mixed):
    with pytest.raises(
        reader.CocoError,
        match=r"annotations\.json: none of its categories \(person, fork\) is a class of the rendered set "
        r"\(pedestrian, pallet_truck\); .*: train\.sources\.site\.categories: \{person: pedestrian\}",
    ):
        mixed([], ("person", "fork"))


def test_a_mapping_of_categories_trains_them_as_the_class(make_data, tmp_path, caplog):
    data = make_data()
    path = write_set(
        tmp_path / "real", [image()], [annotation(0, 40, "jack"), annotation(0, 20, "Person")], ("Person", "jack")
    )
    names = {"person": "Pedestrian", "jack": "pallet_truck"}
    section = SourceSection(annotations=str(path), images=str(path.parent), share=0.5, categories=names)
    _, site = image_sources.open_sources(reader.read_coco(data.annotations), data.images, {"site": section})
    assert sorted(site.annotations.labels.tolist()) == [1, 2]
    assert "categories are read 'Person' as pedestrian, 'jack' as pallet_truck" in caplog.text


@pytest.mark.parametrize("stored_size_in_file", [True, False])
def test_images_are_trained_on_as_they_were_annotated(make_data, tmp_path, caplog, stored_size_in_file):
    data = make_data()
    sizes = {"width": 100, "height": 80} if stored_size_in_file else {"width": 80, "height": 100}
    path = write_set(tmp_path / "real", [image(**sizes)], [annotation(0, 40)])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (100, 80)).save(path.parent / "001.png", exif=exif)
    section = SourceSection(annotations=str(path), images=str(path.parent), share=0.5)
    dataset = TrainingDataset(reader.read_coco(data.annotations), data.images, AugmentSection(), 0, {"site": section})
    pixels = dataset.read(len(dataset) - 1).image
    assert pixels.shape == (sizes["height"], sizes["width"], 3)
    assert ("before the rotation by EXIF" in caplog.text) == stored_size_in_file


def test_a_set_without_images_is_refused(mixed):
    with pytest.raises(reader.CocoError, match=r"annotations\.json: images: empty"):
        mixed([], ("pedestrian",), images=0)


def test_a_set_without_categories_is_refused(mixed):
    with pytest.raises(reader.CocoError, match=r"annotations\.json: categories: empty"):
        mixed([], ())


def test_masks_and_boxes_of_one_image_are_kept_apart(mixed):
    polygon = [[10, 10, 30, 10, 30, 40, 10, 40]]
    annotations = [
        annotation(0, 60),
        annotation(0, 30, segmentation=polygon, bbox=[10, 10, 20, 30]),
        annotation(0, 9, iscrowd=1),
    ]
    (_, site), _ = mixed(annotations, ("pedestrian",))
    ids, labels = site.annotations.id_map(0)
    assert labels.tolist() == [1]
    assert ids.shape == (80, 100)
    assert ids[10:40, 10:30].all()
    assert ids.sum() == 600
    boxes, box_labels = site.annotations.boxes_without_mask(0)
    assert boxes.tolist() == [[40, 10, 50, 70]]
    assert box_labels.tolist() == [1]
    assert site.annotations.boxes_without_mask(1)[0].shape == (0, 4)
    assert site.annotations.present(2).tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(
    ("shares", "message"),
    [((0.7, 0.4), r"train\.sources.*add up to 1\.1"), ((0.0,), r"train\.sources\.s0\.share"), ((1.2,), r"s0\.share")],
)
def test_shares_that_cannot_be_are_refused(shares, message):
    given = {f"s{place}": {"annotations": "a", "images": "b", "share": share} for place, share in enumerate(shares)}
    with pytest.raises(config.ConfigError, match=message):
        config.validate({"train": {"sources": given}})


def test_shares_may_leave_nothing_to_the_rendered_set(mixed):
    (rendered, _), _ = mixed([annotation(0, 40)], ("pedestrian",), share=1.0)
    assert rendered.share == 0


def test_a_mask_whose_runs_end_too_early_is_named(make_data):
    data = make_data()
    (rendered,) = image_sources.open_sources(reader.read_coco(data.annotations), data.images, {})
    rendered.annotations.runs.bytes = np.full_like(rendered.annotations.runs.bytes, ord("1"))
    with pytest.raises(reader.CocoError, match=r"train\.json: annotation 1: segmentation"):
        rendered.annotations.id_map(0)


def test_training_takes_real_images_with_boxes_only_one_class_missing_and_empty_ones(
    make_data, tiny_settings, tmp_path
):
    """And a batch larger than both sets, half of them a single real image."""
    data = make_data(image_count=2, empty=(1,))
    path = write_set(tmp_path / "real", [image()], [annotation(0, 40, "pallet_truck")], ("pallet_truck",))
    values = tiny_settings.model_dump()
    values["train"] |= {"batch_size": 5, "repeat_threshold": 0.9}
    values["train"]["sources"] = {"site": {"annotations": str(path), "images": str(path.parent), "share": 0.5}}
    values["train"]["augment"]["copy_paste"] = 0.5
    out, log = tmp_path / "model.pt", tmp_path / "training.jsonl"
    train.train(TrainConfig.model_validate(values), data.annotations, data.images, out, log)
    steps = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    assert len(steps) == 2
    assert all(math.isfinite(value) for step in steps for value in step.values())
    facts = detectors.load(out).facts["sources"]
    assert facts["rendered"]["share"] == 0.5
    assert facts["train.sources.site"]["images"] == 1
    assert facts["train.sources.site"]["boxes_without_mask"] == 1
