# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.record.objects import PROP_KINDS
from pipeline.scenes.assets.prop_shapes import FURNITURE, GOODS, PROP_VARIANTS, draw_prop


def drawn(kind: str, count: int = 60) -> list:
    random = np.random.default_rng(3)
    return [draw_prop(random, kind) for _ in range(count)]


def form_of(kind: str, variant: float) -> int:
    return int(variant * len(PROP_VARIANTS[kind]))


def test_there_are_forms_of_every_good_and_piece_of_furniture():
    assert set(PROP_VARIANTS) == {*GOODS, *FURNITURE}
    assert set(PROP_VARIANTS) <= set(PROP_KINDS)


@pytest.mark.parametrize("kind", PROP_VARIANTS)
def test_every_form_is_drawn_and_within_its_sizes(kind):
    made = drawn(kind)
    assert {form_of(kind, parameters.variant) for parameters in made} == set(range(len(PROP_VARIANTS[kind])))
    for parameters in made:
        form = PROP_VARIANTS[kind][form_of(kind, parameters.variant)]
        size = np.array(parameters.size_m)
        assert (size[[0]] >= np.array(form.min_size_m)[[0]] - 1e-3).all()
        assert (size <= np.array(form.max_size_m) + 1e-3).all()


def test_round_goods_are_round():
    for parameters in drawn("drum"):
        assert parameters.size_m[0] == parameters.size_m[1]
    for parameters in drawn("cable_reel"):
        length, width, height = parameters.size_m
        assert length == (width if form_of("cable_reel", parameters.variant) == 2 else height)


def test_pallet_collars_come_whole():
    heights = {p.size_m[2] for p in drawn("crate", 200) if form_of("crate", p.variant) == 1}
    assert heights == {0.339, 0.534, 0.729, 0.924}


def test_the_same_generator_draws_the_same_thing_and_kinds_must_be_known():
    first, second = (draw_prop(np.random.default_rng(5), "ibc") for _ in range(2))
    assert first == second
    with pytest.raises(KeyError):
        draw_prop(np.random.default_rng(5), "forklift")
