# SPDX-License-Identifier: Apache-2.0
"""Snakemake on the project's Snakefile, for tests."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.paths import ROOT


def command(*arguments: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments, "-s", str(ROOT / "Snakefile"), "--directory", str(folder)]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(folder / ".cache")}


def snakemake(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Run Snakemake to its end; all results land in `folder`."""
    return subprocess.run(
        command(*arguments, folder=folder),
        capture_output=True,
        text=True,
        env=environment(folder),
        cwd=ROOT,
        check=False,
    )


def planned(*arguments: str, folder: Path) -> dict[str, int]:
    """Return how many jobs of each rule a dry run would start."""
    run = snakemake(*arguments, "-n", "--quiet", "rules", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return jobs_in(run.stdout + run.stderr)


def jobs_in(output: str) -> dict[str, int]:
    """Return the table of jobs of a dry run: how many of each rule, and their `total`; empty if there are none."""
    lines = (line.split() for line in output.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


def write_config(path: Path, **sections: dict[str, Any]) -> Path:
    path.write_text(json.dumps(sections))  # JSON is YAML
    return path


def hashes(data: Path) -> dict[str, str]:
    """Return {path: sha256} of all files of a data set that the config alone decides, byte for byte."""
    files = (
        path for path in data.rglob("*") if path.is_file() and path.name not in (".snakemake_timestamp", "shard.json")
    )
    kept = (path for path in files if path.relative_to(data).parts[0] not in ("logs", "benchmarks"))
    return {path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}
