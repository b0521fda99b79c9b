# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand pallet truck against REFERENCE: dimensions, what turns and what lifts, and sound solids."""

import bpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# isort: split
import bmesh  # these two exist only once bpy is loaded
from mathutils.bvhtree import BVHTree

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import solids_to_mesh
from blender.trucks import hand_chassis, hand_steering, hand_truck
from blender.trucks.hand_style import TruckMaterial, draw_hand_style

PARTS = ("chassis", "linkage", "steering", "tiller")


def parameters(**changes) -> dict:
    """A lowered euro truck with the tiller upright and straight."""
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


def vertices(thing: bpy.types.Object, slot: TruckMaterial | None = None) -> np.ndarray:
    """Vertices (N, 3) of an object in the truck's frame, of one material or all."""
    co = np.empty(3 * len(thing.data.vertices))
    thing.data.vertices.foreach_get("co", co)
    if slot is not None:
        of_slot = {i for face in thing.data.polygons if face.material_index == slot for i in face.vertices}
        co = co.reshape(-1, 3)[sorted(of_slot)]
    matrix = np.array(thing.matrix_basis)
    return co.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def build(library: AssetCache, **changes) -> dict[str, np.ndarray]:
    """Vertices of each part of a truck."""
    return dict(zip(PARTS, map(vertices, hand_truck.build_hand_truck(parameters(**changes), library)), strict=True))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("width", "fork_width"), [(0.54, 0.15), (0.54, 0.16), (0.685, 0.18)])
def test_dimensions(library, seed, width, fork_width):
    parts = build(library, seed=seed, width_m=width, fork_width_m=fork_width)
    whole = np.concatenate(list(parts.values()))
    length, across, height = np.ptp(whole, axis=0)
    assert 1.53 <= length <= 1.55
    assert across == pytest.approx(width, abs=0.02)  # the heel pins stand out a little
    assert 1.2 <= height <= 1.24
    assert 0.37 <= hand_chassis.HEEL_X_M - whole[:, 0].min() <= 0.4
    forks = parts["chassis"][parts["chassis"][:, 0] > 0.3]
    assert np.ptp(forks[:, 1]) == pytest.approx(width, abs=1e-4)
    inner = np.abs(forks[:, 1]).min()
    assert inner == pytest.approx(width / 2 - fork_width, abs=1e-4)
    assert np.allclose(np.abs(whole[:, 1]).max(), width / 2, atol=0.01)


@pytest.mark.parametrize("fork_length", [0.914, 1.15, 1.219])
def test_forks_reach_their_length(library, fork_length):
    chassis = build(library, fork_length_m=fork_length)["chassis"]
    assert chassis[:, 0].max() == pytest.approx(hand_chassis.HEEL_X_M + fork_length, abs=1e-4)


@pytest.mark.parametrize("tandem", [True, False])
@pytest.mark.parametrize("lift", [0.08, 0.085, 0.12, 0.2, 0.22])
def test_lift_raises_the_forks_and_leaves_rollers_and_wheels_down(library, lift, tandem):
    parts = build(library, lift_m=lift, tandem_rollers=tandem)
    lowered = build(library, tandem_rollers=tandem)
    chassis, linkage = parts["chassis"], parts["linkage"]
    forks = chassis[chassis[:, 0] > 0.5]
    assert forks[:, 2].max() == pytest.approx(lift, abs=1e-4)
    assert np.allclose(chassis - lowered["chassis"], (0, 0, lift - 0.085), atol=1e-6)
    assert linkage[linkage[:, 0] > 0.5][:, 2].min() == pytest.approx(0, abs=0.003)
    assert parts["steering"][:, 2].min() == pytest.approx(0, abs=0.003)
    assert np.array_equal(parts["steering"], lowered["steering"])


@pytest.mark.parametrize("lift", [0.07, 0.3])
def test_lift_out_of_reach_is_refused(library, lift):
    with pytest.raises(ValueError, match="lift_m"):
        hand_truck.build_hand_truck(parameters(lift_m=lift), library)


def test_load_rollers_stand_in_their_slots(library):
    """Seen from above, no fork covers the middle of a roller, and lowered rollers stay below the fork's top."""
    for tandem in (True, False):
        parts = build(library, tandem_rollers=tandem)
        tip = parts["chassis"][:, 0].max()
        rollers = parts["linkage"][np.abs(parts["linkage"][:, 0] - tip + 0.18) < 0.085]
        assert rollers[:, 2].max() < 0.085
        assert 0.16 <= tip - (rollers[:, 0].max() + rollers[:, 0].min()) / 2 <= 0.19


@settings(deadline=None, max_examples=15)
@given(tilt=st.floats(0, 75), turn=st.floats(-100, 100), lift=st.floats(0.08, 0.22), seed=st.integers(0, 2**32 - 1),
       grip=st.sampled_from(["d_loop", "triangle", "rounded"]))  # fmt: skip
def test_rests_on_the_floor_and_holds_its_grip(tilt, turn, lift, seed, grip):
    library = AssetCache()
    changed = parameters(tiller_tilt_deg=tilt, tiller_turn_deg=turn, lift_m=lift, seed=seed, grip=grip)
    objects = hand_truck.build_hand_truck(changed, library)
    lowest = min(vertices(thing)[:, 2].min() for thing in objects)
    assert lowest == pytest.approx(0, abs=0.003)
    sleeves = vertices(objects[3], TruckMaterial.RUBBER)
    style = draw_hand_style(seed, changed["body_rgb"])
    along_grip = np.array([-np.sin(np.radians(turn)), np.cos(np.radians(turn)), 0])
    near = np.abs((sleeves - hand_truck.grip_center_m(changed)) @ along_grip) <= style.loop_width_m / 2
    from_bar = sleeves[near] - hand_truck.grip_center_m(changed)
    from_bar -= np.outer(from_bar @ along_grip, along_grip)
    on_bar = np.linalg.norm(from_bar, axis=1) < 0.02
    assert on_bar.sum() >= 64
    assert np.allclose(sleeves[near][on_bar].mean(axis=0), hand_truck.grip_center_m(changed), atol=0.002)


@pytest.mark.parametrize(
    ("tilt", "turn", "expected"),
    [
        (0, 0, (0, 0, 1.22)),
        (30, 0, (-0.51, 0, 1.083)),
        (45, 90, (0, -0.721, 0.921)),
        (45, -90, (0, 0.721, 0.921)),
    ],
)
def test_grip_center(tilt, turn, expected):
    changed = parameters(tiller_tilt_deg=tilt, tiller_turn_deg=turn)
    assert hand_truck.grip_center_m(changed) == pytest.approx(expected, abs=0.001)


def test_tilt_leans_the_tiller_alone_and_turn_takes_the_wheels_along(library):
    straight, tilted = build(library), build(library, tiller_tilt_deg=40)
    for part in PARTS[:3]:
        assert np.array_equal(straight[part], tilted[part])
    assert tilted["tiller"][:, 0].min() < -0.6
    turned = build(library, tiller_turn_deg=90)
    for part in PARTS[:2]:
        assert np.array_equal(straight[part], turned[part])
    # Wheels turned by 90 degrees: what was across is along.
    wheels, turned_wheels = (p["steering"][p["steering"][:, 2] < 0.18] for p in (straight, turned))
    assert np.ptp(turned_wheels[:, 0]) == pytest.approx(np.ptp(wheels[:, 1]), abs=1e-5)
    assert np.allclose(turned["tiller"][:, 1], straight["tiller"][:, 0], atol=1e-6)


def surface(thing: bpy.types.Object) -> BVHTree:
    return BVHTree.FromPolygons(vertices(thing).tolist(), [tuple(face.vertices) for face in thing.data.polygons])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lift", [0.085, 0.2])
def test_turned_tiller_clears_the_frame(library, lift, seed):
    """The shaft goes round the A-frame's ledge, not through it, and the wheels turn free of the heels."""
    for turn in (-100, -60, 0, 30, 60, 90):
        chassis, _, steering, tiller = hand_truck.build_hand_truck(
            parameters(tiller_turn_deg=turn, lift_m=lift, seed=seed), library
        )
        assert not surface(chassis).overlap(surface(tiller))
        touched = {
            steering.data.polygons[face].material_index for _, face in surface(chassis).overlap(surface(steering))
        }
        # The ram runs in the pump; tyres touch nothing.
        assert TruckMaterial.TYRE not in touched


def solids() -> list:
    found = []
    for seed, tandem, width in ((1, True, 0.54), (2, False, 0.685), (5, True, 0.52)):
        changed = parameters(seed=seed, tandem_rollers=tandem, width_m=width, lift_m=0.2)
        style = draw_hand_style(seed, changed["body_rgb"])
        found += hand_chassis.chassis_parts(changed, style) + hand_chassis.linkage_parts(changed, style)
        found += hand_steering.hand_steering_parts(style, seed > 1)
        for grip in ("d_loop", "triangle", "rounded"):
            found += hand_steering.hand_tiller_parts(style, grip)
    return found


def test_every_part_is_closed_and_looks_outward(library):
    for number, solid in enumerate(solids()):
        work = bmesh.new()
        work.from_mesh(solids_to_mesh("part", [solid], []))
        assert all(edge.is_manifold and edge.is_contiguous for edge in work.edges), f"solid {number}: open or twisted"
        assert work.calc_volume(signed=True) > 0, f"solid {number} ({TruckMaterial(solid.slot).name}) looks inward"
        assert min(face.calc_area() for face in work.faces) > 1e-10, f"solid {number}: a face without area"
        work.free()


def test_same_parameters_same_truck(library):
    first, second = (hand_truck.build_hand_truck(parameters(seed=7), AssetCache()) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.data is not other.data
        assert np.array_equal(vertices(one), vertices(other))
        assert [m.name.split(".")[0] for m in one.data.materials] == [
            m.name.split(".")[0] for m in other.data.materials
        ]
    others = [hand_truck.build_hand_truck(parameters(seed=seed), AssetCache()) for seed in range(8, 18)]
    widths = {round(float(np.ptp(vertices(tiller)[:, 1])), 4) for *_, tiller in others}
    assert len(widths) > 6


def test_meshes_are_shared_where_parameters_match(library):
    first = hand_truck.build_hand_truck(parameters(), library)
    moved = hand_truck.build_hand_truck(parameters(tiller_tilt_deg=20, tiller_turn_deg=50), library)
    raised = hand_truck.build_hand_truck(parameters(lift_m=0.2), library)
    repainted = hand_truck.build_hand_truck(parameters(body_rgb=(0, 0, 1)), library)
    assert [a.data is b.data for a, b in zip(first, moved, strict=True)] == [True] * 4
    assert [a.data is b.data for a, b in zip(first, raised, strict=True)] == [True, False, True, True]
    assert not any(a.data is b.data for a, b in zip(first, repainted, strict=True))


def test_objects_are_new_unlinked_and_light(library):
    objects = hand_truck.build_hand_truck(parameters(), library)
    assert all(thing.parent is None and not thing.users_collection for thing in objects)
    assert all(len(thing.data.materials) == len(TruckMaterial) for thing in objects)
    triangles = sum(len(face.vertices) - 2 for thing in objects for face in thing.data.polygons)
    assert 5_000 < triangles < 15_000
