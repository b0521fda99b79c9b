# SPDX-License-Identifier: Apache-2.0
"""What a training writes down: JSON lines as it goes, CSV when it is done, TensorBoard if asked for."""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from pipeline.common import csv_tables


class TrainingLog:
    """The first line says what is trained on what; then comes one line for each iteration.

    Until `finish` the lines are in `<name>.part`, where they can be followed. A run of many processes has `None` for
    a path in all but the first.
    """

    def __init__(self, path: Path | None, facts: dict[str, Any], tensorboard: bool) -> None:
        self.path = path
        self.lines: list[str] = []
        self.board = None
        self.tensorboard = tensorboard and path is not None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.go_back([json.dumps(facts)])

    @property
    def growing(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    def go_back(self, lines: list[str]) -> None:
        """Begin again with these lines, as they were when a checkpoint was written."""
        self.lines = list(lines)
        if self.path:
            self.growing.write_text("".join(f"{line}\n" for line in self.lines))
        if self.board:
            self.board.close()
            self.board = None

    def write(self, line: dict[str, Any]) -> None:
        """Add the line of an iteration."""
        if not self.path:
            return
        self.lines.append(json.dumps(line))
        with self.growing.open("a") as file:
            file.write(f"{self.lines[-1]}\n")
        if self.tensorboard:
            self._show(line)

    def _show(self, line: dict[str, Any]) -> None:
        if self.board is None:
            # Takes seconds to import, and a package that only this option needs.
            from torch.utils.tensorboard import SummaryWriter

            # What a run that was killed or went back has shown of later iterations is taken away.
            self.board = SummaryWriter(str(self.path.with_name("tensorboard")), purge_step=line["iteration"])
        for name, value in line.items():
            if name != "iteration" and value is not None:
                self.board.add_scalar(name, value, line["iteration"])

    def finish(self) -> None:
        """Put the log in its place, and the iterations as a table beside it."""
        if not self.path:
            return
        if self.board:
            self.board.close()
        rows = [json.loads(line) for line in self.lines[1:]]
        csv_tables.write(self.path.with_suffix(".csv"), rows)
        self.growing.replace(self.path)


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory so far: allocated on the GPU; resident, of this process without its workers, on a CPU."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
