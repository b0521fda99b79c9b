# SPDX-License-Identifier: GPL-3.0-or-later
"""No valid config makes sampling, posing people or building people and trucks raise an exception.

`make test` checks the same scenes every time. `make test-all` checks `CARISTE_RANDOM_SCENES` (default 500) more.
"""

import os

import numpy as np
import pytest

from tests.search.random_configs import draw_config
from tests.search.random_scenes import Counts, check_scene

QUICK_COUNT = 20
LONG_COUNT = int(os.environ.get("CARISTE_RANDOM_SCENES", "500"))
BUILD_EVERY = 10


def check_scenes(numbers: range) -> Counts:
    counts = Counts()
    failures = [
        failure for number in numbers for failure in check_scene(number, build=number % BUILD_EVERY == 0, counts=counts)
    ]
    assert not failures, "\n".join(f"scene {failure.number}: {failure.stage}: {failure.trace}" for failure in failures)
    return counts


@pytest.mark.parametrize("first", range(0, QUICK_COUNT, 20))
def test_scenes_of_random_configs_can_be_sampled_and_built(first):
    counts = check_scenes(range(first, first + 20))
    assert (counts.sampled, counts.built_scenes) == (20, 2)
    assert counts.posed_people > 10


@pytest.mark.slow
def test_many_scenes_of_random_configs_can_be_sampled_and_built():
    counts = check_scenes(range(QUICK_COUNT, QUICK_COUNT + LONG_COUNT))
    assert counts.sampled == LONG_COUNT


def test_random_configs_visit_the_limits_of_the_config():
    configs = [draw_config(np.random.default_rng(number)) for number in range(300)]
    assert {min(config.people.height_m) for config in configs} >= {1.4, 2.1}
    assert {max(config.people.age_years) for config in configs} >= {18.0, 90.0}
    assert {config.trucks.electric for config in configs} >= {0.0, 1.0}
    assert {min(config.goods.fill) for config in configs} >= {0.0, 1.0}
    assert {config.camera.width for config in configs} >= {32, 8192}
    assert any(list(config.camera.rigs) == ["ceiling"] for config in configs)
    assert max(max(config.people.count) for config in configs) > 20
