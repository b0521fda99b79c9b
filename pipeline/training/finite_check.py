# SPDX-License-Identifier: Apache-2.0
"""Find losses and gradients that are infinite or NaN before they reach the weights."""

import math
from collections.abc import Sequence

from pipeline.common import distributed


class NonFiniteError(Exception):
    """The batch of an iteration gave an infinite or NaN value; the message names the values and the images."""

    def __init__(self, iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
        listed = ", ".join(f"{name} {value:g}" for name, value in values.items())
        super().__init__(f"iteration {iteration}: {listed}; images of the batch: {', '.join(file_names)}")
        self.iteration = iteration


def check_finite(iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
    """Check the losses and the norm of the gradient, which are means over all processes.

    Raises:
        NonFiniteError: a value is infinite or NaN. It is raised in all processes, with the images of all of them.
    """
    if not all(math.isfinite(value) for value in values.values()):
        gathered = distributed.gather_from_all(list(file_names))
        batch_files = [name for process_files in gathered for name in process_files]
        raise NonFiniteError(iteration, values, batch_files)
