# SPDX-License-Identifier: Apache-2.0
"""From a COCO file to targets: boxes around masks, labels by place, errors that name file and entry."""

import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline import coco
from pipeline.config_learning import AugmentSection
from pipeline.dataset import Batches, Draw, TrainingPictures, target_of

OFF = dict.fromkeys(("flip", "brightness", "contrast", "saturation", "hue", "white_balance", "vignette"), 0)
OFF |= dict.fromkeys(("blur", "motion_blur", "noise", "sharpen", "jpeg"), 0)
NOTHING = AugmentSection(scale=1, **OFF)


def open_data(data, settings=NOTHING, seed=0) -> TrainingPictures:
    return TrainingPictures(coco.read(data.annotations), data.images, settings, seed)


def rewrite(data, change) -> None:
    """Change the COCO file of `data` by a function on its document."""
    document = json.loads(data.annotations.read_text())
    change(document)
    coco.write(data.annotations, document)


def test_a_sample_shows_what_the_file_says(make_data):
    data = make_data()
    sample = open_data(data)[Draw(0, 1)]
    boxes = [
        entry["bbox"] for entry in json.loads(data.annotations.read_text())["annotations"] if entry["image_id"] == 2
    ]
    corners = torch.tensor([[x, y, x + width, y + height] for x, y, width, height in boxes]).float()
    assert sample.file_name == "images/000002.png"
    assert sample.picture.shape == (3, 96, 96)
    assert sample.picture.dtype == torch.float32
    assert 0 <= sample.picture.min() < sample.picture.max() <= 1
    assert torch.equal(sample.target["boxes"], corners)
    assert sample.target["labels"].tolist() == [1, 2]
    red = (sample.picture[0] > 0.88) & (sample.picture[1] == 0)
    assert torch.equal(sample.target["ids"] == sample.target["mask_ids"][0], red)


def test_a_picture_without_instances_has_empty_targets_of_the_right_shape(make_data):
    target = open_data(make_data(empty=(1,)))[Draw(0, 0)].target
    assert (target["boxes"].shape, target["boxes"].dtype) == ((0, 4), torch.float32)
    assert (target["labels"].shape, target["labels"].dtype) == ((0,), torch.int64)
    assert (target["mask_ids"].shape, target["mask_ids"].dtype) == ((0,), torch.int32)
    assert torch.equal(target["ids"], torch.zeros(96, 96, dtype=torch.int32))


def test_labels_are_places_in_the_files_categories(make_data):
    data = make_data()
    rewrite(data, lambda document: document["categories"].reverse())
    assert sorted(open_data(data)[Draw(0, 0)].target["labels"].tolist()) == [1, 2]
    (red,) = torch.nonzero(open_data(data)[Draw(0, 0)].target["labels"] == 2).flatten()
    assert open_data(data)[Draw(0, 0)].target["boxes"][red, 1] == 10


def test_crowds_are_not_taught(make_data):
    data = make_data()
    rewrite(data, lambda document: document["annotations"][0].update(iscrowd=1))
    assert open_data(data)[Draw(0, 0)].target["labels"].tolist() == [2]


def test_of_overlapping_masks_the_smaller_is_in_front(make_data):
    data = make_data()
    small = np.zeros((96, 96), np.uint8)
    small[12:22, 22:30] = 1

    def overlap(document):
        document["annotations"][0]["segmentation"] = [[20, 10, 60, 10, 60, 70, 20, 70]]
        document["annotations"][1].update(segmentation=coco.encode(small), bbox=[22, 12, 8, 10])

    rewrite(data, overlap)
    target = open_data(data)[Draw(0, 0)].target
    assert target["labels"].tolist() == [1, 2]
    assert torch.equal((target["ids"] == target["mask_ids"][1]).byte(), torch.from_numpy(small))
    assert (target["ids"] == target["mask_ids"][0]).sum() == 40 * 60 - small.sum()


def test_the_look_depends_on_seed_and_draw_alone(make_data):
    data = make_data()
    first, again, other = (open_data(data, AugmentSection(), seed) for seed in (3, 3, 4))
    again[Draw(0, 2)]
    assert torch.equal(first[Draw(7, 1)].picture, again[Draw(7, 1)].picture)
    assert not torch.equal(first[Draw(7, 1)].picture, first[Draw(8, 1)].picture)
    assert not torch.equal(first[Draw(7, 1)].picture, other[Draw(7, 1)].picture)


@settings(max_examples=60, deadline=None)
@given(ids=hnp.arrays(np.int32, (24, 30), elements=st.integers(0, 4), fill=st.just(0)))
def test_targets_are_never_degenerate_and_boxes_hug_their_masks(ids):
    labels = torch.tensor([2, 1, 2, 1])
    target = target_of(torch.from_numpy(ids), labels)
    for box, label, mask_id in zip(*(target[key].tolist() for key in ("boxes", "labels", "mask_ids")), strict=True):
        assert label == labels[mask_id - 1]
        mask = ids == mask_id
        rows, columns = np.nonzero(mask)
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert box[2] - box[0] >= 2
        assert box[3] - box[1] >= 2
        assert mask.sum() >= 8
    enough = [np.count_nonzero(ids == value) >= 8 for value in range(1, 5)]
    assert len(target["boxes"]) <= sum(enough)


def test_a_line_one_pixel_wide_is_dropped_and_its_label_with_it():
    ids = torch.zeros(20, 20, dtype=torch.int32)
    ids[2:18, 3] = 1
    ids[2:18, 8:12] = 2
    assert target_of(ids, torch.tensor([1, 2]))["labels"].tolist() == [2]


def test_an_epoch_shows_every_picture_once():
    draws = list(itertools.chain(*Batches(pictures=5, batch_size=2, iterations=10, seed=0)))
    assert [draw.number for draw in draws] == list(range(20))
    epochs = [[draw.picture for draw in draws[start : start + 5]] for start in range(0, 20, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_batches_may_be_larger_than_the_data_set():
    batches = list(Batches(pictures=1, batch_size=3, iterations=2, seed=0))
    assert [len(batch) for batch in batches] == [3, 3]


def test_the_order_depends_on_the_seed_alone():
    first, again, other = (list(Batches(50, 2, 25, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_longer_training_starts_like_a_shorter_one():
    assert list(Batches(7, 2, 30, 0))[:10] == list(Batches(7, 2, 10, 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["annotations"][2].pop("segmentation"), r"train\.json: 1 annotations have no segmentation.*3"),
        (lambda d: d["annotations"][1].update(category_id=9), r"train\.json: annotation 2: category 9"),
        (lambda d: d["annotations"][1].update(bbox=[90, 90, 40, 40]), r"annotation 2: bbox .* reaches outside"),
        (lambda d: d["images"][3].update(width=95), r"segmentation has size|the picture is 96x96"),
        (lambda d: d["images"][0].update(file_name="images/no.png"), r"image 1: .*no\.png: no such file"),
        (lambda d: d.update(images=[], annotations=[]), r"images: empty"),
        (lambda d: d.update(categories=[], annotations=[]), r"categories: empty"),
    ],
)
def test_what_cannot_be_taught_is_named(make_data, change, message):
    data = make_data()
    rewrite(data, change)
    with pytest.raises(coco.CocoError, match=message):
        open_data(data)


def test_a_cut_off_picture_is_named_when_it_is_read(make_data):
    data = make_data()
    cut = data.images / "images" / "000003.png"
    cut.write_bytes(cut.read_bytes()[:-5000])
    with pytest.raises(coco.CocoError, match=r"000003\.png: not a readable picture"):
        open_data(data)[Draw(0, 2)]
