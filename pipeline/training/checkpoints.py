# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what a killed run resumes from, and what a run that met a NaN goes back to.

Every `train.checkpoint_every` iterations a file `<iteration>.pt` is written; the last two stay. A run resumes from the
newest one that is not damaged. After a NaN it goes back to the older of the two, because shortly before a NaN the
weights may be bad already. Nothing in a checkpoint depends on the time, so that a run gives the same weights however
often it was killed.

A checkpoint holds the identity of its run: the config, the hashes of the COCO files and so on. Checkpoints of another
identity, and damaged ones, are moved to `<folder>.aside-<number>`. They are never deleted.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.common import distributed
from pipeline.common.atomic_write import atomic_file
from pipeline.common.file_hash import sha256_of
from pipeline.config.stages import TrainConfig
from pipeline.models.weights import state_dicts
from pipeline.models.weights.model_file import CHECKPOINT_FORMAT
from pipeline.record.scene import GENERATOR_VERSION
from pipeline.training.state import TrainingState

LOG = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2
MAX_DIFFERENCES_SHOWN = 5
# Of `train`. They change how fast a run is and not what it learns (another number of threads: only the last bits). The
# identity holds the type of the device that was found instead of the name in the config.
KEYS_NOT_IN_IDENTITY = {"checkpoint_every", "device", "tensorboard", "threads", "workers"}


def run_identity(settings: TrainConfig, files: Mapping[str, Path], device: torch.device) -> dict[str, Any]:
    """Return what makes a run the same run, as plain values that a reader can compare.

    `files`: the COCO files, by the option or config key that names them. Their content counts, not their path.
    """
    config = settings.model_dump(mode="json")
    for key in KEYS_NOT_IN_IDENTITY:
        del config["train"][key]
    return config | {
        "content": {name: sha256_of(path) for name, path in files.items()},
        "generator_version": GENERATOR_VERSION,
        "processes": distributed.world_size(),
        "device": device.type,
    }


class CheckpointStore:
    """The folder with the checkpoints of one run. All processes read it; only the first one writes.

    `identity`: of the run, see `run_identity`. `model`: what a file needs so that `model.weights` can name it, see
    `detectors.describe_model`.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], model: dict[str, Any]) -> None:
        self.folder = folder
        self.identity = identity
        self.model = model

    def paths(self) -> list[Path]:
        """Return the checkpoint files in the folder, of whatever run, the oldest first."""
        return sorted(self.folder.glob("[0-9]*.pt"))

    def save(self, state: TrainingState) -> None:
        """Write the state, then remove all but the last two checkpoints. All processes must call it."""
        content = self.model | {
            "format": CHECKPOINT_FORMAT,
            "identity": self.identity,
            "state": state.state_dict(),
        }
        if distributed.rank() == 0:
            path = self.folder / f"{state.iteration:09d}.pt"
            with atomic_file(path) as temporary, temporary.open("wb") as file:
                state_dicts.write_archive(file, content)
                file.flush()
                os.fsync(file.fileno())
            for old in self.paths()[:-KEPT_CHECKPOINTS]:
                old.unlink()
        distributed.wait_for_all()

    def newest(self) -> dict[str, Any] | None:
        """Return the newest state of this run, None if there is none. All processes must call it.

        Files that cannot be resumed from are moved aside, and the log says why.
        """
        state, rejected = None, {}
        for path in reversed(self.paths()):
            content = _read(path)
            if content and content["identity"] == self.identity:
                state = content["state"]
                break
            rejected[path] = content
        distributed.wait_for_all()
        if rejected and distributed.rank() == 0:
            self._set_aside(rejected)
        distributed.wait_for_all()
        return state

    def _set_aside(self, rejected: dict[Path, dict[str, Any] | None]) -> None:
        """Move files out of the folder. `rejected` maps each to its content, None where that is damaged."""
        numbers = (number for number in range(1, 10**6))
        candidates = (self.folder.with_name(f"{self.folder.name}.aside-{number}") for number in numbers)
        aside = next(folder for folder in candidates if not folder.exists())
        aside.mkdir()
        for path, content in rejected.items():
            path.rename(aside / path.name)
            if content is None:
                LOG.warning("checkpoint %s is damaged: moved to %s", path, aside)
        usable = {path: content for path, content in rejected.items() if content is not None}
        if not usable:
            return
        newest, content = next(iter(usable.items()))
        differences = list(_differences(content["identity"], self.identity))
        shown = "; ".join(differences[:MAX_DIFFERENCES_SHOWN])
        more = f"; and {len(differences) - MAX_DIFFERENCES_SHOWN} more" if differences[MAX_DIFFERENCES_SHOWN:] else ""
        LOG.warning(
            "the checkpoints in %s are of another run and were moved to %s. What differs: %s%s. To resume that run, "
            "undo the change, delete %s and rename the moved folder back to this name. To begin the new run with its "
            "weights, set model.weights: %s",
            self.folder,
            aside,
            shown,
            more,
            self.folder,
            aside / newest.name,
        )

    def go_back_to_oldest(self) -> dict[str, Any]:
        """Return the older of the states that are kept, and remove the later one. All processes must call it.

        Raises:
            WeightsError: the file is damaged.
        """
        first, *later = self.paths()
        content = _read(first)
        if not content:
            raise state_dicts.WeightsError(
                f"{first}: damaged while the training ran; start the same command again: it resumes from another "
                "checkpoint, or from the beginning"
            )
        distributed.wait_for_all()
        if distributed.rank() == 0:
            for path in later:
                path.unlink()
        distributed.wait_for_all()
        return content["state"]

    def remove(self) -> None:
        """Remove the checkpoints of this run. Call it only in the first process, after the run."""
        for path in [*self.paths(), *self.folder.glob(".*.pt")]:
            path.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _differences(then: Any, now: Any, key: str = "") -> Iterator[str]:
    """Yield what differs between two identities, one text for each key."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*then, *now)):
            yield from _differences(then.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif then != now:
        content = key.removeprefix("content.")
        yield f"the content of {content}" if content != key else f"{key} was {then!r}, is now {now!r}"


def _read(path: Path) -> dict[str, Any] | None:
    """Return the content of a checkpoint; None if it is damaged or of another version."""
    try:
        content = state_dicts.read_archive(path)
    except state_dicts.WeightsError:
        return None
    return content if isinstance(content, dict) and content.get("format") == CHECKPOINT_FORMAT else None
