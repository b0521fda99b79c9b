# SPDX-License-Identifier: Apache-2.0
"""What is found while a file is normalized: what was assumed, and what is wrong."""

import logging
from collections import defaultdict
from pathlib import Path

from pipeline.coco.entries import one_line, raise_problems
from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)


class Findings:
    """Collects assumptions and problems of one file. Places are such as "annotation 7" or "images[3]"."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        # sentence -> places; a dict keeps their order
        self._assumptions: dict[str, dict[str, None]] = defaultdict(dict)

    def assume(self, sentence: str, place: str = "") -> None:
        """Note an assumption. The same sentence for several places becomes one line."""
        self._assumptions[sentence][place] = None

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
            named = [place for place in places if place]
            more = f" and {len(named) - 1} more" if len(named) > 1 else ""
            LOG.warning("%s: %s", shown(self.path), one_line(f"{sentence} ({named[0]}{more})" if named else sentence))
