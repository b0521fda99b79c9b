# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment and given again, a training ends with the same bytes as one that nobody disturbed."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pipeline.config.stages import TrainConfig
from pipeline.models.weights import initial_weights
from pipeline.training import checkpoints, train
from pipeline.training.checkpoints import CheckpointStore
from tests.helpers.configs import with_values

MOST_STARTS = 60
CHANGES_WITH_TIME = ("seconds", "memory_mb")


def plain_log(path: Path) -> list[dict]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in CHANGES_WITH_TIME} for line in lines]


class Moment:
    """A state that only counts, with random numbers of torch in it."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def state_dict(self) -> dict:
        return {"iteration": self.iteration, "weights": torch.rand(1000)}


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(make_data, tiny_settings, tmp_path):
    """A child trains, with everything on that has a state; SIGKILL at random moments until it is through."""
    data = make_data()
    own = {"annotations": str(data.annotations), "images": str(data.images)}
    section = {"iterations": 14, "checkpoint_every": 2, "ema_decay": 0.9, "precision": "fp16", "batch_size": 3}
    section["validation"] = {"every": 5, "dataset": own}
    whole = tiny_settings.model_dump(mode="json")
    settings = TrainConfig.model_validate(whole | {"train": whole["train"] | section})
    train.train(settings, data.annotations, data.images, tmp_path / "a/model.pt", tmp_path / "a/training.jsonl")

    script = tmp_path / "child.py"
    script.write_text(
        "import sys, torch\nfrom pathlib import Path\n"
        "from pipeline.config.stages import TrainConfig, read_stage_config\nfrom pipeline.training import train\n"
        "settings, annotations, images, out = sys.argv[1:]\nprint('ready', flush=True)\n"
        "out = Path(out)\ntrain.train(read_stage_config(TrainConfig, settings), Path(annotations), Path(images), "
        "out / 'model.pt', out / 'training.jsonl')\n"
    )
    settings_text = settings.as_text()
    line = [sys.executable, str(script), settings_text, str(data.annotations), str(data.images), str(tmp_path / "b")]
    chance = random.Random(3)
    seen: set[str] = set()
    kills = 0
    for _ in range(MOST_STARTS):
        child = subprocess.Popen(line, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."})
        child.stdout.readline()
        # Some iterations further, then somewhere within or between writing, at random.
        wanted = len(seen) + 1 if kills < 4 else MOST_STARTS
        while child.poll() is None and len(seen) < wanted:
            seen |= {path.name for path in (tmp_path / "b/checkpoint").glob("[0-9]*.pt")}
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
        if child.poll() is None:
            kills += 1
        child.kill()
        child.wait()
        if (tmp_path / "b/training.jsonl").exists():
            break
    assert kills >= 3
    assert (tmp_path / "a/model.pt").read_bytes() == (tmp_path / "b/model.pt").read_bytes()
    assert plain_log(tmp_path / "a/training.jsonl") == plain_log(tmp_path / "b/training.jsonl")
    assert not (tmp_path / "b/checkpoint").exists()


def test_a_checkpoint_of_other_settings_or_data_is_not_gone_on_from(tmp_path, make_data, tiny_settings, caplog):
    data = make_data()
    other = tmp_path / "other.json"
    other.write_text(data.annotations.read_text() + " ")
    one = checkpoints.run_identity(tiny_settings, [data.annotations])
    assert one == checkpoints.run_identity(
        with_values(tiny_settings, "train", threads=7, workers=3), [data.annotations]
    )
    assert one != checkpoints.run_identity(with_values(tiny_settings, "train", learning_rate=0.1), [data.annotations])
    assert one != checkpoints.run_identity(with_values(tiny_settings, "run", seed=3), [data.annotations])
    assert one != checkpoints.run_identity(tiny_settings, [other])
    CheckpointStore(tmp_path / "kept", one).save(Moment(2))
    assert CheckpointStore(tmp_path / "kept", one).newest()["iteration"] == 2
    assert CheckpointStore(tmp_path / "kept", "another").newest() is None
    assert "000000002.pt is of another config" in caplog.text
    assert not CheckpointStore(tmp_path / "kept", one).paths()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "code"])
def test_what_is_damaged_is_never_taken(tmp_path, caplog, damage):
    kept = CheckpointStore(tmp_path, "run")
    kept.save(Moment(2))
    kept.save(Moment(4))
    newest = kept.paths()[-1]
    content = bytearray(newest.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    whole = newest.read_bytes()
    written = {"cut": whole[:-100], "flipped": bytes(content), "empty": b"", "code": b"cos\nsystem\n(S'true'\ntR."}
    newest.write_bytes(written[damage])
    assert kept.newest()["iteration"] == 2
    assert f"{newest} is damaged" in caplog.text
    assert not newest.exists()


def test_the_last_two_stay_and_going_back_takes_the_older(tmp_path):
    kept = CheckpointStore(tmp_path / "kept", "run")
    for iteration in (0, 2, 4, 6):
        kept.save(Moment(iteration))
    assert [path.name for path in kept.paths()] == ["000000004.pt", "000000006.pt"]
    assert kept.oldest()["iteration"] == 4
    assert [path.name for path in kept.paths()] == ["000000004.pt"]
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_a_half_written_file_is_neither_read_nor_left(tmp_path):
    kept = CheckpointStore(tmp_path / "kept", "run")
    kept.save(Moment(2))
    (tmp_path / "kept/.000000004.pt").write_bytes(b"half")
    assert kept.newest()["iteration"] == 2
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_going_back_to_a_damaged_file_is_an_error_that_names_it(tmp_path):
    kept = CheckpointStore(tmp_path, "run")
    kept.save(Moment(2))
    kept.paths()[0].write_bytes(b"half")
    with pytest.raises(initial_weights.WeightsError, match=r"000000002\.pt: damaged"):
        kept.oldest()
