# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a shard, with the standard library only: one line that is updated on a terminal, many lines in a log."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Sequence[Item], label: str) -> Iterator[Item]:
    """Yield the items; after each, print how many are done, how many are left and the time that this takes."""
    end = "\r" if sys.stderr.isatty() else "\n"
    started = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        seconds_each = (time.monotonic() - started) / done
        left = len(items) - done
        text = f"{label}: {done} of {len(items)} images, {left} left, about {seconds_each * left:.0f} s, "
        text += f"{seconds_each:.2f} s each"
        print(text, file=sys.stderr, end=end if left else "\n", flush=True)
