# SPDX-License-Identifier: Apache-2.0
"""Find losses and gradients that are infinite or NaN before they reach the weights."""

import math
from collections.abc import Sequence

from pipeline.common import distributed


class NonFiniteError(Exception):
    """What the batch of this iteration gave is no number; the message names values and images."""

    def __init__(self, iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
        shown = ", ".join(f"{name} {value:g}" for name, value in values.items())
        super().__init__(f"iteration {iteration}: {shown}; images of the batch: {', '.join(file_names)}")
        self.iteration = iteration


def check_finite(iteration: int, values: dict[str, float], file_names: Sequence[str]) -> None:
    """Check the losses and the length of the gradient, means over all processes.

    Raises:
        NotFinite: one of them is infinite or no number. In all processes at once.
    """
    if not all(math.isfinite(value) for value in values.values()):
        names = [name for part in distributed.gather_from_all(list(file_names)) for name in part]
        raise NonFiniteError(iteration, values, names)
