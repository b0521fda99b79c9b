# SPDX-License-Identifier: Apache-2.0
"""Planning at scale: what a dry run of 10,000 shards would take, from two that are small enough for a test."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import road

SHARDS = 10_000


def plan(folder: Path, shards: int) -> tuple[float, float]:
    """Return processor seconds and peak memory in MB of planning `shards` shards of 100 pictures.

    Processor time, for a test must not fail because the machine does something else as well.
    """
    config = road.write_config(folder / f"{shards}.yaml", data={"pictures": shards * 100, "shard_size": 100})
    arguments = ("dataset", "-n", "--quiet", "rules", "--configfile", str(config))
    output = folder / f"{shards}.txt"
    process = subprocess.Popen(
        road.command(*arguments, folder=folder),
        stdout=output.open("w"),
        stderr=subprocess.STDOUT,
        env=road.environment(folder),
        cwd=road.ROOT,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output.read_text()
    assert road.jobs_in(output.read_text()) == {
        "sample": shards,
        "render": shards,
        "label": 1,
        "distribution": 1,
        "dataset": 1,
        "total": 2 * shards + 3,
    }
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@pytest.mark.slow
def test_planning_ten_thousand_shards_takes_about_a_minute_and_less_than_two_gigabytes(tmp_path):
    few, many = plan(tmp_path, 100), plan(tmp_path, 600)
    seconds, megabytes = (low + (high - low) / 500 * (SHARDS - 100) for low, high in zip(few, many, strict=True))
    # 40 s on an idle machine; other tests on the same core's second thread cost half as much again.
    assert seconds < 120
    assert megabytes < 2000
