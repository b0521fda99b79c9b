# SPDX-License-Identifier: Apache-2.0
"""What planning 10,000 shards takes, extrapolated from two dry runs that are small enough for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import snakemake_runs
from tests.helpers.paths import ROOT

SHARDS = 10_000
# Rules that list every shard among their inputs, and how many jobs of each a run needs.
JOBS_THAT_READ_ALL_SHARDS = {
    "label": 1,
    "distribution": 1,
    "train_model": 1,
    "predict": 2,
    "evaluate": 1,
    "report": 1,
    "yolo": 1,
}
OTHER_JOBS = {"train": 1, "dataset": 1}


def measure_planning(folder: Path, shards: int) -> tuple[float, float]:
    """Return processor seconds and peak memory in MB of planning `shards` shards of 100 images, and a training.

    Processor time does not depend on what else the machine does.
    """
    config = snakemake_runs.write_config(folder / f"{shards}.yaml", data={"images": shards * 100, "shard_size": 100})
    arguments = ("train", "dataset", "yolo", "-n", "--quiet", "rules", "--configfile", str(config))
    output = folder / f"{shards}.txt"
    program = [sys.executable, "-m", "tests.programs.measure_command", str(output)]
    measured = subprocess.run(
        [*program, *snakemake_runs.command(*arguments, folder=folder)],
        capture_output=True,
        text=True,
        env=snakemake_runs.environment(folder),
        cwd=ROOT,
        check=True,
    )
    returncode, seconds, megabytes = json.loads(measured.stdout)
    assert returncode == 0, output.read_text()
    jobs = {"sample": shards, "render": shards, **JOBS_THAT_READ_ALL_SHARDS, **OTHER_JOBS}
    assert snakemake_runs.parse_job_counts(output.read_text()) == {**jobs, "total": sum(jobs.values())}
    return seconds, megabytes


@pytest.mark.slow
def test_planning_ten_thousand_shards_takes_about_a_minute_and_less_than_two_gigabytes(tmp_path):
    few, many = measure_planning(tmp_path, 500), measure_planning(tmp_path, 3000)
    seconds, megabytes = (low + (high - low) / 2500 * (SHARDS - 500) for low, high in zip(few, many, strict=True))
    print(f"{SHARDS} shards: {seconds:.0f} s, {megabytes:.0f} MB")
    # 53 s and 530 MB (docs/results.md); other tests on the same core's second thread cost half as much again.
    assert seconds < 80
    assert megabytes < 1000
