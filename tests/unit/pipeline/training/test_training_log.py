# SPDX-License-Identifier: Apache-2.0
"""Lines, table and TensorBoard of a training that goes back."""

import json

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pipeline.training.training_log import TrainingLog, peak_memory_mb


def test_the_log_goes_back_with_the_rest(tmp_path):
    log = TrainingLog(tmp_path / "training.jsonl", {"device": "cpu"}, tensorboard=False)
    for iteration in (1, 2):
        log.write({"iteration": iteration, "loss": 0.5})
    kept = list(log.lines)
    log.write({"iteration": 3, "loss": 0.25})
    again = TrainingLog(tmp_path / "training.jsonl", {"device": "cpu"}, tensorboard=False)
    again.go_back(kept)
    again.write({"iteration": 3, "loss": 1.5, "box_AP50": 0.7})
    again.finish()
    assert [json.loads(line).get("loss") for line in (tmp_path / "training.jsonl").open()] == [None, 0.5, 0.5, 1.5]
    table = (tmp_path / "training.csv").read_text().splitlines()
    assert table == ["iteration,loss,box_AP50", "1,0.5,", "2,0.5,", "3,1.5,0.7"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["training.csv", "training.jsonl"]


def test_tensorboard_shows_each_iteration_once_after_going_back(tmp_path):
    log = TrainingLog(tmp_path / "training.jsonl", {"device": "cpu"}, tensorboard=True)
    log.write({"iteration": 1, "loss": 4.0, "gradient_norm": None})
    kept = list(log.lines)
    log.write({"iteration": 2, "loss": 3.0})
    log.go_back(kept)
    log.write({"iteration": 2, "loss": 2.0})
    log.finish()
    shown = EventAccumulator(str(tmp_path / "tensorboard"))
    shown.Reload()
    assert shown.Tags()["scalars"] == ["loss"]
    assert [(event.step, event.value) for event in shown.Scalars("loss")] == [(1, 4.0), (2, 2.0)]


def test_other_processes_write_nothing(tmp_path):
    log = TrainingLog(None, {}, tensorboard=True)
    log.write({"iteration": 1, "loss": 1.0})
    log.go_back([])
    log.finish()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_peak_memory_grows_with_what_is_held():
    before = peak_memory_mb(torch.device("cpu"))
    held = torch.ones(int(before * 1e6) // 8 + 30_000_000, dtype=torch.float64)
    assert peak_memory_mb(torch.device("cpu")) > before + 100
    del held
