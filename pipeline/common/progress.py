# SPDX-License-Identifier: Apache-2.0
"""Progress of a long stage: a bar on a terminal, plain lines in a log.

Under Snakemake stderr is the log of the job. If Snakemake itself runs on a terminal, the environment variable
CARISTE_TERMINAL is set (Snakefile), and the bar is shown there as well.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def track(
    items: Iterable[Item], total: int, stage: str, unit: str = "image", status: Callable[[], str] = str
) -> Iterator[Item]:
    """Yield the items and report to stderr how many are done, how many remain and how long one takes.

    Args:
        items: they are taken one by one, never ahead.
        total: number of items.
        stage: name that begins every line.
        unit: noun for one item.
        status: returns more text to show, such as the loss of the last iteration. The default returns "".
    """
    if sys.stderr.isatty():
        yield from _track_with_bar(items, total, stage, unit, status, sys.stderr)
        return
    lines = _track_with_lines(items, total, stage, unit, status)
    with _snakemake_terminal() as terminal:
        yield from _track_with_bar(lines, total, stage, unit, status, terminal) if terminal else lines


@contextlib.contextmanager
def _snakemake_terminal() -> Iterator[TextIO | None]:
    """Yield the terminal on which Snakemake was started, None if there is none."""
    with contextlib.ExitStack() as stack:
        terminal = None
        if os.environ.get("CARISTE_TERMINAL"):
            with contextlib.suppress(OSError):
                terminal = stack.enter_context(open("/dev/tty", "w"))
        yield terminal


def _track_with_bar(
    items: Iterable[Item], total: int, stage: str, unit: str, status: Callable[[], str], terminal: TextIO
) -> Iterator[Item]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit}s"),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left  {task.fields[status]}"),
    )
    # If the bar is on stderr, other output must go through it. In a Snakemake job, stderr is the log file.
    on_stderr = terminal is sys.stderr
    console = Console(file=terminal)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=on_stderr, redirect_stderr=on_stderr
    ) as progress:
        task = progress.add_task(stage, total=total, status="")
        for item in items:
            yield item
            progress.update(task, advance=1, status=status())


def _track_with_lines(
    items: Iterable[Item], total: int, stage: str, unit: str, status: Callable[[], str]
) -> Iterator[Item]:
    started = reported = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if done == total or now - reported >= SECONDS_BETWEEN_LINES:
            reported, seconds_each = now, (now - started) / done
            remaining = f"{total - done} left, about {seconds_each * (total - done):.0f} s"
            line = f"{stage}: {done} of {total} {unit}s, {remaining}, {seconds_each:.2f} s per {unit}"
            print(", ".join(filter(None, (line, status()))), file=sys.stderr, flush=True)
