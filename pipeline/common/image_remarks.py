# SPDX-License-Identifier: Apache-2.0
"""What is said about many image files: one line for each assumption, with the first three names."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)


class Remarks:
    """What was assumed about image files: each assumption, with the files."""

    def __init__(self) -> None:
        self.paths: dict[str, list[Path]] = defaultdict(list)

    def add(self, path: Path, remarks: list[str]) -> None:
        """Note what was assumed about a file."""
        for remark in remarks:
            self.paths[remark].append(path)

    def log(self) -> None:
        """Write one line for each assumption."""
        for remark, paths in self.paths.items():
            LOG.warning("%s: images %s", remark, name_some([shown(path) for path in sorted(paths)]))


def name_some(names: Sequence[str], most: int = 3) -> str:
    """Return a number of names and the first of them, such as "5 (a.jpg, b.jpg, c.jpg, …)"."""
    return f"{len(names)} ({', '.join(names[:most])}{', …' if len(names) > most else ''})"
