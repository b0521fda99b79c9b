# SPDX-License-Identifier: Apache-2.0
"""Every layout with many seeds: halls with goods and furniture, before trucks and people are added."""

from typing import get_args

import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.common.vocabulary import LayoutKind, NonCartonKind
from pipeline.config.world import GoodsSection
from pipeline.record.objects import FURNITURE_KINDS
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.free_space import overlaps
from pipeline.scenes.layouts.furnish import furnish_hall
from pipeline.scenes.layouts.furniture import add_furniture
from tests.helpers.support_checks import check_every_object_is_supported, check_no_objects_overlap

LAYOUTS = get_args(LayoutKind)
SEEDS = range(8)
FURNITURE = set(FURNITURE_KINDS)
OTHER_GOODS = set(get_args(NonCartonKind))


def furnished(layout, seed, **values):
    plan = furnish_hall(rng(seed, 0, "furniture"), layout, GoodsSection(**values))
    add_furniture(rng(seed, 0, "props"), plan)
    return plan


def assets(plan):
    return {scene_object.asset for scene_object in plan.space.objects}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_objects_do_not_overlap_and_stand_on_something(layout):
    seen = set()
    for seed in SEEDS:
        plan = furnished(layout, seed, other=0.5, furniture=0.8)
        objects = plan.space.objects
        check_no_objects_overlap(objects)
        seen |= check_every_object_is_supported(objects, plan.space.size_m[2])
        hull, half = world_boxes(objects).total_bounds_m, np.array(plan.space.size_m) / (2, 2, 1)
        assert np.all(np.abs(hull[[0, 1, 3, 4]]) <= half[[0, 1, 0, 1]])
        assert hull[5] <= half[2]
        assert plan.walkways
    assert ("carton_stack", "eur_pallet") in seen
    assert len({asset for asset, _ in seen} & OTHER_GOODS) >= 4
    assert len({asset for asset, _ in seen} & FURNITURE) >= 3


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_config_can_leave_out_goods_and_furniture(layout):
    bare = furnished(layout, 5, fill=0, other=0, furniture=0)
    assert not assets(bare) & (OTHER_GOODS | FURNITURE)
    assert not assets(furnished(layout, 5, other=0)) & OTHER_GOODS
    assert not assets(furnished(layout, 5, furniture=0)) & (FURNITURE | {"roll_cage"})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_more_goods_are_more_objects(layout):
    few, many = (sum(len(furnished(layout, seed, fill=g).space.objects) for seed in range(4)) for g in (0.1, 1.0))
    assert few < 0.8 * many


def test_the_floor_in_front_of_dock_doors_stays_free():
    for seed in SEEDS:
        plan = furnished("dock", seed, fill=1, furniture=0)
        assert plan.doors
        gaps = np.diff([door.x_m for door in plan.doors])
        assert np.all((gaps >= 4 - 1e-3) & (gaps <= 5 + 1e-3))
        assert not overlaps(world_boxes(plan.space.objects), plan.no_goods_boxes, 0.0)
        for door in plan.doors:
            assert abs(door.y_m) == pytest.approx(plan.space.size_m[1] / 2, abs=0.01)
            assert np.sign(np.sin(np.radians(door.yaw_deg))) == -np.sign(door.y_m)
            assert 2 <= door.height_m <= plan.space.size_m[2] - 0.7


def test_block_storage_stacks_loads_and_keeps_gangways():
    seen = set()
    for seed in SEEDS:
        plan = furnished("block", seed, fill=1, other=0.5)
        seen |= check_every_object_is_supported(plan.space.objects, plan.space.size_m[2])
        assert len(plan.walkways) >= 2
    assert {("eur_pallet", "carton_stack"), ("stillage", "stillage"), ("ibc", "ibc")} <= seen


def test_packing_has_tables_and_conveyors():
    seen = set().union(*(assets(furnished("packing", seed, furniture=1)) for seed in SEEDS))
    assert {"packing_table", "conveyor", "roll_cage"} <= seen
