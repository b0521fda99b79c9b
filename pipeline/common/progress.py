# SPDX-License-Identifier: Apache-2.0
"""Progress of a long stage: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def track(
    items: Iterable[Item], total: int, stage: str, unit: str = "image", note: Callable[[], str] = str
) -> Iterator[Item]:
    """Yield the items and say how many are done, how many are left and how long one takes.

    `note` is asked for what else to say, such as the loss, when something is said; nothing by default.
    """
    if sys.stderr.isatty():
        with tqdm(items, total=total, desc=stage, unit=unit, dynamic_ncols=True) as bar:
            for item in bar:
                yield item
                bar.set_postfix_str(note(), refresh=False)
        return
    started = said = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if done == total or now - said >= SECONDS_BETWEEN_LINES:
            said, each = now, (now - started) / done
            left = f"{total - done} left, about {each * (total - done):.0f} s"
            line = f"{stage}: {done} of {total} {unit}s, {left}, {each:.2f} s per {unit}"
            print(", ".join(filter(None, (line, note()))), file=sys.stderr, flush=True)
