# SPDX-License-Identifier: Apache-2.0
"""The benchmark of id maps: both variants do the same work, and the table holds the measurements."""

import json
import re

import numpy as np
import torch

from pipeline.benchmarks import training as benchmark
from tests.helpers.commands import run_cariste


def test_both_targets_show_the_same_instances():
    scene = benchmark.make_synthetic_image(np.random.default_rng(3), 9, 120, 90)
    masks, ours = benchmark.torchvision_target(scene), benchmark.id_map_target(scene)
    assert len(ours["boxes"]) == 9
    assert torch.equal(ours["boxes"], masks["boxes"])
    assert torch.equal(ours["labels"], masks["labels"])
    assert torch.equal(ours["ids"] == ours["mask_ids"][:, None, None], masks["masks"].bool())


def test_bytes_are_counted_while_their_tensors_exist():
    with benchmark.TensorBytes() as made:
        first = torch.zeros(1000)
        view = first[10:]
        del first
        assert made.current == 4000
        second = view * 2
        assert made.current == 4000 + 3960
        del view, second
        assert made.current == 0
        third = torch.ones(10, dtype=torch.uint8)
    assert made.current == len(third)
    assert made.peak == 7960


def test_the_command_prints_ratios(tiny_settings):
    text = json.dumps({"model": tiny_settings.model.model_dump(mode="json")})
    sizes = ("--instances", "3", "--width", "96", "--height", "80", "--batch-size", "1", "--steps", "1")
    done = run_cariste("benchmark-training", "--config", text, *sizes)
    assert done.exit_code == 0, done.stderr
    numbers = r".*? ([\d.]+) (?:s|MB) +([\d.]+) (?:s|MB) +([\d.]+) +0\.\d+ *\n"
    for line in ("50 detections of 1280x720: paste and RLE", "3 instances: memory", "3 instances: step"):
        reference, ours, ratio = map(float, re.search(line + numbers, done.stdout).groups())
        assert reference > 0
        assert abs(ratio * reference - ours) < 0.01 * reference + 0.001


def test_a_wrong_key_of_the_config_is_named():
    done = run_cariste("benchmark-training", "--config", '{"model": {"wide": 1}}')
    assert done.exit_code == 2
    assert "wide" in done.stderr


def test_a_synthetic_image_shows_all_its_instances():
    scene = benchmark.make_synthetic_image(np.random.default_rng(0), 50, 640, 480)
    assert len(scene.segmentations) == len(scene.labels) == 50
    overlap = sum(benchmark.coco_mask.decode(each).astype(int) for each in scene.segmentations)
    assert overlap.max() == 1
    assert min(benchmark.coco_mask.area(scene.segmentations)) > 100
