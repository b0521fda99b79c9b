# SPDX-License-Identifier: Apache-2.0
from typing import get_args

import numpy as np
import pytest

from pipeline.common.vocabulary import NonCartonKind
from pipeline.record.objects import FURNITURE_KINDS, PROP_KINDS
from pipeline.scenes.assets.prop_shapes import PROP_VARIANTS, draw_prop


def drawn(kind: str, count: int = 60) -> list:
    random = np.random.default_rng(3)
    return [draw_prop(random, kind) for _ in range(count)]


def variant_index(kind: str, variant: float) -> int:
    return int(variant * len(PROP_VARIANTS[kind]))


def test_all_goods_and_furniture_have_variants():
    assert set(PROP_VARIANTS) == {*get_args(NonCartonKind), *FURNITURE_KINDS}
    assert set(PROP_VARIANTS) <= set(PROP_KINDS)


@pytest.mark.parametrize("kind", PROP_VARIANTS)
def test_every_variant_is_drawn_within_its_sizes(kind):
    props = drawn(kind)
    assert {variant_index(kind, parameters.variant) for parameters in props} == set(range(len(PROP_VARIANTS[kind])))
    for parameters in props:
        variant = PROP_VARIANTS[kind][variant_index(kind, parameters.variant)]
        size = np.array(parameters.size_m)
        assert (size[[0]] >= np.array(variant.min_size_m)[[0]] - 1e-3).all()
        assert (size <= np.array(variant.max_size_m) + 1e-3).all()


def test_round_goods_are_as_long_as_wide_or_high():
    for parameters in drawn("drum"):
        assert parameters.size_m[0] == parameters.size_m[1]
    for parameters in drawn("cable_reel"):
        length, width, height = parameters.size_m
        assert length == (width if variant_index("cable_reel", parameters.variant) == 2 else height)


def test_crates_of_pallet_collars_have_the_height_of_whole_collars():
    heights = {p.size_m[2] for p in drawn("crate", 200) if variant_index("crate", p.variant) == 1}
    assert heights == {0.339, 0.534, 0.729, 0.924}


def test_equal_generators_draw_equal_props_and_unknown_kinds_are_errors():
    first, second = (draw_prop(np.random.default_rng(5), "ibc") for _ in range(2))
    assert first == second
    with pytest.raises(KeyError):
        draw_prop(np.random.default_rng(5), "forklift")
