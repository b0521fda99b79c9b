# SPDX-License-Identifier: Apache-2.0
"""Checks of where things stand, shared by the tests of layouts and of whole records."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from pipeline.record.objects import PROP_KINDS
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import local_boxes, world_boxes


def boxes_and_owners(things):
    """Return the boxes of all things, and the index of the thing that each belongs to."""
    own = [local_boxes(thing) for thing in things]
    return world_boxes(things), np.repeat(np.arange(len(own)), [len(boxes.rows) for boxes in own])


def outline(boxes):
    """Return the convex hull of all footprints."""
    return shapely.multipoints(boxes.floor_corners_m().reshape(-1, 2)).convex_hull


def check_nothing_is_inside_anything(things):
    """Only arms are given more room than they take: of those who carry a carton between them, of two who talk."""
    boxes, owner = boxes_and_owners(things)
    footprints = shapely.buffer(boxes.footprints(), -0.001, cap_style="flat", join_style="mitre")
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    low, high = boxes.rows[:, 5], boxes.rows[:, 6]
    inside = np.minimum(high[first], high[second]) - np.maximum(low[first], low[second]) > 0.001
    hits = {(owner[i], owner[j]) for i, j in zip(first[inside], second[inside], strict=True) if owner[i] < owner[j]}
    met = [(things[i], things[j]) for i, j in hits]
    wrong = [(a.name, b.name) for a, b in met if not ((a.asset == "person" and b.stands_on == a.name) or _talk(a, b))]
    assert not wrong, wrong


def _talk(a, b):
    if not a.asset == b.asset == "person" or not a.parameters.pose.name == b.parameters.pose.name == "talk":
        return False
    return np.hypot(*np.subtract(a.position_m, b.position_m)[:2]) > 0.85


def check_everything_is_carried(things, height_m):
    """Everything stands on the floor, hangs under the ceiling or lies on what carries it; return the kinds of pairs."""
    everything, owner = boxes_and_owners(things)
    first = np.searchsorted(owner, np.arange(len(things) + 1))
    own = [Boxes(everything.rows[start:end]) for start, end in pairwise(first)]
    index = {thing.name: number for number, thing in enumerate(things)}
    seen = set()
    for number, thing in enumerate(things):
        carrier = things[index[thing.stands_on]] if thing.stands_on in index else None
        seen.add((thing.asset, carrier.asset if carrier else thing.stands_on))
        if carrier is not None:
            check_carried(thing, outline(own[number]), carrier, own[index[carrier.name]])
        elif thing.stands_on == "ceiling":
            assert (thing.asset, thing.position_m[2] >= 2.4) == ("hanging_sign", True)
            assert own[number].rows[:, 6].max() <= height_m
        else:
            assert (thing.stands_on, thing.position_m[2]) == ("floor", 0)
    return seen


def check_carried(thing, own, carrier, boxes):
    """The thing, whose outline is `own`, lies on the boxes of its carrier and does not hang over."""
    z = thing.position_m[2]
    match carrier.asset:
        case "eur_pallet" | "carton" | "carton_stack":
            assert z == pytest.approx(boxes.rows[:, 6].max(), abs=2e-4)
            # A pallet on cartons that are stacked with a gap to its edge hangs over a little more.
            over = 0.09 if carrier.asset == "carton_stack" else 0.045
            assert outline(boxes).simplify(1e-6).buffer(over, join_style="mitre").covers(own)
        case "rack":
            tops = np.abs(boxes.rows[:, 6] - z) < 2e-4
            assert sum(beam.intersects(own) for beam in boxes.footprints()[tops]) == 2
            assert outline(boxes).buffer(0.1).covers(own)
        case "hand_pallet_truck" | "electric_pallet_truck":
            assert carrier.parameters.lift_m == 0.2
            assert z == pytest.approx(0.2 - 0.100)
            assert all(fork.intersection(own).area > 0.75 * fork.area for fork in boxes.footprints()[:2])
        case "person":
            assert carrier.parameters.pose.name == "carry"
            assert 0.6 < z < 1.3
        case prop if prop in PROP_KINDS:
            assert thing.asset == prop  # stacked on its own kind
            assert z == pytest.approx(boxes.rows[:, 6].max(), abs=2e-4)
            assert outline(boxes).buffer(0.02).covers(own)
        case other:
            pytest.fail(f"{thing.name} stands on a {other}")
