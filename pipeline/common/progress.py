# SPDX-License-Identifier: Apache-2.0
"""Progress of a long stage: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def track(
    items: Iterable[Item], total: int, stage: str, unit: str = "image", status: Callable[[], str] = str
) -> Iterator[Item]:
    """Yield the items and report to stderr how many are done, how many remain and how long one takes.

    `status` returns more text to show, such as the loss of the last iteration. The default returns nothing.
    """
    if sys.stderr.isatty():
        yield from _track_with_bar(items, total, stage, unit, status)
    else:
        yield from _track_with_lines(items, total, stage, unit, status)


def _track_with_bar(
    items: Iterable[Item], total: int, stage: str, unit: str, status: Callable[[], str]
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
    with Progress(*columns, console=Console(stderr=True)) as progress:
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
