# SPDX-License-Identifier: Apache-2.0
"""Checks of sampled scenes: no object is inside another, and every object stands on something that can carry it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import shapely

from pipeline.record.objects import PROP_KINDS, SceneObject
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import local_boxes, world_boxes


def outline(boxes: Boxes) -> shapely.Polygon:
    """Return the convex hull of all footprints."""
    return shapely.multipoints(boxes.floor_corners_m().reshape(-1, 2)).convex_hull


def check_no_objects_overlap(objects: Sequence[SceneObject]) -> None:
    """Check that no collision box reaches more than 1 mm into one of another object.

    Two pairs may overlap, because the boxes of arms are larger than the arms: people who talk, and a person with the
    carton that the person carries.
    """
    boxes, owner = _boxes_and_owners(objects)
    footprints = shapely.buffer(boxes.footprints(), -0.001, cap_style="flat", join_style="mitre")
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    low, high = boxes.rows[:, 5], boxes.rows[:, 6]
    overlap = np.minimum(high[first], high[second]) - np.maximum(low[first], low[second]) > 0.001
    pairs = {(owner[i], owner[j]) for i, j in zip(first[overlap], second[overlap], strict=True) if owner[i] < owner[j]}
    overlapping = [(objects[i], objects[j]) for i, j in pairs]
    wrong = [
        (one.name, other.name)
        for one, other in overlapping
        if not ((one.asset == "person" and other.stands_on == one.name) or _talk(one, other))
    ]
    assert not wrong, wrong


def check_every_object_is_supported(objects: Sequence[SceneObject], height_m: float) -> set[tuple[str, str]]:
    """Check that every object stands on the floor, hangs under the ceiling or lies on its carrier.

    Returns the pairs that occur: the asset of an object and what it stands on, an asset or `floor` or `ceiling`.
    """
    boxes, owner = _boxes_and_owners(objects)
    first = np.searchsorted(owner, np.arange(len(objects) + 1))
    boxes_of = [Boxes(boxes.rows[start:end]) for start, end in pairwise(first)]
    index = {scene_object.name: number for number, scene_object in enumerate(objects)}
    pairs = set()
    for number, scene_object in enumerate(objects):
        carrier = objects[index[scene_object.stands_on]] if scene_object.stands_on in index else None
        pairs.add((scene_object.asset, carrier.asset if carrier else scene_object.stands_on))
        if carrier is not None:
            _check_carrier(scene_object, outline(boxes_of[number]), carrier, boxes_of[index[carrier.name]])
        elif scene_object.stands_on == "ceiling":
            assert (scene_object.asset, scene_object.position_m[2] >= 2.4) == ("hanging_sign", True)
            assert boxes_of[number].rows[:, 6].max() <= height_m
        else:
            assert (scene_object.stands_on, scene_object.position_m[2]) == ("floor", 0)
    return pairs


def _boxes_and_owners(objects: Sequence[SceneObject]) -> tuple[Boxes, np.ndarray]:
    """Return the boxes of all objects in the world, and the index of the object that each box belongs to."""
    counts = [len(local_boxes(scene_object).rows) for scene_object in objects]
    return world_boxes(objects), np.repeat(np.arange(len(counts)), counts)


def _talk(one: SceneObject, other: SceneObject) -> bool:
    if not one.asset == other.asset == "person":
        return False
    if not one.parameters.pose.name == other.parameters.pose.name == "talk":
        return False
    return np.hypot(*np.subtract(one.position_m, other.position_m)[:2]) > 0.85


def _check_carrier(scene_object: SceneObject, footprint: shapely.Polygon, carrier: SceneObject, boxes: Boxes) -> None:
    """Check that the object, whose outline is `footprint`, lies on the boxes of its carrier and does not hang over."""
    z = scene_object.position_m[2]
    match carrier.asset:
        case "eur_pallet" | "carton" | "carton_stack":
            assert z == pytest.approx(boxes.rows[:, 6].max(), abs=2e-4)
            # A pallet on cartons that are stacked with a gap to its edge hangs over a little more.
            overhang_m = 0.09 if carrier.asset == "carton_stack" else 0.045
            assert outline(boxes).simplify(1e-6).buffer(overhang_m, join_style="mitre").covers(footprint)
        case "rack":
            tops = np.abs(boxes.rows[:, 6] - z) < 2e-4
            assert sum(beam.intersects(footprint) for beam in boxes.footprints()[tops]) == 2
            assert outline(boxes).buffer(0.1).covers(footprint)
        case "hand_pallet_truck" | "electric_pallet_truck":
            assert carrier.parameters.lift_m == 0.2
            assert z == pytest.approx(0.2 - 0.100)
            assert all(fork.intersection(footprint).area > 0.75 * fork.area for fork in boxes.footprints()[:2])
        case "person":
            assert carrier.parameters.pose.name == "carry"
            assert 0.6 < z < 1.3
        case prop if prop in PROP_KINDS:
            assert scene_object.asset == prop  # stacked on its own kind
            assert z == pytest.approx(boxes.rows[:, 6].max(), abs=2e-4)
            assert outline(boxes).buffer(0.02).covers(footprint)
        case other:
            pytest.fail(f"{scene_object.name} stands on a {other}")
