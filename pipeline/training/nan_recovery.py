# SPDX-License-Identifier: Apache-2.0
"""When training goes wrong: losses that are no numbers, no memory left.

After a loss or gradient that is no number: go back, leave the batch out, go on more slowly; twice, then stop.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from pipeline.common import distributed
from pipeline.training.checkpoints import Checkpoints, State

LOG = logging.getLogger(__name__)

OUT_OF_MEMORY = (
    "out of memory; lower train.batch_size, then model.min_size and model.max_size, model.sampled_boxes, "
    "model.rpn_proposals_train or train.workers; or raise train.accumulate"
)
MOST_ROLLBACKS = 2
SLOWER = 0.5


class TrainingError(Exception):
    """Training cannot go on; the message names the iteration and the pictures, or what to lower."""


class NotFinite(Exception):
    """What the batch of this iteration gave is no number; the message names values and pictures."""

    def __init__(self, iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
        shown = ", ".join(f"{name} {value:g}" for name, value in values.items())
        super().__init__(f"iteration {iteration}: {shown}; pictures of the batch: {', '.join(file_names)}")
        self.iteration = iteration


def check_finite(iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
    """Check the losses and the length of the gradient, means over all processes.

    Raises:
        NotFinite: one of them is infinite or no number. In all processes at once.
    """
    if not all(math.isfinite(value) for value in values.values()):
        names = [name for part in distributed.gather(list(file_names)) for name in part]
        raise NotFinite(iteration, values, names)


def rate_factor(state: State) -> float:
    """Return what the learning rate is multiplied by after the rollbacks so far."""
    return SLOWER ** len(state.rollbacks)


def roll_back(state: State, checkpoints: Checkpoints, failure: NotFinite) -> None:
    """Put `state` back to the older checkpoint, at a lower rate and with the batch on the list of those left out.

    Raises:
        TrainingError: it has happened too often; the message lists every failure.
    """
    failures = [*state.rollbacks, str(failure)]
    if len(failures) > MOST_ROLLBACKS:
        raise TrainingError(
            "\n".join(failures) + f"\nstopped after {len(failures)} such failures, though the learning rate was halved "
            "after each; look at the annotations of these pictures, or lower train.learning_rate"
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
            rate_factor(state),
        )


@contextmanager
def memory_explained(device: torch.device) -> Iterator[None]:
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
