# SPDX-License-Identifier: Apache-2.0
"""Several processes that train one model together, usually one per GPU. `torchrun` starts them:

    torchrun --standalone --nproc-per-node 8 -m -- pipeline train --config …

A batch still has `train.batch_size` images, which the processes share evenly, so that learning rate and schedule need
no change. In a process that torchrun did not start, these functions do nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.common.errors import CaristeError

# The other processes wait this long while the first one scores the model.
TIMEOUT = timedelta(hours=6)


class DistributedError(CaristeError):
    """The processes cannot share the work, or their weights differ."""


@contextmanager
def process_group(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that torchrun has started, if it has. Yields the device of this process."""
    if "LOCAL_RANK" not in os.environ:
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Return the number of this process, 0 for the first."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world_size() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def wait_for_all() -> None:
    """Wait until all processes have called this."""
    if world_size() > 1:
        distributed.barrier()


def wrap_data_parallel(detector: nn.Module) -> nn.Module:
    """Return the model to call in training, which averages the gradients over the processes.

    It only knows the parameters that are trainable now. Wrap the detector again after unfreezing.
    """
    return DistributedDataParallel(detector) if world_size() > 1 else detector


def mean_over_processes(values: Tensor) -> Tensor:
    """Return the mean over the processes. A NaN in one process reaches all of them, so that all decide the same."""
    if world_size() == 1:
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total / world_size()


def gather_from_all(value: Any) -> list[Any]:
    """Return the `value` of every process, in order of rank."""
    if world_size() == 1:
        return [value]
    values = [None] * world_size()
    distributed.all_gather_object(values, value)
    return values


def broadcast_from_first(value: Any) -> Any:
    """Return the `value` of the first process."""
    if world_size() == 1:
        return value
    holder = [value]
    distributed.broadcast_object_list(holder)
    return holder[0]


def require_same_weights(detector: nn.Module) -> None:
    """Check that all processes have the same trained weights, by their sums.

    Raises:
        DistributedError: the sums differ.
    """
    sums = [parameter.detach().double().sum().item() for parameter in detector.parameters() if parameter.requires_grad]
    if any(other != sums for other in gather_from_all(sums)):
        raise DistributedError("the processes' weights differ at the end of the training; this should not be possible")


def batch_size_per_process(batch_size: int, processes: int) -> int:
    """Return the number of images of every batch that each process takes.

    Raises:
        DistributedError: the images cannot be shared evenly.
    """
    if batch_size % processes:
        raise DistributedError(
            f"train.batch_size = {batch_size}: cannot be shared evenly by {processes} processes; "
            f"choose a multiple of {processes}, or another train.processes"
        )
    return batch_size // processes
