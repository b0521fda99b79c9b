# SPDX-License-Identifier: Apache-2.0
"""What is found while a file is normalized: what was assumed, and what is wrong."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline.coco.entries import MAX_PROBLEMS_SHOWN, one_line, raise_problems
from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)


@dataclass
class _Places:
    """The first and the last place of an assumption or a problem, and how many there are. A file can have millions."""

    first: str
    last: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.first} and {self.count - 1} more" if self.count > 1 else self.first


def _note(notes: dict[str, _Places], sentence: str, place: str) -> None:
    places = notes.setdefault(sentence, _Places(place, place))
    if place != places.last:
        places.last = place
        places.count += 1


class Findings:
    """Collects assumptions and problems of one file. Places are such as "annotation 7" or "images[3]"."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: dict[str, _Places] = {}
        self._first_lines: list[str] = []
        self._problem_count = 0
        self._assumptions: dict[str, _Places] = {}

    def assume(self, sentence: str, place: str = "") -> None:
        """Note an assumption. The same sentence for several places becomes one line."""
        _note(self._assumptions, sentence, place)

    def refuse(self, problem: str, place: str = "") -> None:
        """Note a problem."""
        _note(self._problems, problem, place)
        self._problem_count += 1
        if len(self._first_lines) < MAX_PROBLEMS_SHOWN:
            self._first_lines.append(f"{place}: {problem}" if place else problem)

    @property
    def has_problems(self) -> bool:
        """Whether there are problems."""
        return bool(self._problems)

    def raise_problems(self) -> None:
        """Raise if there are problems.

        Raises:
            CocoError: one line for each problem; if these are more than ten, one for the same problem at many places.
        """
        if self._problem_count == len(self._first_lines):
            raise_problems(self.path, self._first_lines)
        lines = [f"{places}: {problem}" if places.first else problem for problem, places in self._problems.items()]
        raise_problems(self.path, lines)

    def log(self) -> None:
        """Write one line for each assumption."""
        for sentence, places in self._assumptions.items():
            where = f" ({places})" if places.first else ""
            LOG.warning("%s: %s", shown(self.path), one_line(f"{sentence}{where}"))
