# SPDX-License-Identifier: Apache-2.0
"""The running checkpoint: what a run that was killed goes on from, and one that met a NaN goes back to.

Every `train.checkpoint_every` iterations a file `<iteration>.pt` is written aside, synced and renamed; the last two
stay. A resumed run takes the newest that is whole. Going back takes the older of the two, because shortly before a NaN
the weights may be bad already. Nothing in a checkpoint depends on the time, so that a run gives the same weights
however often it was killed.
"""

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.common import distributed
from pipeline.config.stages import TrainConfig
from pipeline.models.weights import state_dicts
from pipeline.record.scene import GENERATOR_VERSION
from pipeline.training.state import TrainingState

LOG = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2
# These change how fast a run is and not what it learns; another number of threads, only the last bits.
KEYS_NOT_IN_IDENTITY = {"checkpoint_every", "tensorboard", "threads", "workers"}


def run_identity(settings: TrainConfig, data: Sequence[Path]) -> str:
    """Return a hash of what a run is: its config, the contents of its COCO files, the generator's version, processes.

    A checkpoint of another identity is not gone on from.
    """
    whole = settings.model_dump(mode="json")
    for key in KEYS_NOT_IN_IDENTITY:
        del whole["train"][key]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in data]
    parts = [whole, hashes, GENERATOR_VERSION, distributed.world_size()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class CheckpointStore:
    """The folder with the checkpoints of one run. All processes read it; only the first one writes."""

    def __init__(self, folder: Path, run: str) -> None:
        self.folder = folder
        self.run = run

    def paths(self) -> list[Path]:
        """Return the files of whatever run, the oldest first."""
        return sorted(self.folder.glob("[0-9]*.pt"))

    def save(self, state: TrainingState) -> None:
        """Write the state, then remove all but the last two. For all processes to call."""
        content = {"run": self.run, "state": state.state_dict()}
        if distributed.rank() == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{state.iteration:09d}.pt"
            aside = self.folder / f".{path.name}"
            with aside.open("wb") as file:
                torch.save(content, file)
                os.fsync(file.fileno())
            aside.replace(path)
            for old in self.paths()[:-KEPT_CHECKPOINTS]:
                old.unlink()
        distributed.wait_for_all()

    def newest(self) -> dict[str, Any] | None:
        """Return the state to go on from; None if there is none. What is damaged or of another run is removed."""
        found = None
        for path in reversed(self.paths()):
            content = _read(path)
            if content and content["run"] == self.run:
                found = content["state"]
                break
            if distributed.rank() == 0:
                what = "is of another config, other data or another number of processes" if content else "is damaged"
                LOG.warning("checkpoint %s %s: not used, and removed", path, what)
        distributed.wait_for_all()
        if distributed.rank() == 0:
            for path in self.paths():
                if found is None or path.name > f"{found['iteration']:09d}.pt":
                    path.unlink()
        distributed.wait_for_all()
        return found

    def oldest(self) -> dict[str, Any]:
        """Return the older of the states that are kept, to go back to, and remove what came after it."""
        first, *later = self.paths()
        content = _read(first)
        if not content:
            raise state_dicts.WeightsError(f"{first}: damaged; remove the folder and train again")
        distributed.wait_for_all()
        if distributed.rank() == 0:
            for path in later:
                path.unlink()
        distributed.wait_for_all()
        return content["state"]

    def remove(self) -> None:
        """Remove everything; for a run that is done, and the first process."""
        for path in [*self.paths(), *self.folder.glob(".*.pt")]:
            path.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _read(path: Path) -> dict[str, Any] | None:
    """Return the content of a whole file of ours, or None. torch does not look at the archive's checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():
                return None
        return state_dicts.read_archive(path)
    except (zipfile.BadZipFile, state_dicts.WeightsError):
        return None
