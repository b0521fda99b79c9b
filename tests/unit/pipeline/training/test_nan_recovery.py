# SPDX-License-Identifier: Apache-2.0
"""NaN losses: training goes back, leaves the batch out and halves the rate. And sets that are hard to train on."""

import json
import os

import pytest
import torch

from pipeline.coco import reader
from pipeline.models import detectors
from pipeline.reports.run_records import read_training
from pipeline.training import nan_recovery, train
from pipeline.training import train_step as step
from tests.helpers.configs import with_values


def run(settings, data, folder):
    out, log = folder / "model.pt", folder / "training.jsonl"
    train.train(settings, data.annotations, data.images, out, log)
    return out, log


@pytest.fixture
def spoil(monkeypatch):
    """Return a function that makes the loss of these iterations infinite, when they come up and each time they do."""

    def now(*iterations: int) -> None:
        plain = step._accumulate_gradients

        def backward(network, scaler, batch, settings):
            losses = plain(network, scaler, batch, settings)
            number = batch_numbers.pop(0)
            return losses | {"loss_mask": float("inf")} if number in iterations else losses

        batch_numbers: list[int] = []
        take = step.train_step

        def numbered(network, state, batch, iteration, settings):
            batch_numbers.append(iteration)
            return take(network, state, batch, iteration, settings)

        monkeypatch.setattr(step, "_accumulate_gradients", backward)
        monkeypatch.setattr(step, "train_step", numbered)

    return now


def test_a_bad_batch_is_left_out_and_training_continues_at_half_the_rate(
    make_data, tiny_settings, tmp_path, spoil, caplog
):
    spoil(5)
    settings = with_values(tiny_settings, "train", iterations=6, checkpoint_every=2)
    out, log = run(settings, make_data(), tmp_path / "run")
    trained = read_training(log)
    assert trained.columns["iteration"] == [1, 2, 3, 4, 6]
    # Back to the older checkpoint, iteration 2; from there at half of what the schedule says.
    rates = [train.optimization.base_learning_rate(step, settings.train) for step in (0, 1, 2, 3, 5)]
    factors = [1, 1, 0.5, 0.5, 0.5]
    wanted = [rate * factor for rate, factor in zip(rates, factors, strict=True)]
    assert trained.columns["learning_rate"] == pytest.approx(wanted)
    assert "back to iteration 2, without this batch, at 0.5 times" in caplog.text
    (failure,) = detectors.load(out).facts["rollbacks"]
    assert failure.startswith("iteration 5: ")
    assert "loss_mask inf" in failure
    assert "images/00000" in failure
    assert sorted(os.listdir(tmp_path / "run")) == ["model.pt", "training.csv", "training.jsonl"]


def test_recovery_is_the_same_every_time_and_after_a_stop(make_data, tiny_settings, tmp_path, spoil, monkeypatch):
    """A second run stops right after it went back, as if killed, and is started again."""
    spoil(5)
    data = make_data()
    settings = with_values(tiny_settings, "train", iterations=6, checkpoint_every=2)
    first, _ = run(settings, data, tmp_path / "a")
    plain = nan_recovery.roll_back

    def stop(state, kept, failure):
        plain(state, kept, failure)
        raise KeyboardInterrupt

    monkeypatch.setattr(nan_recovery, "roll_back", stop)
    with pytest.raises(KeyboardInterrupt):
        run(settings, data, tmp_path / "b")
    monkeypatch.setattr(nan_recovery, "roll_back", plain)
    second, _ = run(settings, data, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_after_two_rollbacks_it_stops_and_names_everything(make_data, tiny_settings, tmp_path):
    data = make_data(image_count=2)
    wild = with_values(tiny_settings, "train", learning_rate=1e30, iterations=9)
    with pytest.raises(nan_recovery.TrainingError) as caught:
        run(wild, data, tmp_path / "run")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["iteration 2", "iteration 3", "iteration 4"]
    assert all("images/000001.png" in line and "images/000002.png" in line for line in lines[:3])
    assert "loss nan" in lines[0] or "inf" in lines[0]
    assert "train.learning_rate" in lines[3]
    # What led there can be read, and nothing looks finished.
    assert sorted(os.listdir(tmp_path / "run")) == ["checkpoint", "training.jsonl.part"]


def test_a_nan_gradient_does_not_change_the_weights(make_data, tiny_settings, tmp_path, monkeypatch):
    """It is found before the step, so what is saved has no NaN in it."""
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda parameters, _: torch.tensor(float("nan")))
    with pytest.raises(nan_recovery.TrainingError, match="gradient nan"):
        run(with_values(tiny_settings, "train", iterations=4), make_data(), tmp_path)
    saved = torch.load(next((tmp_path / "checkpoint").glob("*.pt")), weights_only=True)["state"]
    assert all(torch.isfinite(tensor).all() for tensor in saved["detector"].values())


def test_fp16_survives_gradients_that_overflow(make_data, tiny_settings, tmp_path):
    """The scaler begins at 65,536, where gradients overflow; it halves, and no step is counted as a failure."""
    settings = with_values(tiny_settings, "train", iterations=3, precision="fp16")
    out, log = run(settings, make_data(), tmp_path)
    assert len(read_training(log).columns["loss"]) == 3
    assert "rollbacks" not in detectors.load(out).facts


def without(data, *, categories: bool = False, annotations: slice | None = None) -> None:
    """Take annotations out of the file: of the second class, or this part of all."""
    document = json.loads(data.annotations.read_text())
    if categories:
        document["annotations"] = [each for each in document["annotations"] if each["category_id"] == 1]
    if annotations:
        document["annotations"] = document["annotations"][annotations]
    data.annotations.write_text(json.dumps(document))


@pytest.mark.parametrize("case", ["one class missing", "one image", "batch larger than the set", "nothing at all"])
def test_poor_sets_are_trained_on(make_data, tiny_settings, tmp_path, case):
    data = make_data(image_count=1 if case == "one image" else 3)
    if case == "one class missing":
        without(data, categories=True)
    if case == "nothing at all":
        without(data, annotations=slice(0, 0))
    settings = (
        with_values(tiny_settings, "train", batch_size=5) if case == "batch larger than the set" else tiny_settings
    )
    out, log = run(settings, data, tmp_path / "run")
    assert all(torch.isfinite(torch.tensor(read_training(log).columns["loss"])))
    assert [category["name"] for category in detectors.load(out).categories] == ["pedestrian", "pallet_truck"]


@pytest.mark.parametrize("bbox", [[4, 3, 1, 1], [4, 3, 0, 1]])
def test_objects_of_a_pixel_give_no_nan_also_if_their_box_has_no_area(make_data, tiny_settings, tmp_path, bbox):
    data = make_data(image_count=2)
    document = json.loads(data.annotations.read_text())
    mask = torch.zeros(96, 96, dtype=torch.uint8)
    mask[3, 4] = 1
    document["annotations"][0] |= {"bbox": bbox, "area": 1, "segmentation": reader.encode_mask(mask.numpy())}
    data.annotations.write_text(json.dumps(document))
    _, log = run(tiny_settings, data, tmp_path / "run")
    assert all(torch.isfinite(torch.tensor(read_training(log).columns["loss"])))
