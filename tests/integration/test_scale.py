# SPDX-License-Identifier: Apache-2.0
"""Planning at scale: what a dry run of 10,000 shards would take, from two that are small enough for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import snakemake_runs
from tests.helpers.paths import ROOT

SHARDS = 10_000


def plan(folder: Path, shards: int) -> tuple[float, float]:
    """Return processor seconds and peak memory in MB of planning `shards` shards of 100 images.

    Processor time, for a test must not fail because the machine does something else as well.
    """
    config = snakemake_runs.write_config(folder / f"{shards}.yaml", data={"images": shards * 100, "shard_size": 100})
    arguments = ("dataset", "-n", "--quiet", "rules", "--configfile", str(config))
    output = folder / f"{shards}.txt"
    measured = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.programs.measure_command",
            str(output),
            *snakemake_runs.command(*arguments, folder=folder),
        ],
        capture_output=True,
        text=True,
        env=snakemake_runs.environment(folder),
        cwd=ROOT,
        check=True,
    )
    returncode, seconds, megabytes = json.loads(measured.stdout)
    assert returncode == 0, output.read_text()
    assert snakemake_runs.jobs_in(output.read_text()) == {
        "sample": shards,
        "render": shards,
        "label": 1,
        "distribution": 1,
        "dataset": 1,
        "total": 2 * shards + 3,
    }
    return seconds, megabytes


@pytest.mark.slow
def test_planning_ten_thousand_shards_takes_about_a_minute_and_less_than_two_gigabytes(tmp_path):
    few, many = plan(tmp_path, 100), plan(tmp_path, 600)
    seconds, megabytes = (low + (high - low) / 500 * (SHARDS - 100) for low, high in zip(few, many, strict=True))
    # 40 s on an idle machine; other tests on the same core's second thread cost half as much again.
    assert seconds < 120
    assert megabytes < 2000
