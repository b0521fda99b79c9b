# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.record.objects import PROP_KINDS
from pipeline.scenes.assets.vehicle_shapes import VEHICLE_VARIANTS, draw_vehicle


def test_all_kinds_are_props():
    assert set(VEHICLE_VARIANTS) <= set(PROP_KINDS)


@pytest.mark.parametrize("kind", VEHICLE_VARIANTS)
def test_sizes_lie_in_the_ranges_of_the_variant(kind):
    random = np.random.default_rng(3)
    variants = VEHICLE_VARIANTS[kind]
    seen = set()
    for _ in range(60):
        drawn = draw_vehicle(random, kind)
        number = int(drawn.variant * len(variants))
        ranges = (variants[number].length_m, variants[number].width_m, variants[number].height_m)
        assert all(low <= side <= high for side, (low, high) in zip(drawn.size_m, ranges, strict=True))
        seen.add(number)
    assert seen == set(range(len(variants)))


def test_equal_generators_draw_equal_vehicles():
    first, second = (draw_vehicle(np.random.default_rng(5), "forklift") for _ in range(2))
    assert first == second
    assert first != draw_vehicle(np.random.default_rng(6), "forklift")


def test_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError, match="cone"):
        draw_vehicle(np.random.default_rng(0), "cone")
