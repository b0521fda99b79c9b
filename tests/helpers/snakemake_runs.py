# SPDX-License-Identifier: Apache-2.0
"""Snakemake on the project's Snakefile, for tests."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.paths import ROOT


def command(*arguments: str, folder: Path) -> list[str]:
    """Return the command that runs Snakemake with all results in `folder`."""
    return [sys.executable, "-m", "snakemake", *arguments, "-s", str(ROOT / "Snakefile"), "--directory", str(folder)]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Snakemake keeps its cache in `folder`."""
    return {**os.environ, "XDG_CACHE_HOME": str(folder / ".cache")}


def snakemake(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Snakemake to its end, with all results in `folder`."""
    return subprocess.run(
        command(*arguments, folder=folder),
        capture_output=True,
        text=True,
        env=environment(folder),
        cwd=ROOT,
        check=False,
    )


def count_planned(*arguments: str, folder: Path) -> dict[str, int]:
    """Return how many jobs of each rule a dry run would start."""
    run = snakemake(*arguments, "-n", "--quiet", "rules", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return parse_job_counts(run.stdout + run.stderr)


def parse_job_counts(output: str) -> dict[str, int]:
    """Return the job table of a dry run: the number of jobs of each rule, and `total`; empty if there are none."""
    lines = (line.split() for line in output.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


def planned_inputs(*arguments: str, folder: Path) -> dict[str, set[str]]:
    """Return the input files of the planned jobs, by rule; the inputs of all jobs of one rule together."""
    run = snakemake(*arguments, "-n", "--quiet", "host", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    inputs: dict[str, set[str]] = {}
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", run.stdout + run.stderr, re.MULTILINE):
        found = re.search(r"^    input: (.*)$", block, re.MULTILINE)
        inputs.setdefault(rule, set()).update(found[1].split(", ") if found else ())
    return inputs


def rules_run(folder: Path) -> set[str]:
    """Return the names of the rules whose jobs Snakemake finished in `folder`, in all runs there."""
    logs = [path.read_text() for path in (folder / ".snakemake/log").glob("*.snakemake.log")]
    return {rule for log in logs for rule in re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", log, re.MULTILINE)}


def write_config(path: Path, **sections: dict[str, Any]) -> Path:
    """Write a config and return its path."""
    path.write_text(json.dumps(sections))  # JSON is YAML
    return path


def hash_data_set(data: Path) -> dict[str, str]:
    """Return {path: sha256} of the files of a data set whose bytes the config alone decides."""
    varying_files, varying_folders = (".snakemake_timestamp", "shard.json"), ("logs", "benchmarks")
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.name not in varying_files and path.relative_to(data).parts[0] not in varying_folders
    }
