# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of memory and time, for code that reads files of others."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

GIB = 2**30
STATM = Path("/proc/self/statm")


@contextlib.contextmanager
def limited_resources(memory_bytes: int, cpu_s: float) -> Iterator[None]:
    """Let this process take only so much more memory and processor time.

    Without memory, allocations fail (Python raises MemoryError, C++ code usually aborts). When the time is over, the
    signal SIGXCPU ends the process. Only Linux has these limits.
    """
    if not STATM.exists():
        yield
        return
    page_count = int(STATM.read_text().split()[0])
    limits = {
        resource.RLIMIT_AS: page_count * resource.getpagesize() + memory_bytes,
        resource.RLIMIT_CPU: int(time.process_time() + cpu_s) + 1,
    }
    before = {kind: resource.getrlimit(kind) for kind in limits}
    for kind, limit in limits.items():
        _, hard = before[kind]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        for kind, limit in before.items():
            resource.setrlimit(kind, limit)
