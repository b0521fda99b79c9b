# SPDX-License-Identifier: Apache-2.0
"""How long images take on this machine, to plan a render farm with: really rendered, really labelled.

    python -m pipeline.benchmarks.rendering --config configs/quickstart.yaml --image-count 6 --jobs 1 2 --wanted 100000

Every job renders the same images with one thread in a process of its own, so that all have the same work. Jobs beyond
the number of real cores gain little: two hardware threads of a core share its arithmetic units.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.common.errors import CaristeError
from pipeline.config import config
from pipeline.config.stages import LabelConfig, SampleConfig
from pipeline.labelling import label
from pipeline.record.scene import shard_folder_name
from pipeline.scenes.sample import sample_scene, write_scenes

LABEL_REPEATS = 3


class BenchmarkError(CaristeError):
    """The images cannot be rendered; the message is what the renderer said."""


@dataclass(frozen=True)
class RenderTiming:
    """What `jobs` processes took, each for all images. Seconds: `start_s` until a process is ready, `seconds` by step
    of one image in the mean, `sample` being Cycles' sampling; `total` all of them.
    """

    jobs: int
    device: str
    start_s: float
    seconds: dict[str, float]

    @property
    def per_hour(self) -> float:
        """Images per hour of all jobs together, without their start."""
        return self.jobs * 3600 / self.seconds["total"]


def benchmark_rendering(scenes: Path, folder: Path, jobs: int, device: str) -> RenderTiming:
    """Render the records of `scenes` in `jobs` processes at once.

    Raises:
        BenchmarkError: a process failed.
    """
    started = time.perf_counter()
    processes = [_start(scenes, folder / f"{jobs}_jobs" / shard_folder_name(job), device) for job in range(jobs)]
    for process in processes:
        _, said = process.communicate()
        if process.returncode != 0:
            raise BenchmarkError(said.strip())
    wall_s = time.perf_counter() - started
    shards = [
        json.loads((folder / f"{jobs}_jobs" / shard_folder_name(job) / "shard.json").read_text()) for job in range(jobs)
    ]
    images = jobs * shards[0]["images"]
    seconds = {step: sum(shard["seconds"][step] for shard in shards) / images for step in shards[0]["seconds"]}
    steps_s = sum(seconds.values()) - seconds["total"]
    seconds["rest"] = max(0.0, seconds["total"] - steps_s)
    slowest_s = max(shard["seconds"]["total"] for shard in shards)
    return RenderTiming(jobs, shards[0]["device"], max(0.0, wall_s - slowest_s), seconds)


def _start(scenes: Path, out: Path, device: str) -> subprocess.Popen:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "blender", "render", "--scenes", scenes, "--out", out, "--device", device]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def label_seconds(data: Path, settings: config.Config, audit: bool) -> float:
    """Return the seconds it takes to label an image of the rendered data set, the best of a few runs."""
    rules = settings.label.model_copy(update={"audit": audit})
    label_settings = LabelConfig.from_config(settings.model_copy(update={"label": rules}))
    times = []
    for _ in range(LABEL_REPEATS):
        started = time.perf_counter()
        with contextlib.redirect_stderr(io.StringIO()):
            label.label_dataset(data, label_settings)
        times.append(time.perf_counter() - started)
    return min(times) / settings.data.images


def benchmark_config(
    source: str, image_count: int, width: int | None, height: int | None, samples: int | None
) -> config.Config:
    """Return the config with one shard of `image_count` images, and with other values where they are given."""
    values = config.read_config(source).model_dump(mode="json")
    values["data"] |= {"images": image_count, "shard_size": image_count}
    values["camera"] |= {name: value for name, value in {"width": width, "height": height}.items() if value}
    values["render"] |= {"samples": samples} if samples else {}
    return config.validate(values)


def _table(title: str, rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False)
    for side in ("left", "right", "left"):
        table.add_column(justify=side)
    for row in rows:
        table.add_row(*row)
    return table


def _step_rows(sampling_s: float, one: RenderTiming, label_s: float) -> Iterator[tuple[str, ...]]:
    """Yield where the time of one image goes, when one job works alone."""
    steps = {"scene record": sampling_s, **one.seconds, "label with audit": label_s}
    whole_s = sampling_s + steps.pop("total") + label_s
    for step, seconds in steps.items():
        name = "sample (Cycles)" if step == "sample" else step
        yield name, f"{seconds:.3f} s", f"{seconds / whole_s:6.1%}"
    yield "all", f"{whole_s:.3f} s"
    yield "all but Cycles", f"{whole_s - one.seconds['sample']:.3f} s", f"{1 - one.seconds['sample'] / whole_s:6.1%}"


def _plan_rows(measured: list[RenderTiming], wanted: int, shard_size: int) -> Iterator[tuple[str, ...]]:
    """Yield the throughput of each number of jobs, and what the wanted images take."""
    alone = measured[0].per_hour / measured[0].jobs
    for each in measured:
        ratio = "" if each is measured[0] else f"{each.per_hour / alone:.2f} times one job's"
        yield f"{each.jobs} at once", f"{each.per_hour:,.0f} images an hour", ratio
    start_s = measured[0].start_s
    yield "start of a process, once a shard", f"{start_s:.1f} s"
    hours = wanted / alone + -(-wanted // shard_size) * start_s / 3600
    yield f"{wanted:,} images in shards of {shard_size}", f"{hours:,.1f} core hours"


def run_benchmark(settings: config.Config, source: str, jobs: Sequence[int], wanted: int | None) -> None:
    """Sample, render and label the images of `settings` and print what it took.

    `source`: the config that is planned for. `jobs`: numbers of jobs to measure, besides 1. `wanted`: images to plan
    for; None: those of the config.

    Raises:
        BenchmarkError, label.LabelError, lineage.ProvenanceError: see there.
    """
    planned = config.read_config(source).data
    console = Console(width=None if sys.stdout.isatty() else 100)
    images, size = settings.data.images, f"{settings.camera.width}x{settings.camera.height}"
    with tempfile.TemporaryDirectory(prefix="cariste-benchmark-") as name:
        scenes = Path(name) / "scenes.jsonl"
        started = time.perf_counter()
        world = SampleConfig.from_config(settings)
        write_scenes((sample_scene(world, index) for index in range(images)), scenes)
        record_s = (time.perf_counter() - started) / images
        measured = []
        for count in sorted({1, *jobs}):
            console.print(f"rendering {images} images of {size} with {count} at a time ...", style="dim")
            measured.append(benchmark_rendering(scenes, Path(name), count, settings.render.device))
        data = Path(name) / "data"
        data.mkdir()
        (Path(name) / "1_jobs").rename(data / "shards")
        audited_s, plain_s = (label_seconds(data, settings, audit) for audit in (True, False))
    title = f"One image of {size}, {settings.render.samples} samples, on {measured[0].device}"
    console.print(_table(title, _step_rows(record_s, measured[0], audited_s)))
    labelling = [(name, f"{1 / each:.0f} images a second") for name, each in (("audited", audited_s), ("not", plain_s))]
    console.print(_table("Labels", labelling))
    console.print(_table("Throughput", _plan_rows(measured, wanted or planned.images, planned.shard_size)))
