# SPDX-License-Identifier: Apache-2.0
"""From a COCO file to targets: boxes around masks, labels by position, errors that name file and entry."""

import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from pipeline.coco import reader
from pipeline.common import image_files, json_files
from pipeline.config.training import AugmentSection, SourceSection
from pipeline.data.augment import LabeledImage
from pipeline.data.dataset import TrainingDataset, add_boxes_without_mask, make_target
from pipeline.data.sampler import Draw
from tests.helpers.coco_sets import annotation, image, write_set
from tests.helpers.search import examples

OFF = dict.fromkeys(("flip", "brightness", "contrast", "saturation", "hue", "white_balance", "vignette"), 0)
OFF |= dict.fromkeys(("blur", "motion_blur", "noise", "sharpen", "jpeg"), 0)
NOTHING = AugmentSection(scale=1, **OFF)


def open_data(data, settings=NOTHING, seed=0) -> TrainingDataset:
    return TrainingDataset(reader.read_coco(data.annotations), data.images, settings, seed)


def rewrite(data, change) -> None:
    """Change the COCO file of `data` by a function on its document."""
    document = json.loads(data.annotations.read_text())
    change(document)
    json_files.write_json(data.annotations, document)


def test_a_sample_shows_what_the_file_says(make_data):
    data = make_data()
    sample = open_data(data)[Draw(0, 1)]
    boxes = [
        entry["bbox"] for entry in json.loads(data.annotations.read_text())["annotations"] if entry["image_id"] == 2
    ]
    corners = torch.tensor([[x, y, x + width, y + height] for x, y, width, height in boxes]).float()
    assert sample.file_name == "images/000002.png"
    assert sample.image.shape == (3, 96, 96)
    assert sample.image.dtype == torch.float32
    assert 0 <= sample.image.min() < sample.image.max() <= 1
    assert torch.equal(sample.target["boxes"], corners)
    assert sample.target["labels"].tolist() == [1, 2]
    assert sample.target["ids"].dtype == torch.int32
    assert sample.target["mask_ids"].tolist() == [1, 2]
    red = (sample.image[0] > 0.88) & (sample.image[1] == 0)
    assert torch.equal(sample.target["ids"] == 1, red)


def test_a_image_without_instances_has_empty_targets_of_the_right_shape(make_data):
    target = open_data(make_data(empty=(1,)))[Draw(0, 0)].target
    assert (target["boxes"].shape, target["boxes"].dtype) == ((0, 4), torch.float32)
    assert (target["labels"].shape, target["labels"].dtype) == ((0,), torch.int64)
    assert (target["mask_ids"].shape, target["mask_ids"].dtype) == ((0,), torch.int32)
    assert not target["ids"].any()


def test_labels_are_places_in_the_files_categories(make_data):
    data = make_data()
    rewrite(data, lambda document: document["categories"].reverse())
    assert sorted(open_data(data)[Draw(0, 0)].target["labels"].tolist()) == [1, 2]
    (red,) = torch.nonzero(open_data(data)[Draw(0, 0)].target["labels"] == 2).flatten()
    assert open_data(data)[Draw(0, 0)].target["boxes"][red, 1] == 10


def test_crowds_are_not_trained_on(make_data):
    data = make_data()
    rewrite(data, lambda document: document["annotations"][0].update(iscrowd=1))
    assert open_data(data)[Draw(0, 0)].target["labels"].tolist() == [2]


def test_of_overlapping_masks_the_smaller_is_in_front(make_data):
    data = make_data()
    small = np.zeros((96, 96), np.uint8)
    small[12:22, 22:30] = 1

    def overlap(document):
        document["annotations"][0]["segmentation"] = [[20, 10, 60, 10, 60, 70, 20, 70]]
        document["annotations"][1].update(segmentation=reader.encode_mask(small), bbox=[22, 12, 8, 10])

    rewrite(data, overlap)
    target = open_data(data)[Draw(0, 0)].target
    assert target["labels"].tolist() == [1, 2]
    assert torch.equal(target["ids"] == target["mask_ids"][1], torch.from_numpy(small == 1))


def test_the_look_depends_on_seed_and_draw_alone(make_data):
    data = make_data()
    first, again, other = (open_data(data, AugmentSection(), seed) for seed in (3, 3, 4))
    again[Draw(0, 2)]
    assert torch.equal(first[Draw(7, 1)].image, again[Draw(7, 1)].image)
    assert not torch.equal(first[Draw(7, 1)].image, first[Draw(8, 1)].image)
    assert not torch.equal(first[Draw(7, 1)].image, other[Draw(7, 1)].image)


@settings(max_examples=examples(60))
@given(ids=hnp.arrays(np.int32, (24, 30), elements=st.integers(0, 4), fill=st.just(0)))
def test_targets_are_never_degenerate_and_boxes_hug_their_masks(ids):
    target = make_target(torch.from_numpy(ids), torch.tensor([2, 1, 2, 1]))
    assert len(target["boxes"]) == len(target["labels"]) == len(target["mask_ids"])
    for box, mask_id in zip(target["boxes"].tolist(), target["mask_ids"].tolist(), strict=True):
        rows, columns = np.nonzero(ids == mask_id)
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert box[2] - box[0] >= 2
        assert box[3] - box[1] >= 2
        assert len(rows) >= 8
    enough = [np.count_nonzero(ids == value) >= 8 for value in range(1, 5)]
    assert len(target["boxes"]) <= sum(enough)


def test_a_line_one_pixel_wide_is_dropped_and_its_label_with_it():
    ids = np.zeros((20, 20), np.int32)
    ids[2:18, 3] = 1
    ids[2:18, 8:12] = 2
    target = make_target(torch.from_numpy(ids), torch.tensor([1, 2]))
    assert target["labels"].tolist() == [2]
    assert target["mask_ids"].tolist() == [2]


def test_boxes_without_masks_have_mask_id_0_and_degenerate_ones_are_dropped():
    ids = np.zeros((20, 20), np.int32)
    ids[2:18, 8:12] = 1
    boxes, box_labels = np.array([[1, 1, 6.5, 9], [3, 3, 4, 15], [5, 5, 5, 5]], np.float32), np.array([2, 1, 1])
    labeled = LabeledImage(np.zeros((20, 20, 3), np.uint8), ids, np.array([1]), boxes, box_labels)
    target = add_boxes_without_mask(make_target(torch.from_numpy(ids), torch.tensor([1])), labeled)
    assert target["boxes"].tolist() == [[8, 2, 12, 18], [1, 1, 6.5, 9]]
    assert target["labels"].tolist() == [1, 2]
    assert target["mask_ids"].tolist() == [1, 0]
    assert (target["mask_ids"].dtype, target["labels"].dtype) == (torch.int32, torch.int64)


def test_images_mixed_in_follow_the_rendered_ones_and_are_of_their_own_size(make_data, tmp_path):
    data = make_data()
    path = write_set(tmp_path / "real", [image(), image(gray=200)], [annotation(1, 40)], ("pedestrian",))
    site = SourceSection(annotations=str(path), images=str(path.parent), share=0.5)
    images = TrainingDataset(reader.read_coco(data.annotations), data.images, NOTHING, 0, {"site": site})
    assert len(images) == 6
    sample = images[Draw(0, 5)]
    assert sample.file_name == "002.png"
    assert sample.image.shape == (3, 80, 100)
    assert sample.target["boxes"].tolist() == [[40, 20, 50, 60]]
    assert sample.target["mask_ids"].tolist() == [0]
    assert len(images[Draw(0, 4)].target["boxes"]) == 0
    assert images.largest_px() == 96 * 96


def test_copy_paste_adds_instances_of_other_images(make_data):
    pasting = open_data(make_data(empty=(1,)), AugmentSection(scale=1, copy_paste=1, **OFF))
    counts = [len(pasting[Draw(number, 0)].target["boxes"]) for number in range(12)]
    assert max(counts) == 2
    assert torch.equal(pasting[Draw(3, 0)].image, pasting[Draw(3, 0)].image)


def test_damaged_images_that_are_mixed_in_are_named_before_the_training_begins(make_data, tmp_path):
    data = make_data()
    path = write_set(tmp_path / "real", [image()] * 14, [], ("pedestrian",))
    site = SourceSection(annotations=str(path), images=str(path.parent), share=0.5)
    annotated = reader.read_coco(data.annotations)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8))
    noise.save(tmp_path / "noise.jpg")
    for number in range(2, 14):
        # The header is complete.
        (path.parent / f"{number:03}.png").write_bytes((tmp_path / "noise.jpg").read_bytes()[:-500])
    with pytest.raises(image_files.ImageFileError) as caught:
        TrainingDataset(annotated, data.images, NOTHING, 0, {"site": site})
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert re.fullmatch(r"train\.sources\.site: .*002\.png: not a readable image \(.*its end is missing.*\)", lines[0])
    assert lines[10] == "and 2 more"


def test_what_is_assumed_about_images_that_are_mixed_in_is_said_once(make_data, tmp_path, caplog):
    data = make_data()
    path = write_set(tmp_path / "real", [image()] * 3, [], ("pedestrian",))
    for number in (1, 2):
        Image.fromarray(np.full((80, 100), 60000, np.uint16)).save(path.parent / f"{number:03}.png")
    site = SourceSection(annotations=str(path), images=str(path.parent), share=0.5)
    TrainingDataset(reader.read_coco(data.annotations), data.images, NOTHING, 0, {"site": site})
    (line,) = [line for line in caplog.messages if "gray of more than 8 bits" in line]
    assert "images 2 (" in line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["annotations"][2].pop("segmentation"), r"train\.json: 1 annotations have no segmentation.*3"),
        (lambda d: d["annotations"][1].update(category_id=9), r"train\.json: annotation 2: category 9"),
        (lambda d: d["annotations"][1].update(bbox=[90, 90, 40, 40]), r"annotation 2: bbox .* reaches outside"),
        (lambda d: d["images"][3].update(width=95), r"segmentation has size|the image is 96x96"),
        (lambda d: d["images"][0].update(file_name="images/no.png"), r"image 1: .*no\.png: no such file"),
        (lambda d: d.update(images=[], annotations=[]), r"images: empty"),
        (lambda d: d.update(categories=[], annotations=[]), r"categories: empty"),
    ],
)
def test_data_that_cannot_be_trained_on_is_named(make_data, change, message):
    data = make_data()
    rewrite(data, change)
    with pytest.raises(reader.CocoError, match=message):
        open_data(data)


def test_a_cut_off_image_is_named_when_it_is_read(make_data):
    data = make_data()
    cut = data.images / "images" / "000003.png"
    cut.write_bytes(cut.read_bytes()[:-5000])
    with pytest.raises(image_files.ImageFileError, match=r"000003\.png: not a readable image"):
        open_data(data)[Draw(0, 2)]
