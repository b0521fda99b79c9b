# SPDX-License-Identifier: Apache-2.0
"""The processes that read images: how many there are, and how their batches reach the training loop."""

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.common import distributed
from pipeline.common.errors import CaristeError
from pipeline.config.training import TrainSection
from pipeline.data.dataset import TrainingDataset, TrainingItem
from pipeline.data.sampler import Draw, DrawSequence, ProcessBatchSampler, SamplingSource, lvis_repeat_factors

LOG = logging.getLogger(__name__)

SHARED_MEMORY = Path("/dev/shm")
PREFETCHED_BATCHES = 2  # batches that each worker keeps ready
# Of a pixel: three float32 of the image and an int32 of the id map.
BYTES_PER_PIXEL = 16
MAX_WORKERS = 8

ItemArrays = tuple[np.ndarray, dict[str, np.ndarray], str]  # a TrainingItem as numpy arrays


class BatchLoader:
    """Batches from iteration `first` on: lists of `TrainingItem`, the same for every number of workers.

    Workers hand their tensors over in shared memory. Where there is too little of it, they send them as bytes through
    a pipe: a container has only 64 MB by default.

    Args:
        seed: of the run, decides which image is drawn when.
        first: the number of iterations that are done.
        rank: the number of this training process.
        world: the number of training processes.
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
        batch_size = distributed.batch_size_per_process(settings.batch_size, world)
        batches = ProcessBatchSampler(
            build_draw_sequence(dataset, settings, seed), batch_size, settings.iterations, first, rank, world
        )
        # torchrun sets the number of training processes on this machine.
        processes_here = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        workers = min(choose_worker_count(settings, processes_here), len(batches))
        batches_in_flight = processes_here * workers * PREFETCHED_BATCHES
        bytes_needed = batches_in_flight * batch_size * dataset.largest_px() * BYTES_PER_PIXEL
        self.by_pipe = workers > 0 and not shared_memory_holds(bytes_needed)
        self.loader = DataLoader(
            _ErrorsAsBatches(dataset),
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=_to_arrays if self.by_pipe else _unchanged,
            worker_init_fn=_start_worker,
            prefetch_factor=PREFETCHED_BATCHES if workers else None,
            # The loader must not draw from the random numbers of the model.
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[TrainingItem]]:
        """Yield the batches.

        Raises:
            CaristeError: what reading an image raised, in whatever process.
        """
        for batch in self.loader:
            if isinstance(batch, CaristeError):
                raise batch
            yield _to_tensors(batch) if self.by_pipe else batch


class _ErrorsAsBatches(Dataset):
    """Returns a CaristeError as a batch. torch would replace the message of an error by a traceback of the worker."""

    def __init__(self, dataset: TrainingDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, draws: list[Draw]) -> list[TrainingItem] | CaristeError:
        try:
            return [self.dataset[draw] for draw in draws]
        except CaristeError as error:
            return error


def build_draw_sequence(dataset: TrainingDataset, settings: TrainSection, seed: int) -> DrawSequence:
    """Return which image is drawn when: each source by its share, images of rare classes of a source more often."""
    sources = []
    for source in dataset.sources:
        repeats = lvis_repeat_factors(source.annotations.present(dataset.classes), settings.repeat_threshold)
        sources.append(SamplingSource(source.name, source.share, repeats))
    return DrawSequence(sources, seed)


def choose_worker_count(settings: TrainSection, processes_here: int = 1) -> int:
    """Return the number of workers of a training process. `processes_here`: training processes on this machine.

    `auto` takes the cores that the threads of the training step leave, at most eight. If they leave none, one worker
    still reads while the step waits for memory; on a single core it would only take time from the step.
    """
    if settings.workers != "auto":
        return settings.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores_per_process = cores // processes_here
    return min(MAX_WORKERS, max(1, cores_per_process - settings.threads)) if cores_per_process > 1 else 0


def shared_memory_holds(bytes_needed: int) -> bool:
    """Return whether twice the needed bytes fit into shared memory; otherwise log a warning."""
    if not SHARED_MEMORY.is_dir():  # only Linux has a file system for shared memory
        return True
    free = shutil.disk_usage(SHARED_MEMORY).free
    if 2 * bytes_needed <= free:
        return True
    LOG.warning(
        "%s has %d MB free, and prefetched batches can take %d MB: workers send them through pipes instead, which is "
        "slower (docker: --shm-size=%dm)",
        SHARED_MEMORY,
        free >> 20,
        bytes_needed >> 20,
        (2 * bytes_needed >> 20) + 1,
    )
    return False


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)  # every core has a worker already
    # Exempts all present objects from garbage collection, which writes to them: written pages are no longer shared.
    gc.freeze()


def _unchanged(batch: list[TrainingItem] | CaristeError) -> list[TrainingItem] | CaristeError:
    return batch


def _to_arrays(batch: list[TrainingItem] | CaristeError) -> list[ItemArrays] | CaristeError:
    if isinstance(batch, CaristeError):
        return batch
    return [
        (item.image.numpy(), {key: value.numpy() for key, value in item.target.items()}, item.file_name)
        for item in batch
    ]


def _to_tensors(batch: list[ItemArrays]) -> list[TrainingItem]:
    return [
        TrainingItem(
            torch.from_numpy(image), {key: torch.from_numpy(value) for key, value in target.items()}, file_name
        )
        for image, target, file_name in batch
    ]
