# SPDX-License-Identifier: Apache-2.0
"""A training that is killed at any moment and started again writes the same bytes as an undisturbed one."""

import json
import multiprocessing
import random
import signal
import time
from pathlib import Path
from unittest import mock

import pytest
import torch

from pipeline.cli.train_stage import run_train_stage
from pipeline.config.stages import TrainConfig
from pipeline.models import detectors
from pipeline.models.weights import initial_weights
from pipeline.training import checkpoints
from pipeline.training.checkpoints import CheckpointStore
from tests.helpers.configs import with_values
from tests.programs.train_in_child import train_in_child

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
    run_train_stage(settings, data.annotations, data.images, tmp_path / "a/model.pt", tmp_path / "a/training.jsonl")

    # The server loads torch once. Every child is a fork of it and starts at once.
    children = multiprocessing.get_context("forkserver")
    children.set_forkserver_preload([train_in_child.__module__])
    arguments = (settings.as_text(), data.annotations, data.images, tmp_path / "b")
    chance = random.Random(3)
    seen: set[str] = set()
    kills = 0
    for _ in range(MOST_STARTS):
        child = children.Process(target=train_in_child, args=arguments)
        child.start()
        # Some iterations further, then somewhere within or between writing, at random.
        wanted = len(seen) + 1 if kills < 4 else MOST_STARTS
        while child.is_alive() and len(seen) < wanted:
            seen |= {path.name for path in (tmp_path / "b/checkpoint").glob("[0-9]*.pt")}
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
        if child.is_alive():
            kills += 1
        child.kill()
        child.join()
        assert child.exitcode in (0, -signal.SIGKILL), "the training failed by itself"
        if (tmp_path / "b/training.jsonl").exists():
            break
    assert kills >= 3
    assert (tmp_path / "a/model.pt").read_bytes() == (tmp_path / "b/model.pt").read_bytes()
    assert plain_log(tmp_path / "a/training.jsonl") == plain_log(tmp_path / "b/training.jsonl")
    assert not (tmp_path / "b/checkpoint").exists()


CPU = torch.device("cpu")
IDENTITY = {"train": {"iterations": 4}, "content": {"--annotations": "ab"}}


def store(folder: Path, identity: dict | None = None) -> CheckpointStore:
    return CheckpointStore(folder, identity or IDENTITY, {})


def test_the_identity_of_a_run_changes_with_settings_data_and_device(tmp_path, make_data, tiny_settings):
    data = make_data()
    other = tmp_path / "other.json"
    other.write_text(data.annotations.read_text() + " ")
    files = {"--annotations": data.annotations}

    def identity(settings=tiny_settings, files=files, device=CPU) -> dict:
        return checkpoints.run_identity(settings, files, device)

    same = with_values(tiny_settings, "train", threads=7, workers=3, device="cpu", checkpoint_every=7, tensorboard=True)
    assert identity() == identity(same)
    assert identity() != identity(with_values(tiny_settings, "train", learning_rate=0.1))
    assert identity() != identity(with_values(tiny_settings, "run", seed=3))
    assert identity() != identity(files={"--annotations": other})
    assert identity() != identity(device=torch.device("cuda"))
    moved = tmp_path / "moved.json"
    moved.write_bytes(data.annotations.read_bytes())
    assert identity() == identity(files={"--annotations": moved}), "the path of a file does not count"


def test_checkpoints_of_another_run_are_moved_aside_and_can_be_put_back(tmp_path, caplog):
    folder = tmp_path / "checkpoint"
    for iteration in (2, 4):
        store(folder).save(Moment(iteration))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    changed = {"train": {"iterations": 5}, "content": {"--annotations": "cd"}}
    assert store(folder, changed).newest() is None
    assert not store(folder).paths()
    aside = tmp_path / "checkpoint.aside-1"
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == before
    assert "train.iterations was 4, is now 5; the content of --annotations." in caplog.text
    assert f"model.weights: {aside / '000000004.pt'}" in caplog.text
    store(folder, changed).save(Moment(1))
    assert store(folder).newest() is None, "back to the first config, without renaming the folder"
    assert (tmp_path / "checkpoint.aside-2/000000001.pt").is_file()
    folder.rmdir()
    aside.rename(folder)
    assert store(folder).newest()["iteration"] == 4


def test_every_kind_of_change_keeps_every_checkpoint(make_data, tiny_settings, tmp_path):
    """A run is stopped, its config or data is changed, and it is started again."""
    data = make_data()
    stopped = with_values(tiny_settings, "train", iterations=3, checkpoint_every=1)
    changes = {
        "one more iteration": with_values(stopped, "train", iterations=4),
        "another model": with_values(stopped, "model", fpn_channels=32),
        "another seed": with_values(stopped, "run", seed=1),
        "another start": with_values(stopped, "model", weights="none"),
    }
    for name, settings in changes.items():
        folder = tmp_path / name
        interrupt_after(2, stopped, data, folder)
        kept = {path.name: path.read_bytes() for path in (folder / "checkpoint").iterdir()}
        assert kept.keys() == {"000000001.pt", "000000002.pt"}
        run_train_stage(settings, data.annotations, data.images, folder / "model.pt", folder / "training.jsonl")
        assert {path.name: path.read_bytes() for path in (folder / "checkpoint.aside-1").iterdir()} == kept
        assert not (folder / "checkpoint").exists(), "those of the finished run are removed"


def interrupt_after(iteration: int, settings: TrainConfig, data, folder: Path) -> None:
    """Train, and stop like a killed process right after the checkpoint of this iteration."""
    save = CheckpointStore.save

    def save_and_stop(self: CheckpointStore, state) -> None:
        save(self, state)
        if state.iteration == iteration:
            raise KeyboardInterrupt

    with mock.patch.object(CheckpointStore, "save", save_and_stop), pytest.raises(KeyboardInterrupt):
        run_train_stage(settings, data.annotations, data.images, folder / "model.pt", folder / "training.jsonl")


def test_a_run_can_begin_with_the_weights_of_a_checkpoint(make_data, tiny_settings, tmp_path, categories):
    data = make_data()
    interrupt_after(1, with_values(tiny_settings, "train", checkpoint_every=1), data, tmp_path)
    path = tmp_path / "checkpoint/000000001.pt"
    saved = torch.load(path, weights_only=True)["state"]["detector"]
    settings = tiny_settings.model.model_copy(update={"weights": str(path)})
    detector, report = detectors.build_with_report(settings, categories)
    assert all(torch.equal(tensor, saved[name]) for name, tensor in detector.state_dict().items())
    assert report.shared_classes == ("__background__", "pedestrian", "pallet_truck")
    wider = settings.model_copy(update={"fpn_channels": 32})
    with pytest.raises(
        initial_weights.WeightsError, match=r"000000001\.pt: its fpn_channels is 16, the config's is 32"
    ):
        detectors.build(wider, categories)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "code", "another version"])
def test_a_damaged_checkpoint_is_moved_aside_and_the_one_before_is_used(tmp_path, caplog, damage):
    kept = store(tmp_path / "checkpoint")
    kept.save(Moment(2))
    kept.save(Moment(4))
    newest = kept.paths()[-1]
    whole = newest.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    contents = {"cut": whole[:-100], "flipped": bytes(flipped), "empty": b"", "code": b"cos\nsystem\n(S'true'\ntR."}
    if damage in contents:
        newest.write_bytes(contents[damage])
    else:
        torch.save({"run": "ab", "state": {}}, newest)
    written = newest.read_bytes()
    assert kept.newest()["iteration"] == 2
    assert f"{newest} is damaged" in caplog.text
    assert [path.name for path in kept.paths()] == ["000000002.pt"]
    assert (tmp_path / "checkpoint.aside-1/000000004.pt").read_bytes() == written


def test_the_last_two_stay_and_going_back_takes_the_older(tmp_path):
    kept = store(tmp_path / "kept")
    for iteration in (0, 2, 4, 6):
        kept.save(Moment(iteration))
    assert [path.name for path in kept.paths()] == ["000000004.pt", "000000006.pt"]
    assert kept.go_back_to_oldest()["iteration"] == 4
    assert [path.name for path in kept.paths()] == ["000000004.pt"]
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_a_half_written_file_is_neither_read_nor_left(tmp_path):
    kept = store(tmp_path / "kept")
    kept.save(Moment(2))
    (tmp_path / "kept/.000000004.77.pt").write_bytes(b"half")
    assert kept.newest()["iteration"] == 2
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_going_back_to_a_damaged_file_is_an_error_that_names_it(tmp_path):
    kept = store(tmp_path)
    kept.save(Moment(2))
    kept.paths()[0].write_bytes(b"half")
    with pytest.raises(initial_weights.WeightsError, match=r"000000002\.pt: damaged .*start the same command again"):
        kept.go_back_to_oldest()
