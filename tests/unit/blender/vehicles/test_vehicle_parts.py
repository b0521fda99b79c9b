# SPDX-License-Identifier: GPL-3.0-or-later
"""Vehicles: size, position on the floor, closed solids, number of triangles, shared meshes and materials."""

import bpy
import numpy as np
import pytest

# isort: split
import bmesh  # exists only once bpy is loaded

from blender.mesh.solids import solids_to_mesh
from blender.shards.build_scene import OBJECT_BUILDERS
from blender.vehicles import carts, cleaning_machine, forklift, reach_truck, stacker
from blender.vehicles.vehicle_object import VehicleMaterial
from pipeline.scenes.assets.vehicle_shapes import VEHICLE_VARIANTS, draw_vehicle

SOLIDS = {
    "hand_trolley": carts.hand_trolley_solids,
    "platform_cart": carts.platform_cart_solids,
    "roll_cage": carts.roll_cage_solids,
    "forklift": forklift.forklift_solids,
    "reach_truck": reach_truck.reach_truck_solids,
    "stacker": stacker.stacker_solids,
    "cleaning_machine": cleaning_machine.cleaning_machine_solids,
}
EVERY_FORM = [(kind, number) for kind, forms in VEHICLE_VARIANTS.items() for number in range(len(forms))]


def drawn(kind: str, form: int, seed: int = 0) -> dict:
    """Return the first parameters of this form that the stage sample draws."""
    random = np.random.default_rng([seed, form])
    while True:
        parameters = draw_vehicle(random, kind).model_dump(mode="json")
        if int(parameters["variant"] * len(VEHICLE_VARIANTS[kind])) == form:
            return parameters


def is_open(solid) -> bool:
    """Return whether a solid is open: letters are flat patches, all other parts are closed."""
    return solid.slot == VehicleMaterial.PAPER


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kind", "form"), EVERY_FORM)
def test_a_vehicle_fills_its_size_and_stays_inside_it(kind, form, seed):
    parameters = drawn(kind, form, seed)
    points = np.concatenate([solid.vertices for solid in SOLIDS[kind](parameters)])
    length, width, height = parameters["size_m"]
    low, high = np.array([-length / 2, -width / 2, 0]), np.array([length / 2, width / 2, height])
    assert (points.min(axis=0) >= low - 1e-4).all()
    assert (points.max(axis=0) <= high + 1e-4).all()
    assert points[:, 2].min() < 0.003
    assert (np.ptp(points, axis=0) > 0.93 * (high - low)).all()


@pytest.mark.parametrize(("kind", "form"), EVERY_FORM)
def test_each_part_is_closed_and_faces_outward(asset_cache, kind, form):
    for number, solid in enumerate(SOLIDS[kind](drawn(kind, form))):
        if is_open(solid):
            continue
        work = bmesh.new()
        work.from_mesh(solids_to_mesh("part", [solid], []))
        assert all(edge.is_manifold and edge.is_contiguous for edge in work.edges), f"solid {number}: open or twisted"
        assert work.calc_volume(signed=True) > 0, f"solid {number} ({VehicleMaterial(solid.slot).name}) looks inward"
        work.free()


@pytest.mark.parametrize(("kind", "form"), EVERY_FORM)
def test_a_vehicle_is_one_new_object_with_few_triangles_on_a_shared_mesh(asset_cache, kind, form):
    parameters = drawn(kind, form)
    (first,), (second,) = (OBJECT_BUILDERS[kind](parameters, asset_cache) for _ in range(2))
    (other,) = OBJECT_BUILDERS[kind]({**parameters, "color_rgb": [0.1, 0.2, 0.3]}, asset_cache)
    assert first.data is second.data
    assert first.data is not other.data
    assert first.parent is None
    assert not first.users_collection
    assert sum(len(face.vertices) - 2 for face in first.data.polygons) < 5_000
    used = {face.material_index for face in first.data.polygons}
    assert used == set(range(len(first.data.materials)))


@pytest.mark.parametrize("kind", VEHICLE_VARIANTS)
def test_forms_differ_with_equal_size_and_seed(kind):
    forms = len(VEHICLE_VARIANTS[kind])
    parameters = drawn(kind, 0)
    variants = ({**parameters, "variant": (form + 0.5) / forms} for form in range(forms))
    shapes = {np.concatenate([s.vertices for s in SOLIDS[kind](each)]).round(4).tobytes() for each in variants}
    # A small and a large scrubber differ in their size alone.
    assert len(shapes) == (2 if kind == "cleaning_machine" else forms)


def test_vehicles_with_equal_colors_share_their_materials(asset_cache):
    parameters = drawn("forklift", 0)
    for seed in range(3):
        OBJECT_BUILDERS["forklift"]({**parameters, "seed": seed}, asset_cache)
    assert len(asset_cache.meshes) == 3
    assert len(asset_cache.materials) == len(bpy.data.materials) <= len(VehicleMaterial)
