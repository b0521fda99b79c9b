# SPDX-License-Identifier: GPL-3.0-or-later
"""The electric pallet truck: dimensions, what turns, what lifts, closed solids, collision boxes that enclose it."""

import bpy
import numpy as np
import pytest

# isort: split
import bmesh  # these two exist only once bpy is loaded
from mathutils.bvhtree import BVHTree

from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import solids_to_mesh
from blender.trucks import electric_chassis, electric_tiller, electric_truck
from blender.trucks.electric_style import BATTERY_LAYOUTS, draw_electric_style
from blender.trucks.truck_materials import ElectricTruckMaterial, TruckMaterial
from pipeline.common.randomness import rng
from pipeline.config.world import TrucksSection
from pipeline.record.objects import ElectricPalletTruckParameters
from pipeline.scenes.assets.pallet_trucks import RAISED_M, draw_fleet, draw_parked_truck, electric_grip_m, make_truck
from pipeline.scenes.geometry.collision_boxes import (
    ELECTRIC_REAR_M,
    ELECTRIC_TILLERS,
    electric_fork_start_m,
    local_boxes,
)
from tests.unit.blender.shards.test_collision_volumes import outside_m

PARTS = ("body", "linkage", "base", "steering", "tiller")


def parameters(**changes) -> dict:
    """Return the JSON dict of a lowered compact truck, its tiller upright and straight."""
    return {
        "battery": "lithium",
        "fork_length_m": 1.15,
        "width_m": 0.54,
        "fork_width_m": 0.17,
        "heel_to_rear_m": 0.42,
        "chassis_width_m": 0.66,
        "chassis_height_m": 0.7,
        "lift_m": 0.085,
        "tandem_rollers": True,
        "backrest": False,
        "tiller_tilt_deg": 0.0,
        "tiller_turn_deg": 0.0,
        "body_rgb": (0.5, 0.02, 0.015),
        "wheel_rgb": (0.02, 0.02, 0.02),
        "wear": 0.4,
        "seed": 1,
        **changes,
    }


def vertices(part: bpy.types.Object) -> np.ndarray:
    """Return the vertices (N, 3) of an object in the truck's frame."""
    coordinates = np.empty(3 * len(part.data.vertices))
    part.data.vertices.foreach_get("co", coordinates)
    matrix = np.array(part.matrix_basis)
    return coordinates.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def build(asset_cache: AssetCache, **changes) -> dict[str, np.ndarray]:
    """Return the vertices (N, 3) of each part of a truck."""
    objects = electric_truck.build_electric_truck(parameters(**changes), asset_cache)
    return dict(zip(PARTS, map(vertices, objects), strict=True))


@pytest.mark.parametrize(("battery", "length"), [("lithium", 0.4), ("lead_acid", 0.62)])
@pytest.mark.parametrize(("width", "fork_width"), [(0.54, 0.16), (0.56, 0.18), (0.685, 0.17)])
def test_truck_has_the_dimensions_of_its_parameters(asset_cache, battery, length, width, fork_width):
    parts = build(
        asset_cache, battery=battery, heel_to_rear_m=length, width_m=width, fork_width_m=fork_width, chassis_width_m=0.7
    )
    points = np.concatenate(list(parts.values()))
    rear, tip = points[:, 0].min(), points[:, 0].max()
    assert tip - rear == pytest.approx(1.15 + length, abs=0.03)
    assert np.ptp(points[:, 1]) == pytest.approx(0.7, abs=0.02)
    assert np.concatenate([parts["body"], parts["base"]])[:, 2].max() == pytest.approx(0.7, abs=0.025)
    assert 1.25 <= points[:, 2].max() <= 1.31
    forks = parts["body"][parts["body"][:, 0] > BATTERY_LAYOUTS[battery].rear_x_m + length + 0.1]
    assert np.ptp(forks[:, 1]) == pytest.approx(width, abs=1e-4)
    assert np.abs(forks[:, 1]).min() == pytest.approx(width / 2 - fork_width, abs=1e-4)


@pytest.mark.parametrize("battery", BATTERY_LAYOUTS)
def test_pipeline_and_builder_use_the_same_rear_heel_and_hinge(battery):
    truck = ElectricPalletTruckParameters.model_validate(parameters(battery=battery))
    tiller = ELECTRIC_TILLERS[battery]
    assert BATTERY_LAYOUTS[battery].rear_x_m == ELECTRIC_REAR_M[battery]
    assert electric_chassis.heel_x_m(parameters(battery=battery)) == electric_fork_start_m(truck)
    assert tiller.hinge_m == (BATTERY_LAYOUTS[battery].hinge_distance_m, electric_tiller.HINGE_HEIGHT_M)
    assert tiller.length_m == electric_tiller.TILLER_LENGTH_M


@pytest.mark.parametrize("lift", [0.08, 0.2])
def test_lift_raises_body_and_forks_but_not_the_wheels(asset_cache, lift):
    parts, lowered = build(asset_cache, lift_m=lift), build(asset_cache)
    assert np.allclose(parts["body"] - lowered["body"], (0, 0, lift - 0.085), atol=1e-6)
    assert parts["body"][parts["body"][:, 0] > 0.5][:, 2].max() == pytest.approx(lift, abs=1e-4)
    for part in ("linkage", "base", "steering"):
        assert parts[part][:, 2].min() == pytest.approx(0, abs=0.003), part


def test_lift_out_of_range_is_an_error(asset_cache):
    with pytest.raises(ValueError, match=r"lift_m of an electric pallet truck is 0\.3"):
        electric_truck.build_electric_truck(parameters(lift_m=0.3), asset_cache)


@pytest.mark.parametrize(("tilt", "turn"), [(0, 0), (30, 0), (45, 60), (70, -60)])
def test_grips_are_where_the_pipeline_puts_the_hands(asset_cache, tilt, turn):
    changed = parameters(tiller_tilt_deg=float(tilt), tiller_turn_deg=float(turn))
    *_, tiller = electric_truck.build_electric_truck(changed, asset_cache)
    record = ElectricPalletTruckParameters.model_validate(changed)
    points = vertices(tiller)
    for side in (-1, 1):
        grip = electric_grip_m(record, side * 0.12)
        assert np.linalg.norm(points - grip, axis=1).min() < 0.06
        inner, outer = electric_grip_m(record, side * 0.07), electric_grip_m(record, side * 0.17)
        axis = np.subtract(outer, inner) / np.linalg.norm(np.subtract(outer, inner))
        along = (points - inner) @ axis
        distance = np.linalg.norm(points - inner - np.outer(along, axis), axis=1)
        assert np.any((distance < 0.02) & (along > -0.02) & (along < 0.03))
        assert np.any((distance < 0.02) & (along > 0.07))


def surface(part: bpy.types.Object) -> BVHTree:
    return BVHTree.FromPolygons(vertices(part).tolist(), [tuple(face.vertices) for face in part.data.polygons])


@pytest.mark.parametrize("battery", BATTERY_LAYOUTS)
def test_turned_tiller_does_not_touch_body_hood_or_backrest(asset_cache, battery):
    for seed, turn, tilt, lift in ((1, 0, 0, 0.085), (2, 70, 0, 0.2), (3, -70, 0, 0.085), (4, 70, 50, 0.2)):
        changed = parameters(
            battery=battery, seed=seed, tiller_turn_deg=turn, tiller_tilt_deg=tilt, lift_m=lift, backrest=True
        )
        body, _, base, _, tiller = electric_truck.build_electric_truck(changed, asset_cache)
        assert not surface(body).overlap(surface(tiller)), (seed, turn)
        assert not surface(base).overlap(surface(tiller)), (seed, turn)


def test_every_solid_is_closed_and_its_faces_look_outward(asset_cache):
    solids = []
    for seed, battery, tandem in ((1, "lithium", True), (2, "lead_acid", False), (3, "lead_acid", True)):
        changed = parameters(seed=seed, battery=battery, heel_to_rear_m=0.42 if seed == 1 else 0.56, backrest=seed > 1)
        changed["tandem_rollers"] = tandem
        style = draw_electric_style(seed, changed["body_rgb"])
        solids += electric_chassis.lifted_parts(changed, style) + electric_chassis.base_parts(changed, style)
        solids += electric_chassis.linkage_parts(changed) + electric_tiller.electric_tiller_parts(style)
        solids += electric_tiller.electric_steering_parts(style, BATTERY_LAYOUTS[battery])
    for number, solid in enumerate(solids):
        work = bmesh.new()
        work.from_mesh(solids_to_mesh("part", [solid], []))
        name = f"solid {number} of material {solid.slot}"
        assert all(edge.is_manifold and edge.is_contiguous for edge in work.edges), f"{name}: open or twisted"
        assert work.calc_volume(signed=True) > 0, f"{name} looks inward"
        assert min(face.calc_area() for face in work.faces) > 1e-10, f"{name}: a face without area"
        work.free()


def test_collision_boxes_enclose_the_trucks_that_the_pipeline_draws(asset_cache):
    random = rng(0, 0, "test")
    for number in range(8):
        kind = draw_parked_truck(random, draw_fleet(random, TrucksSection(electric=1))).model_copy(
            update={"backrest": number % 2 == 0}
        )
        truck = make_truck(kind.model_copy(update={"lift_m": RAISED_M}) if number % 3 == 0 else kind)
        objects = electric_truck.build_electric_truck(truck.parameters.model_dump(mode="json"), asset_cache)
        assert outside_m(objects, local_boxes(truck).rows) < 0.03, truck.parameters


def test_meshes_are_shared_where_parameters_match(asset_cache):
    first = electric_truck.build_electric_truck(parameters(), asset_cache)
    moved = electric_truck.build_electric_truck(parameters(tiller_tilt_deg=20.0, tiller_turn_deg=50.0), asset_cache)
    raised = electric_truck.build_electric_truck(parameters(lift_m=0.2), asset_cache)
    repainted = electric_truck.build_electric_truck(parameters(body_rgb=(0, 0, 1)), asset_cache)
    assert all(a.data is b.data for a, b in zip(first, moved, strict=True))
    assert [a.data is b.data for a, b in zip(first, raised, strict=True)] == [True, False, True, True, True]
    assert not any(a.data is b.data for a, b in zip(first, repainted, strict=True))


def test_objects_are_new_and_unlinked_and_have_few_triangles(asset_cache):
    objects = electric_truck.build_electric_truck(parameters(), asset_cache)
    assert all(len(part.data.materials) == len(TruckMaterial) + len(ElectricTruckMaterial) for part in objects)
    assert all(part.parent is None and not part.users_collection for part in objects)
    assert 3_000 < sum(len(face.vertices) - 2 for part in objects for face in part.data.polygons) < 15_000
