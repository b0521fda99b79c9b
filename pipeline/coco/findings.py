# SPDX-License-Identifier: Apache-2.0
"""What is found while a file is normalized: what was assumed, and what is wrong."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline.coco.entries import one_line, raise_problems
from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)


@dataclass
class _Places:
    """The first and the last place of an assumption, and how many there are. A file can have millions."""

    first: str
    last: str
    count: int = 1


class Findings:
    """Collects assumptions and problems of one file. Places are such as "annotation 7" or "images[3]"."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._assumptions: dict[str, _Places] = {}

    def assume(self, sentence: str, place: str = "") -> None:
        """Note an assumption. The same sentence for several places becomes one line."""
        places = self._assumptions.setdefault(sentence, _Places(place, place))
        if place != places.last:
            places.last = place
            places.count += 1

    def refuse(self, problem: str, place: str = "") -> None:
        """Note a problem."""
        self.problems.append(f"{place}: {problem}" if place else problem)

    def raise_problems(self) -> None:
        """Raise if there are problems.

        Raises:
            CocoError: one line for each problem (the first ten).
        """
        raise_problems(self.path, self.problems)

    def log(self) -> None:
        """Write one line for each assumption."""
        for sentence, places in self._assumptions.items():
            more = f" and {places.count - 1} more" if places.count > 1 else ""
            where = f" ({places.first}{more})" if places.first else ""
            LOG.warning("%s: %s", shown(self.path), one_line(f"{sentence}{where}"))
