# SPDX-License-Identifier: Apache-2.0
"""Training in two processes that torchrun starts, on the CPU, compared with one process."""

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
from tests.helpers.commands import run_cariste
from tests.helpers.configs import with_values
from tests.helpers.paths import ROOT
from tests.programs.train_first_boxes import first_indices


def options(data, settings: TrainConfig, folder: Path) -> list[str]:
    """Return the arguments of `cariste train`, with all outputs in `folder`."""
    data_options = ["--annotations", str(data.annotations), "--images", str(data.images)]
    out = ["--out", str(folder / "model.pt"), "--log", str(folder / "training.jsonl")]
    return ["train", "--config", settings.as_text(), *data_options, *out]


def with_torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests.programs.train_first_boxes in two processes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*torchrun, "-m", "--", "tests.programs.train_first_boxes", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max((one[name] - other[name]).abs().max().item() for name in one if one[name].is_floating_point())


def test_two_processes_train_the_same_weights_as_one_process_with_two_half_batches(
    make_data, tiny_settings, tmp_path, monkeypatch
):
    """All runs take the same boxes for their losses. At its end the command itself checks that its processes agree."""
    data = make_data()
    # A learning rate that moves weights by far more than another order of additions does.
    settings = with_values(tiny_settings, "train", iterations=3, optimizer="sgd", learning_rate=0.01, batch_size=4)
    done = with_torchrun(*options(data, settings, tmp_path / "two"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("train: 3 of 3 iterations") == 1, "only one process reports progress"
    monkeypatch.setattr(torch, "randperm", first_indices)
    for name, values in {"one": {"accumulate": 2}, "start": {"learning_rate": 1e-12}}.items():
        single = run_cariste(*options(data, with_values(settings, "train", **values), tmp_path / name))
        assert single.exit_code == 0, single.stderr
    logs = [read_training(tmp_path / name / "training.jsonl").columns for name in ("one", "two")]
    for name in LOSS_COLUMNS:
        assert logs[0][name] == pytest.approx(logs[1][name], rel=1e-4)
    assert len(logs[1]["loss"]) == 3
    one, two, start = (
        torch.load(tmp_path / name / "model.pt", weights_only=True)["weights"] for name in ("one", "two", "start")
    )
    assert largest_difference(one, start) > 1e-3
    assert largest_difference(one, two) < 1e-3 * largest_difference(one, start)
    assert detectors.load(tmp_path / "two/model.pt").facts["processes"] == 2
    assert sorted(os.listdir(tmp_path / "two")) == ["model.pt", "training.csv", "training.jsonl"]


def test_a_batch_that_two_processes_cannot_share_is_refused():
    with pytest.raises(distributed.DistributedError, match=r"train\.batch_size = 3: cannot be shared evenly by 2"):
        distributed.batch_size_per_process(3, 2)


@pytest.mark.parametrize("world", [1, 2, 4])
def test_every_batch_is_divided_among_any_number_of_processes(world):
    draws = DrawSequence([SamplingSource("rendered", 1.0, np.ones(7))], 1)
    whole = list(ProcessBatchSampler(draws, 4, 5))
    own = distributed.batch_size_per_process(4, world)
    shares = [list(ProcessBatchSampler(draws, own, 5, first=2, rank=rank, world=world)) for rank in range(world)]
    assert [sorted(chain(*parts)) for parts in zip(*shares, strict=True)] == [sorted(batch) for batch in whole[2:]]
    assert {len(part) for share in shares for part in share} == {4 // world}
