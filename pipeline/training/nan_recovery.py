# SPDX-License-Identifier: Apache-2.0
"""What happens when training fails: NaN losses, or out of memory.

After an infinite or NaN loss or gradient, training goes back to a checkpoint, leaves the batch out and continues at
half the learning rate. After the third failure it stops.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.common import distributed
from pipeline.common.errors import CaristeError, out_of_memory
from pipeline.training.checkpoints import CheckpointStore
from pipeline.training.finite_check import NonFiniteError
from pipeline.training.state import TrainingState

LOG = logging.getLogger(__name__)

OUT_OF_MEMORY = (
    "out of memory; lower train.batch_size, then model.min_size and model.max_size, model.sampled_boxes, "
    "model.rpn_proposals_train or train.workers; or raise train.accumulate"
)
# After a worker was killed, which the system does if memory is short, torch raises a RuntimeError that contains this.
KILLED_WORKER = "killed by signal"
MAX_ROLLBACKS = 2


class TrainingError(CaristeError):
    """Training cannot continue; the message names the iterations and images, or what to lower."""


def roll_back(state: TrainingState, checkpoints: CheckpointStore, failure: NonFiniteError) -> None:
    """Restore the older checkpoint, halve the learning rate, and leave out the batch that failed.

    Raises:
        TrainingError: too many failures; the message lists all of them.
    """
    failures = [*state.rollbacks, str(failure)]
    if len(failures) > MAX_ROLLBACKS:
        raise TrainingError(
            "\n".join(failures) + f"\nstopped after {len(failures)} such failures, although the learning rate was "
            "halved after each one; check the annotations of these images, or lower train.learning_rate"
        )
    skipped = [*state.skipped, failure.iteration]
    state.load_state_dict(checkpoints.go_back_to_oldest())
    state.rollbacks, state.skipped = failures, skipped
    # A run that is killed after this must not forget the failure.
    checkpoints.save(state)
    if distributed.rank() == 0:
        LOG.warning(
            "%s\nback to iteration %d, without this batch, at %g times the learning rate",
            failure,
            state.iteration,
            state.rate_factor,
        )


@contextmanager
def explain_out_of_memory(device: torch.device) -> Iterator[None]:
    """Turn errors of torch about memory into a TrainingError that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not out_of_memory(error) and KILLED_WORKER not in str(error):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise TrainingError(f"{device}: {OUT_OF_MEMORY} ({reason})") from error
