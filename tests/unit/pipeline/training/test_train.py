# SPDX-License-Identifier: Apache-2.0
"""Real training steps with a tiny model: what is learned, written, repeated and refused."""

import os
from pathlib import Path

import pytest
import torch
from torchvision.ops import box_iou

from pipeline.coco import reader
from pipeline.common import devices
from pipeline.config import config, training
from pipeline.config.stages import TrainConfig
from pipeline.data.dataset import Draw, TrainingDataset
from pipeline.models import detectors, freezing
from pipeline.reports.run_records import LOSS_COLUMNS, read_training
from pipeline.training import nan_recovery, train
from tests.helpers.commands import Outcome, run_cariste
from tests.helpers.configs import with_values

NOTHING = training.AugmentSection(
    flip=0,
    scale=(1, 1),
    brightness=0,
    contrast=0,
    saturation=0,
    hue=0,
    blur=0,
    motion_blur=0,
    noise=0,
    sharpen=0,
    jpeg=0,
)


def run(settings: TrainConfig, data, folder: Path) -> tuple[Path, Path]:
    """Train and return the model file and the log."""
    out, log = folder / "model.pt", folder / "training.jsonl"
    train.train(settings, data.annotations, data.images, out, log)
    return out, log


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["weights"]


def same_weights(first: Path, second: Path) -> bool:
    one, two = weights_of(first), weights_of(second)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_log_and_the_model_say_what_was_done(make_data, tiny_settings, tmp_path):
    data = make_data()
    out, log = run(tiny_settings, data, tmp_path / "run")
    trained = read_training(log)
    assert trained.facts["device"] == "cpu"
    assert 0 < trained.facts["trainable_parameters"] < trained.facts["parameters"]
    assert trained.columns["iteration"] == [1, 2]
    losses = [trained.columns[name] for name in LOSS_COLUMNS[1:]]
    assert trained.columns["loss"] == pytest.approx([sum(step) for step in zip(*losses, strict=True)], rel=1e-5)
    assert trained.columns["learning_rate"] == pytest.approx([7e-4, 3.5e-4])
    assert all(seconds > 0 for seconds in trained.columns["seconds"])
    loaded = detectors.load(out)
    assert loaded.categories[1] == {"id": 2, "name": "pallet_truck"}
    assert loaded.facts["config"] == tiny_settings.with_backbone_rate().model_dump(mode="json")
    assert {name: loaded.facts[name] for name in trained.facts} == trained.facts
    assert sorted(os.listdir(tmp_path / "run")) == ["model.pt", "training.csv", "training.jsonl"]


@pytest.mark.parametrize(("optimizer", "learning_rate"), [("sgd", 0.02), ("adamw", 0.002)])
def test_training_learns_to_detect(make_data, tiny_settings, tmp_path, optimizer, learning_rate):
    """Both kinds of blocks are detected in the training images, with boxes and masks that fit."""
    data = make_data(image_count=6)
    plain = training.AugmentSection(scale=(1, 1), hue=0, blur=0, noise=0, sharpen=0, jpeg=0)
    settings = with_values(tiny_settings, "train", iterations=40, warmup_iterations=5, augment=plain)
    settings = with_values(settings, "train", optimizer=optimizer, learning_rate=learning_rate, weight_decay=1e-4)
    out, log = run(with_values(settings, "model", sampled_boxes=32, fpn_channels=32), data, tmp_path)
    losses = read_training(log).columns["loss"]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    detector = detectors.load(out).model
    images = TrainingDataset(reader.read_coco(data.annotations), data.images, NOTHING, seed=0)
    for place in range(len(images)):
        sample = images[Draw(0, place)]
        (found,) = detector([sample.image])
        for box, label, mask_id in zip(*(sample.target[key] for key in ("boxes", "labels", "mask_ids")), strict=True):
            mask = sample.target["ids"] == mask_id
            best = int(torch.nonzero(found["labels"] == label).flatten()[0])
            assert box_iou(box[None], found["boxes"][best, None]) > 0.5
            drawn = found["masks"][best, 0] > 0.5
            assert (drawn & mask).sum() > 0.5 * (drawn | mask).sum()


def test_two_runs_give_the_same_weights_whatever_the_workers(make_data, tiny_settings, tmp_path):
    data = make_data()
    first, _ = run(tiny_settings, data, tmp_path / "a")
    torch.rand(3)
    again, _ = run(tiny_settings, data, tmp_path / "b")
    workers, _ = run(with_values(tiny_settings, "train", workers=2), data, tmp_path / "c")
    seeded, _ = run(with_values(tiny_settings, "run", seed=1), data, tmp_path / "d")
    assert first.read_bytes() == again.read_bytes()
    assert same_weights(first, workers)
    assert not same_weights(first, seeded)


def test_the_frozen_backbone_of_a_trained_model_is_the_packages(make_data, tiny_settings, tmp_path, categories):
    out, _ = run(tiny_settings, make_data(), tmp_path)
    fresh = detectors.build(tiny_settings.model, categories).state_dict()
    trained = weights_of(out)
    moved = {name for name in trained if not torch.equal(trained[name], fresh[name])}
    assert not any(name.startswith("backbone.body.") for name in moved)
    assert any(name.startswith("backbone.fpn.") for name in moved)


POLICIES = ["none", "backbone", "heads_only", 4, {"all_but_last": 2}, ["backbone.fpn", "roi_heads.*"]]


@pytest.mark.parametrize("freeze", POLICIES, ids=str)
def test_a_run_trains_what_the_policy_says(make_data, tiny_settings, tmp_path, categories, freeze):
    settings = with_values(tiny_settings, "model", freeze=config.validate({"model": {"freeze": freeze}}).model.freeze)
    out, log = run(settings, make_data(), tmp_path)
    torch.manual_seed(settings.run.seed)
    fresh = detectors.build(settings.model, categories)
    expected = {name for name, parameter in fresh.named_parameters() if parameter.requires_grad}
    before, trained = fresh.state_dict(), weights_of(out)
    assert {name for name in trained if not torch.equal(trained[name], before[name])} == expected
    assert read_training(log).facts["trainable_parameters"] == freezing.count(freezing.trainable_parameters(fresh))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_run_unfreezes_when_it_is_time(make_data, tiny_settings, tmp_path, optimizer):
    """Four images in pairs: the first epoch ends with iteration 2, so iteration 3 trains what epoch 1 unfreezes."""
    data, starts, left = make_data(), "backbone.body.blocks.6.", {}
    later = [{"epoch": 1, "parameters": ["backbone.body.blocks.6"], "learning_rate_factor": 0.5}]
    unfreeze = config.validate({"model": {"unfreeze": later}}).model.unfreeze
    for iterations in (2, 3):
        settings = with_values(tiny_settings, "train", iterations=iterations, optimizer=optimizer)
        if iterations == 3:
            settings = with_values(settings, "model", unfreeze=unfreeze)
        left[iterations] = weights_of(run(settings, data, tmp_path / f"{iterations}")[0])
    moved = {name for name in left[2] if not torch.equal(left[2][name], left[3][name])}
    body = {name for name in moved if name.startswith("backbone.body.")}
    assert body == {name for name in left[2] if name.startswith(starts) and ".conv" in name}
    never = with_values(with_values(tiny_settings, "model", unfreeze=unfreeze), "train", iterations=2)
    with pytest.raises(freezing.FreezingError, match="iteration 3 never comes: the run has 2"):
        run(never, data, tmp_path / "never")


@pytest.mark.parametrize("empty", [(1, 2, 3), (1, 2, 3, 4)])
def test_empty_images_are_trained_on(make_data, tiny_settings, tmp_path, empty):
    _, log = run(tiny_settings, make_data(empty=empty), tmp_path)
    assert all(torch.isfinite(torch.tensor(read_training(log).columns["loss"])))


def test_training_can_start_from_a_model_file(make_data, tiny_settings, tmp_path):
    data = make_data()
    first, _ = run(tiny_settings, data, tmp_path / "a")
    still = with_values(
        with_values(tiny_settings, "model", weights=str(first)), "train", iterations=1, learning_rate=1e-12
    )
    second, _ = run(still, data, tmp_path / "b")
    one, two = weights_of(first), weights_of(second)
    assert all(torch.allclose(one[name], two[name], atol=1e-8) for name in one)


def test_out_of_memory_says_what_to_lower(make_data, tiny_settings, tmp_path):
    # Two thousand gigabytes an image: refused by the allocator at once.
    huge = with_values(tiny_settings, "model", min_size=400_000, max_size=400_000)
    with pytest.raises(nan_recovery.TrainingError, match=r"out of memory; lower train\.batch_size.*allocate"):
        run(huge, make_data(), tmp_path)


def test_a_missing_gpu_is_an_error(make_data, tiny_settings, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(devices.DeviceError, match=r"train\.device.*finds no cuda device"):
        run(with_values(tiny_settings, "train", device="cuda"), make_data(), tmp_path)


def command(data, settings: TrainConfig, folder: Path, *options: str) -> Outcome:
    text = settings.as_text()
    files = ("--annotations", data.annotations, "--images", data.images)
    out = ("--out", folder / "model.pt", "--log", folder / "training.jsonl")
    return run_cariste("train", "--config", text, *files, *out, *options)


def test_the_command_trains_and_reports_progress(make_data, tiny_settings, tmp_path):
    done = command(make_data(), tiny_settings, tmp_path, "--threads", "1")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith("train: device: cpu. A CPU takes many times as long")
    assert "288 tensors loaded" in done.stderr
    assert "train: 2 of 2 iterations, 0 left" in done.stderr
    assert "s per iteration, loss " in done.stderr
    assert detectors.load(tmp_path / "model.pt").facts["threads"] == 1


def test_the_command_says_in_one_line_which_image_a_worker_could_not_read(make_data, tiny_settings, tmp_path):
    data = make_data()
    for image in (data.images / "images").iterdir():
        image.write_bytes(image.read_bytes()[:-5000])
    done = command(data, with_values(tiny_settings, "train", workers=1), tmp_path)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert "not a readable image" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "model.pt").exists()
