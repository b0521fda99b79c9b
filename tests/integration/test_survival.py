# SPDX-License-Identifier: Apache-2.0
"""What was whole survives: real renders, really killed, on a full disk, on a read-only one; and always the same bytes.

Every test ends with the same eight images, whose files must be those of a run that nobody disturbed. The rounds of
kills at random moments: `CARISTE_KILL_ROUNDS=10 python -m pytest tests/test_survival.py -k random`.
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

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("survival")]

DATA = Path("results/data/kill")
PATIENCE_S = 900
ROUNDS = int(os.environ.get("CARISTE_KILL_ROUNDS", "0"))


def config_of(folder: Path, images: int) -> str:
    """Write a config of tiny images, two a shard, and return its path."""
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
    return ("dataset", f"-j{jobs}", "--configfile", config_of(folder, images))


def whole_shards(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the shards that Snakemake saw finished, each with inode and time of its `shard.json`."""
    begun = [base64.urlsafe_b64decode(path.name).decode() for path in (folder / ".snakemake/incomplete").glob("*")]
    facts = {str(path.parent.relative_to(folder)): path.stat() for path in (folder / DATA).glob("shards/*/shard.json")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in facts.items() if name not in begun}


def finish(folder: Path, kept: dict[str, tuple[int, int]] | None = None) -> None:
    """Run Snakemake as anyone would after a crash: the same command again, `--unlock` only if its message says so.

    `kept`: what must not be rendered again; what is whole now, if not given.
    """
    kept = kept or whole_shards(folder)
    run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    if run.returncode != 0 and "--unlock" in run.stdout + run.stderr:
        unlocked = snakemake_runs.snakemake(*arguments(folder), "--unlock", folder=folder)
        assert unlocked.returncode == 0, unlocked.stdout + unlocked.stderr
        run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    now = whole_shards(folder)
    assert {name: now[name] for name in kept} == kept, "a whole shard was rendered again"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """Today's four images, kept as `today/`, and tomorrow's eight, made one job at a time, in `tomorrow/`."""
    base = tmp_path_factory.mktemp("undisturbed")
    tomorrow = base / "tomorrow"
    tomorrow.mkdir()
    run = snakemake_runs.snakemake(*arguments(tomorrow, jobs=1, images=4), folder=tomorrow)
    assert run.returncode == 0, run.stdout + run.stderr
    shutil.copytree(tomorrow, base / "today")
    finish(tomorrow)
    return base


def expect_the_same(folder: Path, undisturbed: Path) -> None:
    assert snakemake_runs.hashes(folder / DATA) == snakemake_runs.hashes(undisturbed / "tomorrow" / DATA)
    checked = run_cariste("verify", folder / DATA)
    assert checked.exit_code == 0, checked.stdout + checked.stderr


class Disturbed:
    """A folder in which Snakemake is started and killed. `kept`: the shards that were whole when that happened."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.kept: dict[str, tuple[int, int]] = {}
        self.started: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        """Start Snakemake in a process group of its own; a lock that a killed one left is removed."""
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
        self.started.append(process)
        return process

    def remember(self) -> None:
        self.kept |= whole_shards(self.folder)

    def stop(self) -> None:
        """Leave no job of any start behind."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def disturbed(tmp_path):
    place = Disturbed(tmp_path)
    yield place
    place.stop()


def render_jobs(process: subprocess.Popen) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid).children(recursive=True)
        return [child for child in found if {"blender", "render"} <= set(child.cmdline()) and "python" in child.name()]
    return []  # something ended while we looked


def wait_for_render_jobs(process: subprocess.Popen) -> list[psutil.Process]:
    """Wait until images are being rendered and return the jobs that do; none if Snakemake ended before."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        if found := render_jobs(process):
            return found
        time.sleep(0.05)
    return []


def kill_a_render_job(process: subprocess.Popen, moments: random.Random) -> None:
    if jobs := wait_for_render_jobs(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            moments.choice(jobs).kill()
    process.wait(PATIENCE_S)


def kill_everything(process: subprocess.Popen, moments: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_snakemake_alone(process: subprocess.Popen, moments: random.Random) -> None:
    """Its jobs live on. They sleep for a while, so that they are still there when the next run starts theirs again."""
    orphans = render_jobs(process)
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.suspend()
    process.kill()
    process.wait()
    threading.Timer(moments.uniform(0.0, 12.0), wake, [orphans]).start()


def wake(orphans: list[psutil.Process]) -> None:
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.resume()


def test_killed_in_every_way_while_it_renders(disturbed, undisturbed):
    moments = random.Random(1)
    for kill in (kill_snakemake_alone, kill_a_render_job, kill_everything):
        process = disturbed.start()
        if not wait_for_render_jobs(process):
            assert kill is not kill_snakemake_alone, (disturbed.folder / "output.txt").read_text()
            break  # what the first kill left alive has rendered the rest
        time.sleep(moments.uniform(0.0, 2.0))
        kill(process, moments)
        assert process.returncode != 0
        disturbed.remember()
    finish(disturbed.folder, disturbed.kept)
    expect_the_same(disturbed.folder, undisturbed)


@pytest.mark.skipif(ROUNDS == 0, reason="takes long: set CARISTE_KILL_ROUNDS to the number of rounds")
@pytest.mark.parametrize("seed", range(max(ROUNDS, 1)))
def test_killed_at_random_moments(disturbed, undisturbed, seed):
    moments = random.Random(seed)
    for _ in range(moments.randint(2, 4)):
        process = disturbed.start()
        time.sleep(moments.uniform(0.0, 15.0))
        moments.choice((kill_snakemake_alone, kill_a_render_job, kill_everything))(process, moments)
        disturbed.remember()
    finish(disturbed.folder, disturbed.kept)
    expect_the_same(disturbed.folder, undisturbed)


@pytest.fixture
def small_disk(tmp_path, undisturbed):
    """Today's four images in a folder whose `shards/` is a file system of its own."""
    folder = tmp_path / "with_a_small_disk"
    shutil.copytree(undisturbed / "today", folder, ignore=shutil.ignore_patterns("0000[01]"))
    disk = folder / DATA / "shards"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "cariste", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small disk needs root and the right to mount: {mounted.stderr.strip()}")
    try:
        shutil.copytree(undisturbed / "today" / DATA / "shards", disk, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def fails(folder: Path, reason: str) -> None:
    """Check that Snakemake ends with an error that tells the reason, and that no shard comes or goes."""
    before = whole_shards(folder)
    run = snakemake_runs.snakemake(*arguments(folder), folder=folder)
    assert run.returncode != 0
    assert reason in run.stdout + run.stderr
    assert whole_shards(folder) == before
    assert len(before) == 2


def test_a_full_disk_and_a_read_only_one(small_disk, undisturbed):
    disk = small_disk / DATA / "shards"
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - 20_000))
    fails(small_disk, "is the disk full?")
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    fails(small_disk, "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    finish(small_disk)
    expect_the_same(small_disk, undisturbed)
