# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.record.objects import PROP_KINDS
from pipeline.scenes.assets.vehicle_shapes import VEHICLE_VARIANTS, draw_vehicle


def test_all_kinds_are_props():
    assert set(VEHICLE_VARIANTS) <= set(PROP_KINDS)


@pytest.mark.parametrize("kind", VEHICLE_VARIANTS)
def test_sizes_belong_to_the_form_that_the_variant_names(kind):
    random = np.random.default_rng(3)
    forms = VEHICLE_VARIANTS[kind]
    seen = set()
    for _ in range(60):
        drawn = draw_vehicle(random, kind)
        number = int(drawn.variant * len(forms))
        ranges = (forms[number].length_m, forms[number].width_m, forms[number].height_m)
        assert all(low <= side <= high for side, (low, high) in zip(drawn.size_m, ranges, strict=True))
        seen.add(number)
    assert seen == set(range(len(forms)))


def test_the_same_generator_draws_the_same_thing():
    one, other = (draw_vehicle(np.random.default_rng(5), "forklift") for _ in range(2))
    assert one == other
    assert one != draw_vehicle(np.random.default_rng(6), "forklift")


def test_a_kind_without_wheels_is_refused():
    with pytest.raises(KeyError, match="cone"):
        draw_vehicle(np.random.default_rng(0), "cone")
