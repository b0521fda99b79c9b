# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a shard, with the standard library alone: one line that grows on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Sequence[Item], stage: str) -> Iterator[Item]:
    """Yield the items and say after each how many are done, how many are left and how long one takes."""
    end = "\r" if sys.stderr.isatty() else "\n"
    started = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        each = (time.monotonic() - started) / done
        left = len(items) - done
        text = f"{stage}: {done} of {len(items)} images, {left} left, about {each * left:.0f} s, {each:.2f} s each"
        print(text, file=sys.stderr, end=end if left else "\n", flush=True)
