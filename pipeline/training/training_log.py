# SPDX-License-Identifier: Apache-2.0
"""The training log: JSON lines during the run, a CSV table at its end, and TensorBoard on request."""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from pipeline.common import csv_tables


class TrainingLog:
    """A file with a line of facts about the run, then one line for each iteration.

    Until `finish`, the lines are in `<name>.part`, where they can be followed. If several processes train, `path` is
    None in all but the first, and nothing is written.
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
        """The path of the unfinished log."""
        return self.path.with_name(f"{self.path.name}.part")

    def go_back(self, lines: list[str]) -> None:
        """Replace all lines by those of a checkpoint."""
        self.lines = list(lines)
        if self.path:
            self.growing.write_text("".join(f"{line}\n" for line in self.lines))
        if self.board:
            self.board.close()
            self.board = None

    def write(self, entry: dict[str, Any]) -> None:
        """Add the line of an iteration."""
        if not self.path:
            return
        self.lines.append(json.dumps(entry))
        with self.growing.open("a") as file:
            file.write(f"{self.lines[-1]}\n")
        if self.tensorboard:
            self._write_tensorboard(entry)

    def _write_tensorboard(self, entry: dict[str, Any]) -> None:
        if self.board is None:
            # The import takes seconds, and only this option needs the package.
            from torch.utils.tensorboard import SummaryWriter

            # Removes what a run that was killed or went back has written for later iterations.
            self.board = SummaryWriter(str(self.path.with_name("tensorboard")), purge_step=entry["iteration"])
        for name, value in entry.items():
            if name != "iteration" and value is not None:
                self.board.add_scalar(name, value, entry["iteration"])

    def finish(self) -> None:
        """Give the log its final name, and write the iterations as a CSV table beside it."""
        if not self.path:
            return
        if self.board:
            self.board.close()
        rows = [json.loads(line) for line in self.lines[1:]]
        csv_tables.write(self.path.with_suffix(".csv"), rows)
        self.growing.replace(self.path)


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory in MB: allocated on the GPU, or resident on the CPU in this process without workers."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    # Linux reports kilobytes, macOS bytes.
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit / 1e6, 1)
