# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.randomness import rng
from pipeline.config.world import TrucksSection
from pipeline.record.objects import ElectricPalletTruckParameters
from pipeline.scenes.assets.pallet_trucks import (
    draw_fleet,
    draw_parked_truck,
    electric_grip_m,
    fits_pallet,
    row_of_trucks,
)
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.free_space import overlaps
from tests.helpers.search import examples


def fleets(share: float, count: int = 400) -> list:
    return [draw_fleet(rng(0, index, "test"), TrucksSection(electric=share)) for index in range(count)]


def is_electric(parameters) -> bool:
    return isinstance(parameters, ElectricPalletTruckParameters)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_electric_trucks_is_the_configured_one(share):
    kinds = [kind for fleet in fleets(share) for kind in fleet]
    assert np.mean([is_electric(kind) for kind in kinds]) == pytest.approx(share, abs=0.06 if 0 < share < 1 else 0)


def test_fleets_show_all_variants_within_their_reference_sizes():
    kinds = [kind for fleet in fleets(0.5) for kind in fleet]
    hand = [kind for kind in kinds if not is_electric(kind)]
    electric = [kind for kind in kinds if is_electric(kind)]
    assert {kind.grip for kind in hand} == {"d_loop", "triangle", "rounded"}
    assert {kind.wheel_covers for kind in hand} == {True, False}
    assert {kind.width_m for kind in electric} == {0.54, 0.56, 0.685}
    assert {kind.backrest for kind in electric} == {True, False}
    for kind in electric:
        low, high = {"lithium": (0.4, 0.43), "lead_acid": (0.5, 0.62)}[kind.battery]
        assert low <= kind.heel_to_rear_m <= high
        assert kind.width_m <= kind.chassis_width_m <= 0.72
        assert 0.65 <= kind.chassis_height_m <= 0.8
    wear = [kind.wear for kind in kinds]
    assert min(wear) < 0.1
    assert max(wear) > 0.85
    assert all(fits_pallet(fleet[0]) for fleet in fleets(0.5, 50))


def test_parked_electric_trucks_mostly_have_their_tiller_upright():
    random = rng(0, 0, "test")
    tilts = [
        draw_parked_truck(random, draw_fleet(random, TrucksSection(electric=1))).tiller_tilt_deg for _ in range(300)
    ]
    assert 0.6 < np.mean(np.array(tilts) == 0) < 0.9
    assert max(tilts) > 20


@settings(max_examples=examples(80))
@given(st.integers(0, 10**6), st.integers(0, 1))
def test_trucks_in_a_row_do_not_collide(seed, electric_share):
    random = rng(seed, 0, "test")
    row = row_of_trucks(random, draw_fleet(random, TrucksSection(electric=electric_share)), 3)
    for first, second in pairwise(row):
        assert not overlaps(world_boxes([first]), world_boxes([second]), 0.0)


@pytest.mark.parametrize(
    ("tilt", "turn", "aside", "expected"),
    [(0, 0, 0, (-0.18, 0, 1.25)), (30, 0, 0.12, (-0.655, 0.12, 1.1227)), (30, 90, 0.12, (-0.12, -0.655, 1.1227))],
)
def test_the_grip_of_an_electric_truck_follows_its_tiller(tilt, turn, aside, expected):
    kind = next(kind for fleet in fleets(1.0) for kind in fleet if kind.battery == "lithium")
    kind = kind.model_copy(update={"tiller_tilt_deg": tilt, "tiller_turn_deg": turn})
    assert electric_grip_m(kind, aside) == pytest.approx(expected, abs=1e-3)
