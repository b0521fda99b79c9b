# SPDX-License-Identifier: Apache-2.0
"""Renders that are killed, or stopped by a full or read-only disk, keep finished shards and end with the same bytes.

Every test ends with the same eight images. Their files must equal those of a run that nobody disturbed. More kills at
random moments: `CARISTE_KILL_ROUNDS=10 python -m pytest tests/integration/test_survival.py -k random`.
"""

import base64
import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.helpers import snakemake_runs
from tests.helpers.commands import run_cariste
from tests.helpers.paths import ROOT
from tests.helpers.search import THOROUGH

DATA = Path("results/data/kill")
LABELS = DATA / "annotations/train.json"
TIMEOUT_S = 900
ROUNDS = int(os.environ.get("CARISTE_KILL_ROUNDS", "2" if THOROUGH else "0"))


def config_file(folder: Path, images: int) -> str:
    """Write a config of tiny images, two in a shard, and return its path."""
    path = snakemake_runs.write_config(
        folder / f"{images}.yaml",
        data={"name": "kill", "images": images, "shard_size": 2, "split": {"train": 2, "val": 1, "test": 1}},
        goods={"fill": 0, "furniture": 0, "lookalikes": 0},
        people={"count": [0, 1]},
        trucks={"count": 1},
        camera={"width": 48, "height": 36},
        render={"samples": 1, "verify_share": 0.5},
    )
    return str(path)


def arguments(folder: Path, jobs: int = 2, images: int = 8) -> tuple[str, ...]:
    return (str(LABELS), f"-j{jobs}", "--configfile", config_file(folder, images))


def finished_shards(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the shards that Snakemake saw finished, each with the inode and the time of its `shard.json`."""
    begun = [base64.urlsafe_b64decode(path.name).decode() for path in (folder / ".snakemake/incomplete").glob("*")]
    facts = {str(path.parent.relative_to(folder)): path.stat() for path in (folder / DATA).glob("shards/*/shard.json")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in facts.items() if name not in begun}


def finish(folder: Path, kept: dict[str, tuple[int, int]] | None = None) -> None:
    """Run the same command again, as a user does after a crash, with `--unlock` only if Snakemake asks for it.

    `kept`: shards that must not be rendered again. Default: those that are finished now.
    """
    kept = kept or finished_shards(folder)
    run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    if run.returncode != 0 and "--unlock" in run.stdout + run.stderr:
        unlocked = snakemake_runs.snakemake(*arguments(folder), "--unlock", folder=folder)
        assert unlocked.returncode == 0, unlocked.stdout + unlocked.stderr
        run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    now = finished_shards(folder)
    assert {name: now[name] for name in kept} == kept, "a finished shard was rendered again"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """A folder with all eight images, rendered by one job without a disturbance."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run = snakemake_runs.snakemake(*arguments(folder, jobs=1), folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def check_same_data_set(folder: Path, undisturbed: Path) -> None:
    """Check that the data set in `folder` is whole and has the bytes of the undisturbed one."""
    assert snakemake_runs.hash_data_set(folder / DATA) == snakemake_runs.hash_data_set(undisturbed / DATA)
    checked = run_cariste("verify", folder / DATA)
    assert checked.exit_code == 0, checked.stdout + checked.stderr


class DisturbedRun:
    """A folder in which Snakemake is started and killed. `finished`: the shards that were finished at a kill."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.finished: dict[str, tuple[int, int]] = {}
        self._started: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        """Start Snakemake in a process group of its own, after removing the lock that a killed one left."""
        if any((self.folder / ".snakemake/locks").glob("*")):
            assert snakemake_runs.snakemake("--unlock", *arguments(self.folder), folder=self.folder).returncode == 0
        with (self.folder / "output.txt").open("a") as output:
            process = subprocess.Popen(
                snakemake_runs.command(*arguments(self.folder), folder=self.folder),
                stdout=output,
                stderr=output,
                env=snakemake_runs.environment(self.folder),
                cwd=ROOT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def remember_finished(self) -> None:
        self.finished |= finished_shards(self.folder)

    def stop(self) -> None:
        """Kill what is left of every start. The number of an empty process group may belong to a stranger by now."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for left in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if Path(left.cwd()) == self.folder:
                    left.kill()


@pytest.fixture
def disturbed(tmp_path):
    run = DisturbedRun(tmp_path)
    yield run
    run.stop()


def render_jobs(process: subprocess.Popen) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid).children(recursive=True)
        return [child for child in found if {"blender", "render"} <= set(child.cmdline()) and "python" in child.name()]
    return []  # a process ended during the search


def wait_for_render_jobs(process: subprocess.Popen) -> list[psutil.Process]:
    """Wait until images are being rendered and return these jobs; none if Snakemake ended before."""
    deadline = time.monotonic() + TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if found := render_jobs(process):
            return found
        time.sleep(0.05)
    return []


def kill_a_render_job(process: subprocess.Popen, moments: random.Random) -> None:
    if jobs := wait_for_render_jobs(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            moments.choice(jobs).kill()
    process.wait(TIMEOUT_S)


def kill_everything(process: subprocess.Popen, moments: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_only_snakemake(process: subprocess.Popen, moments: random.Random) -> None:
    """Kill Snakemake but not its jobs. They sleep until the next run has perhaps started the same jobs again."""
    orphans = render_jobs(process)
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.suspend()
    process.kill()
    process.wait()
    threading.Timer(moments.uniform(0.0, 8.0), wake, [orphans]).start()


def wake(orphans: list[psutil.Process]) -> None:
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.resume()


def test_a_run_killed_in_every_way_ends_with_the_same_bytes_and_keeps_finished_shards(disturbed, undisturbed):
    moments = random.Random(1)
    for kill in (kill_only_snakemake, kill_a_render_job, kill_everything):
        process = disturbed.start()
        if not wait_for_render_jobs(process):
            assert kill is not kill_only_snakemake, (disturbed.folder / "output.txt").read_text()
            break  # the jobs that survived the first kill have rendered the rest
        time.sleep(moments.uniform(0.0, 2.0))
        kill(process, moments)
        assert process.returncode != 0
        disturbed.remember_finished()
    finish(disturbed.folder, disturbed.finished)
    check_same_data_set(disturbed.folder, undisturbed)


@pytest.mark.slow
@pytest.mark.skipif(ROUNDS == 0, reason="`make test-all` has two rounds; or set CARISTE_KILL_ROUNDS")
@pytest.mark.parametrize("seed", range(max(ROUNDS, 1)))
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(disturbed, undisturbed, seed):
    moments = random.Random(seed)
    for _ in range(moments.randint(2, 4)):
        process = disturbed.start()
        time.sleep(moments.uniform(0.0, 15.0))
        moments.choice((kill_only_snakemake, kill_a_render_job, kill_everything))(process, moments)
        disturbed.remember_finished()
    finish(disturbed.folder, disturbed.finished)
    check_same_data_set(disturbed.folder, undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A folder with four of the eight images, whose `shards/` is a file system of 4 MB."""
    four = tmp_path / "four_images"
    four.mkdir()
    run = snakemake_runs.snakemake(*arguments(four, images=4), folder=four)
    assert run.returncode == 0, run.stdout + run.stderr
    folder = tmp_path / "with_a_small_disk"
    shutil.copytree(four, folder, ignore=shutil.ignore_patterns("0000[01]"))
    disk = folder / DATA / "shards"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "cariste", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small disk needs root and the right to mount: {mounted.stderr.strip()}")
    try:
        shutil.copytree(four / DATA / "shards", disk, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def check_failure(folder: Path, reason: str) -> None:
    """Check that Snakemake fails with this reason, and that no shard appears or disappears."""
    before = finished_shards(folder)
    run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    assert run.returncode != 0
    assert reason in run.stdout + run.stderr
    assert finished_shards(folder) == before
    assert len(before) == 2


@pytest.mark.slow
def test_a_full_disk_and_a_read_only_disk_stop_the_run_and_harm_no_shard(small_disk, undisturbed):
    disk = small_disk / DATA / "shards"
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - 20_000))
    check_failure(small_disk, "is the disk full?")
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    check_failure(small_disk, "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    finish(small_disk)
    check_same_data_set(small_disk, undisturbed)
