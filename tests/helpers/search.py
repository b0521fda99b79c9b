# SPDX-License-Identifier: Apache-2.0
"""How long random searches last: short in `make test`, long and with new random seeds in `make test-all`."""

import os

THOROUGH = bool(os.environ.get("CARISTE_THOROUGH"))


def examples(count: int) -> int:
    """Return how many examples Hypothesis tries: a quarter of `count`, at least 5; twice `count` in `make test-all`."""
    return 2 * count if THOROUGH else max(5, count // 4)
