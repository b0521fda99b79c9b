# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand pallet truck: dimensions, what turns, what lifts, closed solids."""

import bpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# isort: split
import bmesh  # these two exist only once bpy is loaded
from mathutils.bvhtree import BVHTree

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, solids_to_mesh
from blender.trucks import hand_chassis, hand_steering, hand_truck, truck_parts
from blender.trucks.hand_style import draw_hand_style
from blender.trucks.truck_materials import TruckMaterial
from pipeline.record.objects import HandPalletTruckParameters
from pipeline.scenes.assets.pallet_trucks import grip_m
from tests.helpers.search import examples

PARTS = ("chassis", "linkage", "steering", "tiller")


def parameters(**changes) -> dict:
    """Return the JSON dict of a lowered truck for EUR pallets, its tiller upright and straight."""
    return {
        "fork_length_m": 1.15,
        "width_m": 0.54,
        "fork_width_m": 0.16,
        "lift_m": 0.085,
        "tandem_rollers": True,
        "tiller_tilt_deg": 0.0,
        "tiller_turn_deg": 0.0,
        "grip": "d_loop",
        "wheel_covers": False,
        "body_rgb": (0.7, 0.35, 0.01),
        "wheel_rgb": (0.02, 0.02, 0.02),
        "wear": 0.4,
        "seed": 1,
        **changes,
    }


def vertices(part: bpy.types.Object, slot: TruckMaterial | None = None) -> np.ndarray:
    """Return the vertices (N, 3) of an object in the truck's frame: of one material slot, or all."""
    coordinates = np.empty(3 * len(part.data.vertices))
    part.data.vertices.foreach_get("co", coordinates)
    if slot is not None:
        of_slot = {i for face in part.data.polygons if face.material_index == slot for i in face.vertices}
        coordinates = coordinates.reshape(-1, 3)[sorted(of_slot)]
    matrix = np.array(part.matrix_basis)
    return coordinates.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def build(asset_cache: AssetCache, **changes) -> dict[str, np.ndarray]:
    """Return the vertices (N, 3) of each part of a truck."""
    return dict(zip(PARTS, map(vertices, hand_truck.build_hand_truck(parameters(**changes), asset_cache)), strict=True))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("width", "fork_width"), [(0.54, 0.15), (0.54, 0.16), (0.685, 0.18)])
def test_truck_has_the_dimensions_of_its_parameters(asset_cache, seed, width, fork_width):
    parts = build(asset_cache, seed=seed, width_m=width, fork_width_m=fork_width)
    points = np.concatenate(list(parts.values()))
    length, across, height = np.ptp(points, axis=0)
    assert 1.53 <= length <= 1.55
    assert across == pytest.approx(width, abs=0.02)  # The heel pins stick out a little.
    assert 1.2 <= height <= 1.24
    assert 0.37 <= truck_parts.HEEL_X_M - points[:, 0].min() <= 0.4
    forks = parts["chassis"][parts["chassis"][:, 0] > 0.3]
    assert np.ptp(forks[:, 1]) == pytest.approx(width, abs=1e-4)
    inner = np.abs(forks[:, 1]).min()
    assert inner == pytest.approx(width / 2 - fork_width, abs=1e-4)
    assert np.allclose(np.abs(points[:, 1]).max(), width / 2, atol=0.01)


@pytest.mark.parametrize("fork_length", [0.914, 1.15, 1.219])
def test_fork_tips_are_a_fork_length_ahead_of_the_heel(asset_cache, fork_length):
    chassis = build(asset_cache, fork_length_m=fork_length)["chassis"]
    assert chassis[:, 0].max() == pytest.approx(truck_parts.HEEL_X_M + fork_length, abs=1e-4)


@pytest.mark.parametrize("tandem", [True, False])
@pytest.mark.parametrize("lift", [0.08, 0.085, 0.12, 0.2, 0.22])
def test_lift_raises_the_forks_but_not_rollers_and_wheels(asset_cache, lift, tandem):
    parts = build(asset_cache, lift_m=lift, tandem_rollers=tandem)
    lowered = build(asset_cache, tandem_rollers=tandem)
    chassis, linkage = parts["chassis"], parts["linkage"]
    forks = chassis[chassis[:, 0] > 0.5]
    assert forks[:, 2].max() == pytest.approx(lift, abs=1e-4)
    assert np.allclose(chassis - lowered["chassis"], (0, 0, lift - 0.085), atol=1e-6)
    assert linkage[linkage[:, 0] > 0.5][:, 2].min() == pytest.approx(0, abs=0.003)
    assert parts["steering"][:, 2].min() == pytest.approx(0, abs=0.003)
    assert np.array_equal(parts["steering"], lowered["steering"])


@pytest.mark.parametrize("lift", [0.07, 0.3])
def test_lift_out_of_range_is_an_error(asset_cache, lift):
    with pytest.raises(ValueError, match="lift_m of a hand pallet truck"):
        hand_truck.build_hand_truck(parameters(lift_m=lift), asset_cache)


def test_load_rollers_of_lowered_forks_are_in_their_slots(asset_cache):
    """The rollers are below the fork tops and as far from the tips as the slots are."""
    for tandem in (True, False):
        parts = build(asset_cache, tandem_rollers=tandem)
        tip = parts["chassis"][:, 0].max()
        rollers = parts["linkage"][np.abs(parts["linkage"][:, 0] - tip + 0.18) < 0.085]
        assert rollers[:, 2].max() < 0.085
        assert 0.16 <= tip - (rollers[:, 0].max() + rollers[:, 0].min()) / 2 <= 0.19


@settings(max_examples=examples(15))
@given(tilt=st.floats(0, 75), turn=st.floats(-100, 100), lift=st.floats(0.08, 0.22), seed=st.integers(0, 2**32 - 1),
       grip=st.sampled_from(["d_loop", "triangle", "rounded"]))  # fmt: skip
def test_truck_stands_on_the_floor_and_its_grip_is_where_the_pipeline_puts_the_hands(tilt, turn, lift, seed, grip):
    asset_cache = AssetCache()
    changed = parameters(tiller_tilt_deg=tilt, tiller_turn_deg=turn, lift_m=lift, seed=seed, grip=grip)
    objects = hand_truck.build_hand_truck(changed, asset_cache)
    lowest = min(vertices(part)[:, 2].min() for part in objects)
    assert lowest == pytest.approx(0, abs=0.003)
    grip_center = grip_m(HandPalletTruckParameters.model_validate(changed))
    rubber = vertices(objects[3], TruckMaterial.RUBBER) - grip_center
    style = draw_hand_style(seed, changed["body_rgb"])
    along_grip = np.array([-np.sin(np.radians(turn)), np.cos(np.radians(turn)), 0])
    near = rubber[np.abs(rubber @ along_grip) <= style.loop_width_m / 2]
    distance = np.linalg.norm(near - np.outer(near @ along_grip, along_grip), axis=1)
    on_bar = near[distance < 0.02]
    assert len(on_bar) >= 64
    assert np.allclose(on_bar.mean(axis=0), 0, atol=0.002)


def test_tilt_moves_only_the_tiller_and_turn_also_the_wheels(asset_cache):
    straight, tilted = build(asset_cache), build(asset_cache, tiller_tilt_deg=40)
    for part in PARTS[:3]:
        assert np.array_equal(straight[part], tilted[part])
    assert tilted["tiller"][:, 0].min() < -0.6
    turned = build(asset_cache, tiller_turn_deg=90)
    for part in PARTS[:2]:
        assert np.array_equal(straight[part], turned[part])
    # At 90 degrees, the width of the wheels across the truck becomes their length along it.
    wheels, turned_wheels = (parts["steering"][parts["steering"][:, 2] < 0.18] for parts in (straight, turned))
    assert np.ptp(turned_wheels[:, 0]) == pytest.approx(np.ptp(wheels[:, 1]), abs=1e-5)
    assert np.allclose(turned["tiller"][:, 1], straight["tiller"][:, 0], atol=1e-6)


def surface(part: bpy.types.Object) -> BVHTree:
    return BVHTree.FromPolygons(vertices(part).tolist(), [tuple(face.vertices) for face in part.data.polygons])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lift", [0.085, 0.2])
def test_turned_tiller_does_not_touch_the_frame(asset_cache, lift, seed):
    """The shaft passes around the ledge of the A-frame, and the tires touch nothing."""
    for turn in (-100, -60, 0, 30, 60, 90):
        chassis, _, steering, tiller = hand_truck.build_hand_truck(
            parameters(tiller_turn_deg=turn, lift_m=lift, seed=seed), asset_cache
        )
        assert not surface(chassis).overlap(surface(tiller))
        touched = {
            steering.data.polygons[face].material_index for _, face in surface(chassis).overlap(surface(steering))
        }
        # The ram runs in the pump, so that these two do touch.
        assert TruckMaterial.TIRE not in touched


def all_solids() -> list[Solid]:
    solids = []
    for seed, tandem, width in ((1, True, 0.54), (2, False, 0.685), (5, True, 0.52)):
        changed = parameters(seed=seed, tandem_rollers=tandem, width_m=width, lift_m=0.2)
        style = draw_hand_style(seed, changed["body_rgb"])
        solids += hand_chassis.chassis_parts(changed, style) + hand_chassis.linkage_parts(changed, style)
        solids += hand_steering.hand_steering_parts(style, seed > 1)
        for grip in ("d_loop", "triangle", "rounded"):
            solids += hand_steering.hand_tiller_parts(style, grip)
    return solids


def test_every_solid_is_closed_and_its_faces_look_outward(asset_cache):
    for number, solid in enumerate(all_solids()):
        work = bmesh.new()
        work.from_mesh(solids_to_mesh("part", [solid], []))
        assert all(edge.is_manifold and edge.is_contiguous for edge in work.edges), f"solid {number}: open or twisted"
        assert work.calc_volume(signed=True) > 0, f"solid {number} ({TruckMaterial(solid.slot).name}) looks inward"
        assert min(face.calc_area() for face in work.faces) > 1e-10, f"solid {number}: a face without area"
        work.free()


def test_equal_parameters_give_equal_trucks_and_seeds_differ(asset_cache):
    first, second = (hand_truck.build_hand_truck(parameters(seed=7), AssetCache()) for _ in range(2))
    for part, same_part in zip(first, second, strict=True):
        assert part.data is not same_part.data
        assert np.array_equal(vertices(part), vertices(same_part))
        names, same_names = (
            [material.name.split(".")[0] for material in target.data.materials] for target in (part, same_part)
        )
        assert names == same_names
    others = [hand_truck.build_hand_truck(parameters(seed=seed), AssetCache()) for seed in range(8, 18)]
    widths = {round(float(np.ptp(vertices(tiller)[:, 1])), 4) for *_, tiller in others}
    assert len(widths) > 6


def test_meshes_are_shared_where_parameters_match(asset_cache):
    first = hand_truck.build_hand_truck(parameters(), asset_cache)
    moved = hand_truck.build_hand_truck(parameters(tiller_tilt_deg=20, tiller_turn_deg=50), asset_cache)
    raised = hand_truck.build_hand_truck(parameters(lift_m=0.2), asset_cache)
    repainted = hand_truck.build_hand_truck(parameters(body_rgb=(0, 0, 1)), asset_cache)
    assert [a.data is b.data for a, b in zip(first, moved, strict=True)] == [True] * 4
    assert [a.data is b.data for a, b in zip(first, raised, strict=True)] == [True, False, True, True]
    assert not any(a.data is b.data for a, b in zip(first, repainted, strict=True))


def test_objects_are_new_and_unlinked_and_have_few_triangles(asset_cache):
    objects = hand_truck.build_hand_truck(parameters(), asset_cache)
    assert all(part.parent is None and not part.users_collection for part in objects)
    assert all(len(part.data.materials) == len(TruckMaterial) for part in objects)
    triangles = sum(len(face.vertices) - 2 for part in objects for face in part.data.polygons)
    assert 5_000 < triangles < 15_000
