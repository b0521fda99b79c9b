# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests: the order of the files and the settings of Hypothesis."""

import os

import pytest
from hypothesis import settings

from tests.helpers.search import THOROUGH

# As in blender/__init__.py, but before any test imports numpy: with several threads, matrix products round in another
# order, and images rendered in the test process would have other bytes than those of a process of their own.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# The deadline is off because a busy machine must not fail a test. `make test` tries the same examples every time, so
# that it never fails by chance. `make test-all` tries new ones.
settings.register_profile("same examples", deadline=None, derandomize=True)
settings.register_profile("new examples", deadline=None)
settings.load_profile("new examples" if THOROUGH else "same examples")

# The files that take longest start first, so that the short ones fill the end. Each worker runs whole files.
LONGEST_FIRST = (
    "integration/test_survival",
    "integration/test_pipeline",
    "training/test_checkpoints",
    "integration/test_custom_meshes",
    "integration/test_random_scenes",
    "inference/test_export",
    "common/test_distributed",
    "training/test_train",
    "scenes/test_sample",
    "models/test_freezing",
    "training/test_nan_recovery",
    "blender/people/",
    "layouts/test_furnish",
    "reports/test_run_report",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, name in enumerate(LONGEST_FIRST) if name in item.nodeid), len(LONGEST_FIRST))
