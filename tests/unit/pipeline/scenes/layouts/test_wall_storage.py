# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.config.world import GoodsSection
from pipeline.scenes.assets.pallets_and_cartons import draw_goods_stock
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.floor_area import floor_area
from pipeline.scenes.geometry.free_space import HallSpace, overlaps
from pipeline.scenes.layouts.hall_plan import HallPlan
from pipeline.scenes.layouts.wall_storage import add_wall_storage
from tests.helpers.support_checks import check_every_object_is_supported, check_no_objects_overlap

SIZE_M = (16.0, 12.0, 6.0)
MAX_DEPTH_M = 1.75  # depth of a section: a crate or a reel that stands slightly turned


def plan_with_wall_storage(seed, share, forbidden=None):
    stock = draw_goods_stock(rng(seed, 0, "stock"), GoodsSection(other=0.3))
    plan = HallPlan(HallSpace(SIZE_M), stock, goods_density=1.0)
    if forbidden is not None:
        plan.forbid_goods(forbidden)
    add_wall_storage(rng(seed, 0, "walls"), plan, share)
    return plan


def free_wall_m(plan):
    """Return the total length of the walls that have no object within a meter."""
    x, y = np.array(SIZE_M[:2]) / 2
    steps = [np.arange(-side + 0.25, side, 0.5) for side in (x, y)]
    points = [(p, s * (y - 0.8)) for p in steps[0] for s in (-1, 1)] + [
        (s * (x - 0.8), p) for p in steps[1] for s in (-1, 1)
    ]
    low, high = plan.space.boxes.bounds_m[:, :2], plan.space.boxes.bounds_m[:, 3:5]
    bare = [not np.any(np.all((low < point) & (point < high), axis=1)) for point in points]
    return 0.5 * sum(bare)


@pytest.mark.parametrize("seed", range(6))
def test_wall_storage_stands_at_the_walls_without_overlap(seed):
    plan = plan_with_wall_storage(seed, 1.0)
    objects = plan.space.objects
    check_no_objects_overlap(objects)
    check_every_object_is_supported(objects, SIZE_M[2])
    bounds = world_boxes(objects).bounds_m
    inner = np.array(SIZE_M[:2]) / 2 - MAX_DEPTH_M
    in_the_middle = np.all(bounds[:, :2] < inner, axis=1) & np.all(bounds[:, 3:5] > -inner, axis=1)
    assert len(objects) > 20
    assert not in_the_middle.any()


def test_a_larger_share_leaves_less_bare_wall():
    bare = [
        np.mean([free_wall_m(plan_with_wall_storage(seed, share)) for seed in range(6)]) for share in (0.0, 0.5, 1.0)
    ]
    assert bare[0] == 56
    assert bare[0] > bare[1] + 5 > bare[2] + 10


def test_wall_storage_stays_off_floor_without_goods():
    strip = floor_area((-8.0, -6.0), (8.0, -3.0))
    plan = plan_with_wall_storage(3, 1.0, strip)
    assert plan.space.objects
    assert not overlaps(world_boxes(plan.space.objects), plan.no_goods_boxes, 0.0)
