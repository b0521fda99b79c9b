# SPDX-License-Identifier: Apache-2.0
"""When training goes wrong: losses that are no numbers, no memory left.

After a loss or gradient that is no number: go back, leave the batch out, go on more slowly; twice, then stop.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.common import distributed
from pipeline.common.errors import CaristeError
from pipeline.training.checkpoints import CheckpointStore
from pipeline.training.finite_check import NonFiniteError
from pipeline.training.state import TrainingState

LOG = logging.getLogger(__name__)

OUT_OF_MEMORY = (
    "out of memory; lower train.batch_size, then model.min_size and model.max_size, model.sampled_boxes, "
    "model.rpn_proposals_train or train.workers; or raise train.accumulate"
)
MAX_ROLLBACKS = 2


class TrainingError(CaristeError):
    """Training cannot go on; the message names the iteration and the images, or what to lower."""


def roll_back(state: TrainingState, checkpoints: CheckpointStore, failure: NonFiniteError) -> None:
    """Put `state` back to the older checkpoint, at a lower rate and with the batch on the list of those left out.

    Raises:
        TrainingError: it has happened too often; the message lists every failure.
    """
    failures = [*state.rollbacks, str(failure)]
    if len(failures) > MAX_ROLLBACKS:
        raise TrainingError(
            "\n".join(failures) + f"\nstopped after {len(failures)} such failures, though the learning rate was halved "
            "after each; look at the annotations of these images, or lower train.learning_rate"
        )
    skipped = [*state.skipped, failure.iteration]
    state.load_state_dict(checkpoints.oldest())
    state.rollbacks, state.skipped = failures, skipped
    # So that a kill after this does not forget it.
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
    """Turn an end of memory into a TrainingError that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise TrainingError(f"{device}: {OUT_OF_MEMORY} ({str(error).splitlines()[0]})") from error


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell memory from other troubles: on the CPU, and of a worker that was killed, torch says RuntimeError."""
    signs = ("can't allocate memory", "killed by signal")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error) for sign in signs)
