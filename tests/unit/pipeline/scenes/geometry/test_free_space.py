# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.randomness import rng
from pipeline.config.world import TrucksSection
from pipeline.scenes.assets.pallet_trucks import draw_fleet, truck_with_pallet
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_stock, draw_pallet, loaded_pallet, pallet_pile
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.free_space import HallSpace, colliding_pairs, first_free_place, moved, overlaps
from tests.helpers.search import examples

EUR = (1.2, 0.8, 0.144)


def box(x=0.0, y=0.0, yaw=0.0, length=1.0, width=1.0, low=0.0, high=1.0):
    return Boxes(np.array([(x, y, yaw, length, width, low, high)]))


def test_turned_boxes_collide_by_their_shapes_and_not_by_their_bounds():
    diamond = box(yaw=45)  # reaches sqrt(0.5) along x
    assert overlaps(diamond, box(x=1.19), 0.0)
    assert not overlaps(diamond, box(x=1.22), 0.0)
    assert overlaps(diamond, box(x=1.22), 0.05)
    assert not overlaps(diamond, box(x=0.9, y=0.9), 0.0)  # bounds overlap, shapes do not


def test_an_object_does_not_collide_with_the_object_below_it():
    assert not overlaps(box(low=1, high=2), box(), 0.1)
    assert overlaps(box(low=0.99, high=2), box(), 0.1)


def test_a_negative_gap_allows_an_overlap_of_its_size():
    assert len(colliding_pairs(box(), box(x=0.98), -0.01)) == 1
    assert len(colliding_pairs(box(), box(x=0.98), -0.03)) == 0


def test_space_is_free_until_an_object_stands_in_it():
    space = HallSpace((10.0, 8.0, 5.0))
    group = [draw_pallet(rng(1, 0, "pallet"), draw_carton_stock(rng(1, 0, "stock")))]
    assert space.is_free(box(x=2))
    space.put(group, (2.0, 0.0, 0.0))
    assert not space.is_free(box(x=2.5))
    assert space.is_free(box(x=2, y=1.0))
    assert space.is_free(box(x=2, low=1, high=2))


@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(-180, 180), st.floats(-180, 180))
def test_moving_twice_is_the_same_as_moving_once(x, y, first, second):
    boxes = Boxes(np.array([(1, 2, 10, 1.5, 0.5, 0, 1), (-1, 0, 70, 0.3, 0.7, 0.2, 3)], float))
    once = boxes.moved((x, y, 0.5), first + second)
    twice = boxes.moved((0, 0, 0.25), first).moved((0, 0, 0.25), second).moved((x, y, 0), 0)
    assert np.allclose(once.corners_m(), twice.corners_m())
    assert np.allclose(once.bounds_m[:, :3], once.corners_m().reshape(2, 2, 4, 3).min(axis=(0, 2)), atol=1e-9)


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.tuples(*[st.floats(-3, 3)] * 3), st.floats(-180, 180))
def test_a_ray_enters_a_box_at_its_first_point_inside(origin, ray, yaw):
    boxes = box(0.3, -0.2, yaw, 1.4, 0.6, -0.5, 0.8)
    entry = boxes.ray_entry(np.array(origin), np.array([ray]))[0, 0]
    steps = np.linspace(0, 4, 2001)
    points = np.array(origin) + steps[:, None] * np.array(ray)
    turned = np.radians(-yaw)
    x, y = points[:, 0] - 0.3, points[:, 1] + 0.2
    along, across = np.cos(turned) * x - np.sin(turned) * y, np.sin(turned) * x + np.cos(turned) * y
    depth = np.minimum(np.minimum(0.7 - np.abs(along), 0.3 - np.abs(across)), 0.65 - np.abs(points[:, 2] - 0.15))
    if depth.max() > 1e-6:
        assert entry <= steps[np.argmax(depth > 1e-6)] + 1e-6
    if np.isfinite(entry) and entry < 4:
        assert depth.max() > -0.02


def test_boxes_fit_only_between_walls_ceiling_objects_and_reserved_space():
    space = HallSpace((10, 8, 5))
    space.reserve(box(x=3))
    space.put([draw_pallet(rng(0, 0, "test"), draw_carton_stock(rng(0, 0, "stock")))])
    assert space.fits(box(y=2, high=4.9))
    assert not space.fits(box(y=2, high=5.1))
    assert not space.fits(box(y=3.6))
    assert not space.fits(box(x=3.5))
    assert not space.fits(box(y=0.8))
    assert space.fits(box(y=0.8, low=0.144, high=1))


def test_put_gives_unique_names_and_keeps_what_objects_stand_on():
    space, random = HallSpace((10, 8, 5)), rng(0, 0, "test")
    pile = pallet_pile(random, draw_carton_stock(random), 3)
    first, second = space.put(pile, (2, 1, 0), 90), space.put(pile, (-2, 1, 0), 45)
    names = [scene_object.name for scene_object in space.objects]
    assert len(set(names)) == 6
    for group in (first, second):
        assert [scene_object.stands_on for scene_object in group] == ["floor", group[0].name, group[1].name]


def test_first_free_place_is_the_first_that_fits():
    space = HallSpace((10, 8, 5))
    assert first_free_place(space, box(), [((6, 0, 0), 0.0), ((2, 2, 0), 30.0), ((0, 0, 0), 0.0)]) == ((2, 2, 0), 30.0)
    assert first_free_place(space, box(), [((6, 0, 0), 0.0)]) is None


def test_a_pallet_hides_points_behind_it_but_not_above_it():
    space = HallSpace((10, 8, 5))
    space.put(loaded_pallet(rng(0, 3, "test"), draw_carton_stock(rng(0, 0, "stock"))), (2, 0, 0))
    top = float(space.boxes.rows[:, 6].max())
    low, high = np.array([[4, 0, 0.07]]), np.array([[4, 0, 2 * top + 0.1]])
    assert space.visible_share((-2, 0, 0.07), low) == 0
    assert space.visible_share((-2, 0, top + 0.1), high) == 1
    assert space.visible_share((-2, 0, 0.07), np.concatenate([low, high, high])) == pytest.approx(2 / 3)
    clear = space.free_sight_m((-2, 0, 0.12), np.array([0.0, 180.0, 90.0]))
    assert clear == pytest.approx([2 + 2 - 0.6, 3, 4])


@settings(max_examples=examples(60))
@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 1))
def test_forks_fit_the_openings_of_a_pallet(seed, raised, electric_share):
    """The truck stands within the outline of the pallet, but no solid parts overlap."""
    random = rng(seed, 0, "test")
    group = truck_with_pallet(
        random, draw_fleet(random, TrucksSection(electric=electric_share))[0], draw_carton_stock(random), raised
    )
    truck, load = world_boxes(group[:1]), world_boxes(group[1:])
    assert not overlaps(truck, load, 0.0)
    shoved = moved(group[1], (0, 0.12, 0), 0)
    assert overlaps(truck, world_boxes([shoved]), 0.0)
    assert overlaps(world_boxes([moved(group[0], (0.2, 0, 0), 0)]), load, 0.0) or not raised
    height = group[1].position_m[2]
    assert height == (pytest.approx(group[0].parameters.lift_m - 0.1) if raised else 0)


@settings(max_examples=examples(40))
@given(st.integers(0, 10**6))
def test_a_group_that_fits_does_not_collide_with_other_objects(seed):
    random = rng(seed, 0, "test")
    space, stock = HallSpace((9, 7, 5)), draw_carton_stock(random)
    for _ in range(25):
        group = loaded_pallet(random, stock)
        places = [((*random.uniform(-4, 4, 2), 0.0), random.uniform(-180, 180)) for _ in range(3)]
        place = first_free_place(space, world_boxes(group), places, 0.01)
        if place is not None:
            added = space.put(group, *place)
            others = [scene_object for scene_object in space.objects if scene_object not in added]
            assert not others or not overlaps(world_boxes(added), world_boxes(others), 0.0)
