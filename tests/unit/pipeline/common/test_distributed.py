# SPDX-License-Identifier: Apache-2.0
"""Two real processes that torchrun starts, on the CPU, against one."""

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.common import distributed
from pipeline.config.stages import TrainConfig
from pipeline.data.sampler import DrawSequence, ProcessBatchSampler, SamplingSource
from pipeline.models import detectors
from pipeline.reports.run_records import LOSS_COLUMNS, read_training
from tests.helpers.configs import with_values

# Which boxes are sampled for the losses is drawn in every process for itself; the same choice makes them comparable.
CHOOSE_THE_FIRST = """
import runpy, sys, torch
torch.randperm = lambda count, device=None: torch.arange(count, device=device)
runpy.run_module("pipeline", run_name="__main__")
"""


def command(data, settings: TrainConfig, folder: Path, *program: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *program, "train", "--config", settings.as_text()]
    line += ["--annotations", str(data.annotations), "--images", str(data.images)]
    line += ["--out", str(folder / "model.pt"), "--log", str(folder / "training.jsonl")]
    environment = os.environ | {"PYTHONPATH": ".", "OMP_NUM_THREADS": "1"}
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_two_processes_learn_what_one_does_that_takes_its_batch_in_two_parts(make_data, tiny_settings, tmp_path):
    """Agreement of the two is checked by the command itself, at the end. The rest: one in two parts, same choices."""
    data = make_data()
    script = tmp_path / "first.py"
    script.write_text(CHOOSE_THE_FIRST)
    # A rate that moves weights by far more than what adding up in another order changes.
    settings = with_values(tiny_settings, "train", iterations=3, optimizer="sgd", learning_rate=0.01, batch_size=4)
    two = command(data, settings, tmp_path / "two", *TORCHRUN, "--", str(script))
    assert two.returncode == 0, two.stderr
    one = command(data, with_values(settings, "train", accumulate=2), tmp_path / "one", str(script))
    assert one.returncode == 0, one.stderr
    start = command(data, with_values(settings, "train", learning_rate=1e-12), tmp_path / "start", str(script))
    assert start.returncode == 0, start.stderr
    logs = [read_training(tmp_path / name / "training.jsonl").columns for name in ("one", "two")]
    for name in LOSS_COLUMNS:
        assert logs[0][name] == pytest.approx(logs[1][name], rel=1e-4)
    one, two, start = (
        torch.load(tmp_path / name / "model.pt", weights_only=True)["weights"] for name in ("one", "two", "start")
    )
    moved = max((one[name] - start[name]).abs().max().item() for name in one if one[name].is_floating_point())
    apart = max((one[name] - two[name]).abs().max().item() for name in one if one[name].is_floating_point())
    assert moved > 1e-3
    assert apart < 1e-3 * moved
    assert detectors.load(tmp_path / "two/model.pt").facts["processes"] == 2
    assert sorted(os.listdir(tmp_path / "two")) == ["model.pt", "training.csv", "training.jsonl"]


def test_the_command_itself_with_two_processes_and_a_batch_that_cannot_be_shared(make_data, tiny_settings, tmp_path):
    data = make_data()
    odd = with_values(tiny_settings, "train", batch_size=3)
    refused = command(data, odd, tmp_path / "odd", *TORCHRUN, "-m", "--", "pipeline")
    assert refused.returncode != 0
    assert "train.batch_size = 3: cannot be shared out evenly to 2 processes" in refused.stderr
    done = command(data, tiny_settings, tmp_path / "even", *TORCHRUN, "-m", "--", "pipeline")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("train: 2 of 2 iterations") == 1  # one process speaks
    assert len(read_training(tmp_path / "even/training.jsonl").columns["loss"]) == 2


@pytest.mark.parametrize("world", [1, 2, 4])
def test_every_batch_is_shared_out_whole_whatever_the_number_of_processes(world):
    draws = DrawSequence([SamplingSource("rendered", 1.0, np.ones(7))], 1)
    whole = list(ProcessBatchSampler(draws, 4, 5))
    own = distributed.batch_size_per_process(4, world)
    shares = [list(ProcessBatchSampler(draws, own, 5, first=2, rank=rank, world=world)) for rank in range(world)]
    assert [sorted(chain(*parts)) for parts in zip(*shares, strict=True)] == [sorted(batch) for batch in whole[2:]]
    assert {len(part) for share in shares for part in share} == {4 // world}
