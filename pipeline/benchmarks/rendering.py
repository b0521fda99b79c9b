# SPDX-License-Identifier: Apache-2.0
"""Measure how long images take on this machine, to plan a render farm (`cariste benchmark`).

Images are really rendered and labeled. Every job renders the same images with one thread in a process of its own, so
that all jobs have the same work. More jobs than physical cores gain little, because two hardware threads share the
arithmetic units of a core.
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
    """The images cannot be rendered; the message is the output of the renderer."""


@dataclass(frozen=True)
class RenderTiming:
    """The time of `jobs` processes, each of which renders all images.

    `startup_s`: seconds until a process is ready. `seconds`: step -> mean seconds per image; `sample` is Cycles
    sampling, `total` the sum.
    """

    jobs: int
    device: str
    startup_s: float
    seconds: dict[str, float]

    @property
    def images_per_hour(self) -> float:
        """Of all jobs together, without their startup."""
        return self.jobs * 3600 / self.seconds["total"]


def benchmark_rendering(scenes: Path, folder: Path, jobs: int, device: str) -> RenderTiming:
    """Render the records of the file `scenes` in `jobs` processes at the same time, into subfolders of `folder`.

    Raises:
        BenchmarkError: a process failed.
    """
    started = time.perf_counter()
    folders = [folder / f"{jobs}_jobs" / shard_folder_name(job) for job in range(jobs)]
    processes = [_start_process(scenes, each, device) for each in folders]
    for process in processes:
        _, stderr_text = process.communicate()
        if process.returncode != 0:
            raise BenchmarkError(stderr_text.strip())
    wall_s = time.perf_counter() - started
    shards = [json.loads((each / "shard.json").read_text()) for each in folders]
    images = jobs * shards[0]["images"]
    seconds = {step: sum(shard["seconds"][step] for shard in shards) / images for step in shards[0]["seconds"]}
    steps_s = sum(seconds.values()) - seconds["total"]
    seconds["rest"] = max(0.0, seconds["total"] - steps_s)
    slowest_s = max(shard["seconds"]["total"] for shard in shards)
    return RenderTiming(jobs, shards[0]["device"], max(0.0, wall_s - slowest_s), seconds)


def _start_process(scenes: Path, out: Path, device: str) -> subprocess.Popen:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "blender", "render", "--scenes", scenes, "--out", out, "--device", device]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def label_seconds(data: Path, settings: config.Config, audit: bool) -> float:
    """Return the seconds for labeling one image of the rendered data set, the best of LABEL_REPEATS runs."""
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
    """Return a config with one shard of `image_count` images, and with the given values, if they are not None."""
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


def _step_rows(record_s: float, single_job: RenderTiming, label_s: float) -> Iterator[tuple[str, ...]]:
    """Yield the seconds of each step of one image, if a single job runs. `record_s`: of sampling its record."""
    steps = {"scene record": record_s, **single_job.seconds, "label with audit": label_s}
    total_s = record_s + steps.pop("total") + label_s
    for step, seconds in steps.items():
        name = "sample (Cycles)" if step == "sample" else step
        yield name, f"{seconds:.3f} s", f"{seconds / total_s:6.1%}"
    yield "all", f"{total_s:.3f} s"
    without_cycles_s = total_s - single_job.seconds["sample"]
    yield "all but Cycles", f"{without_cycles_s:.3f} s", f"{without_cycles_s / total_s:6.1%}"


def _plan_rows(timings: list[RenderTiming], planned_images: int, shard_size: int) -> Iterator[tuple[str, ...]]:
    """Yield the throughput of each number of jobs, and the core hours for `planned_images`."""
    single_job = timings[0]
    for timing in timings:
        ratio = timing.images_per_hour / single_job.images_per_hour
        comparison = "" if timing is single_job else f"{ratio:.2f} times one job's"
        yield f"{timing.jobs} at once", f"{timing.images_per_hour:,.0f} images per hour", comparison
    yield "startup of a process, once per shard", f"{single_job.startup_s:.1f} s"
    shards = -(-planned_images // shard_size)
    hours = planned_images / single_job.images_per_hour + shards * single_job.startup_s / 3600
    yield f"{planned_images:,} images in shards of {shard_size}", f"{hours:,.1f} core hours"


def run_benchmark(settings: config.Config, source: str, jobs: Sequence[int], planned_images: int | None) -> None:
    """Sample, render and label the images of `settings` and print how long it took.

    `source`: the config to plan for. `jobs`: numbers of jobs to measure; 1 is always measured. `planned_images`: number
    of images to plan for; None: that of the config.

    Raises:
        BenchmarkError, LabelError, ProvenanceError: the images cannot be rendered or labeled.
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
        timings = []
        for count in sorted({1, *jobs}):
            console.print(f"rendering {images} images of {size} with {count} at a time ...", style="dim")
            timings.append(benchmark_rendering(scenes, Path(name), count, settings.render.device))
        data = Path(name) / "data"
        data.mkdir()
        (Path(name) / "1_jobs").rename(data / "shards")
        with_audit_s, without_audit_s = (label_seconds(data, settings, audit) for audit in (True, False))
    title = f"One image of {size}, {settings.render.samples} samples, on {timings[0].device}"
    console.print(_table(title, _step_rows(record_s, timings[0], with_audit_s)))
    label_s = {"with audit": with_audit_s, "without": without_audit_s}
    label_rows = [(name, f"{1 / seconds:.0f} images per second") for name, seconds in label_s.items()]
    console.print(_table("Labeling", label_rows))
    console.print(_table("Throughput", _plan_rows(timings, planned_images or planned.images, planned.shard_size)))
