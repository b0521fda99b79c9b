# SPDX-License-Identifier: Apache-2.0
"""Reader processes: how many, how their batches reach the training loop, what they must not do to memory."""

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from pipeline.common import distributed
from pipeline.config.training import TrainSection
from pipeline.data.dataset import TrainingDataset, TrainingItem
from pipeline.data.sampler import DrawSequence, ProcessBatchSampler, SamplingSource, lvis_repeat_factors

SHARED_MEMORY = Path("/dev/shm")
PREFETCHED_BATCHES = 2  # batches that each worker keeps ready
# Of a pixel: three float32 of the image, an int32 of the id map.
BYTES_PER_PIXEL = 16
MAX_WORKERS = 8

LOG = logging.getLogger(__name__)


class BatchLoader:
    """Batches from iteration `first` on, lists of `TrainingItem`, the same whatever the number of workers.

    Workers hand their tensors over in shared memory, or, where there is too little of it (a container's /dev/shm is
    64 MB unless told otherwise), as bytes through a pipe.
    """

    def __init__(
        self,
        dataset: TrainingDataset,
        settings: TrainSection,
        seed: int,
        first: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        own = distributed.batch_size_per_process(settings.batch_size, world)
        batches = ProcessBatchSampler(
            build_draw_sequence(dataset, settings, seed), own, settings.iterations, first, rank, world
        )
        here = int(os.environ.get("LOCAL_WORLD_SIZE", world))  # torchrun says how many of them share this machine
        workers = min(choose_worker_count(settings, here), len(batches))
        bytes_needed = here * workers * PREFETCHED_BATCHES * own * dataset.largest_px() * BYTES_PER_PIXEL
        self.by_pipe = workers > 0 and not shared_memory_holds(bytes_needed)
        self.loader = DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=_as_arrays if self.by_pipe else list,
            worker_init_fn=_start_worker,
            prefetch_factor=PREFETCHED_BATCHES if workers else None,
            # Its own, so that the loader takes nothing from the model's random numbers.
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[TrainingItem]]:
        return map(_as_tensors, self.loader) if self.by_pipe else iter(self.loader)


def build_draw_sequence(dataset: TrainingDataset, settings: TrainSection, seed: int) -> DrawSequence:
    """Return what is drawn when: each source by its share, images of rare classes of a source more often."""
    strata = []
    for source in dataset.sources:
        repeats = lvis_repeat_factors(source.annotations.present(dataset.classes), settings.repeat_threshold)
        strata.append(SamplingSource(source.name, source.share, repeats))
    return DrawSequence(strata, seed)


def choose_worker_count(settings: TrainSection, here: int = 1) -> int:
    """Return the number of workers of one training process of those `here`, on this machine.

    `auto`: the cores that are left when the step has its threads, at most eight. Where none is left, still one: it
    reads while the step waits for memory; on a single core it would only be in the way.
    """
    if settings.workers != "auto":
        return settings.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = cores // here
    return min(MAX_WORKERS, max(1, own - settings.threads)) if own > 1 else 0


def shared_memory_holds(bytes_needed: int) -> bool:
    """Return whether batches fit into shared memory, with as much again to spare; if not, say so in the log."""
    if not SHARED_MEMORY.is_dir():  # not Linux: shared memory is not a file system of its own there
        return True
    free = shutil.disk_usage(SHARED_MEMORY).free
    if 2 * bytes_needed <= free:
        return True
    LOG.warning(
        "%s has %d MB free, batches under way can take %d MB: workers send them through pipes instead, which costs "
        "the loop some time (docker: --shm-size=%dm)",
        SHARED_MEMORY,
        free >> 20,
        bytes_needed >> 20,
        (2 * bytes_needed >> 20) + 1,
    )
    return False


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)  # there is a worker for every core already
    # What was there at the start is not looked through for garbage: that writes to it, and so copies it.
    gc.freeze()


def _as_arrays(samples: list[TrainingItem]) -> list[tuple[np.ndarray, dict[str, np.ndarray], str]]:
    return [
        (each.image.numpy(), {key: value.numpy() for key, value in each.target.items()}, each.file_name)
        for each in samples
    ]


def _as_tensors(batch: list[tuple[np.ndarray, dict[str, np.ndarray], str]]) -> list[TrainingItem]:
    return [
        TrainingItem(
            torch.from_numpy(image), {key: torch.from_numpy(value) for key, value in target.items()}, file_name
        )
        for image, target, file_name in batch
    ]
