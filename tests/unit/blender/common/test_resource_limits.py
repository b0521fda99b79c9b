# SPDX-License-Identifier: GPL-3.0-or-later
import resource
import time

import numpy as np
import pytest

from blender.common.resource_limits import limited_resources

LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_CPU)


def test_memory_is_limited_only_inside():
    before = [resource.getrlimit(kind) for kind in LIMITS]
    with limited_resources(50_000_000, 100), pytest.raises(MemoryError):
        np.ones(20_000_000)
    assert [resource.getrlimit(kind) for kind in LIMITS] == before
    assert np.ones(20_000_000).all()


def test_processor_time_is_counted_from_the_start_of_the_block():
    with limited_resources(10**9, 100):
        assert 99 < resource.getrlimit(resource.RLIMIT_CPU)[0] - time.process_time() < 102
