# SPDX-License-Identifier: Apache-2.0
"""Workers: how many, the same batches for every number of them, errors without tracebacks, constant memory."""

import json
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.coco import reader
from pipeline.common import image_files, json_files
from pipeline.config import config
from pipeline.data import loader
from pipeline.data.dataset import TrainingDataset
from pipeline.data.loader import BatchLoader
from tests.helpers.paths import ROOT

MB = 1 << 20


def settings_of(**train):
    return config.validate({"train": {"iterations": 6, "batch_size": 2, "workers": 2, "threads": 1} | train}).train


def images_of(data, settings) -> TrainingDataset:
    return TrainingDataset(reader.read_coco(data.annotations), data.images, settings.augment, 0, settings.sources)


def free_memory(monkeypatch, free: int) -> None:
    usage = namedtuple("usage", "total used free")(64 * MB, 64 * MB - free, free)
    monkeypatch.setattr(loader.shutil, "disk_usage", lambda _: usage)


def same(one, other) -> bool:
    return all(
        a.file_name == b.file_name
        and torch.equal(a.image, b.image)
        and a.target.keys() == b.target.keys()
        and all(torch.equal(a.target[key], b.target[key]) for key in a.target)
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )


def test_batches_are_the_same_from_workers_pipes_and_the_loop_itself(make_data, monkeypatch, caplog):
    data = make_data(empty=(2,))
    here = list(BatchLoader(images_of(data, settings_of()), settings_of(workers=0), seed=3))
    workers = BatchLoader(images_of(data, settings_of()), settings_of(), seed=3)
    assert not workers.by_pipe
    assert same(here, list(workers))
    free_memory(monkeypatch, MB // 2)
    pipes = BatchLoader(images_of(data, settings_of()), settings_of(), seed=3)
    assert pipes.by_pipe
    assert same(here, list(pipes))
    assert len(pipes) == 6
    (line,) = [line for line in caplog.messages if "/dev/shm" in line]
    assert "0 MB free" in line
    assert "--shm-size" in line


def test_pipes_leave_shared_memory_alone(make_data, monkeypatch):
    free_memory(monkeypatch, 0)
    data = make_data()
    batches = iter(BatchLoader(images_of(data, settings_of()), settings_of(), seed=0))
    first = next(batches)
    assert not any(sample.image.is_shared() for sample in first)


def test_a_loader_can_start_at_any_iteration(make_data):
    data, settings = make_data(), settings_of(workers=0)
    whole = list(BatchLoader(images_of(data, settings), settings, seed=1))
    rest = BatchLoader(images_of(data, settings), settings, seed=1, first=4)
    assert len(rest) == 2
    assert same(whole[4:], list(rest))


def test_one_image_and_a_batch_larger_than_the_set(make_data):
    data, settings = make_data(image_count=1), settings_of(workers=1, batch_size=3, iterations=2)
    batches = list(BatchLoader(images_of(data, settings), settings, seed=0))
    assert [[sample.file_name for sample in batch] for batch in batches] == [["images/000001.png"] * 3] * 2


@pytest.mark.parametrize(
    ("cores", "threads", "here", "workers"),
    [(1, 1, 1, 0), (2, 2, 1, 1), (8, 2, 1, 6), (64, 8, 1, 8), (64, 1, 8, 7), (8, 1, 8, 0), (16, 4, 2, 4)],
)
def test_auto_takes_the_cores_that_the_step_leaves(monkeypatch, cores, threads, here, workers):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert loader.choose_worker_count(settings_of(workers="auto", threads=threads), here) == workers
    assert loader.choose_worker_count(settings_of(workers=5, threads=threads), here) == 5


@pytest.mark.parametrize(("workers", "free"), [(0, MB), (2, 64 * MB), (2, 0)], ids=["loop", "shared memory", "pipe"])
def test_an_image_that_cannot_be_read_is_named_without_a_traceback_of_the_worker(make_data, monkeypatch, workers, free):
    data, settings = make_data(), settings_of(workers=workers)
    dataset = images_of(data, settings)
    for image in (data.images / "images").iterdir():
        image.write_bytes(b"no image")
    free_memory(monkeypatch, free)
    batches = BatchLoader(dataset, settings, seed=3)
    assert batches.by_pipe == (free == 0)
    with pytest.raises(image_files.ImageFileError) as caught:
        list(batches)
    assert str(caught.value).startswith(f"{data.images}/images/00000")
    assert ".png: not a readable image" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [-1, "many", 1.5])
def test_other_numbers_of_workers_are_refused(workers):
    with pytest.raises(config.ConfigError, match=r"train\.workers = .*: must be auto or a whole number, 0 or more$"):
        settings_of(workers=workers)


def large_set(folder: Path, image_count: int, per_image: int) -> None:
    """Write a COCO file of many entries that all show the same tiny image."""
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(folder / "a.png")
    images = [{"id": number, "file_name": "a.png", "width": 16, "height": 16} for number in range(image_count)]
    polygon = [[2, 2, 12, 2, 12, 12, 2, 12]]
    annotations = [
        {"id": n, "image_id": n // per_image, "category_id": 1, "bbox": [2, 2, 10, 10], "segmentation": polygon}
        for n in range(image_count * per_image)
    ]
    categories = [{"id": 1, "name": "pedestrian"}]
    json_files.write_json(
        folder / "large.json", {"images": images, "annotations": annotations, "categories": categories}
    )


@pytest.mark.slow
def test_the_memory_of_workers_does_not_grow_over_an_epoch(tmp_path):
    """As objects, these 36,000 annotations grew the two workers by 33 MB.

    In an interpreter of its own: workers share pages with their parent until either writes, and pytest has many.
    """
    off = dict.fromkeys(("flip", "blur", "motion_blur", "noise", "sharpen", "jpeg", "vignette", "white_balance"), 0)
    train = {"iterations": 150, "batch_size": 8, "workers": 2, "threads": 1, "augment": {"scale": 1} | off}
    large_set(tmp_path, image_count=1200, per_image=30)
    program = [sys.executable, "-m", "tests.programs.loader_memory"]
    arguments = [json.dumps({"train": train}), str(tmp_path / "large.json"), "36000"]
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    early, late = map(int, done.stdout.split())
    assert late - early < 4 * MB
