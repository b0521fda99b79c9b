# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender.goods import pallets_and_cartons
from blender.mesh.solids import Solid, solids_to_mesh
from tests.helpers.search import examples

LABEL_M = 0.002  # labels stand this far out at most
STACK = {
    "count": [3, 2, 4],
    "carton_m": [0.38, 0.38, 0.3],
    "missing": 0,
    "color_rgb": [0.4, 0.25, 0.1],
    "wrapped": False,
    "seed": 1,
}


def extent(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    points = np.array([vertex.co for vertex in mesh.vertices])
    return points.min(axis=0), points.max(axis=0)


def triangles(mesh: bpy.types.Mesh) -> int:
    return sum(len(polygon.vertices) - 2 for polygon in mesh.polygons)


def one(build, parameters, asset_cache) -> bpy.types.Object:
    (thing,) = build(parameters, asset_cache)
    assert thing.parent is None
    assert not thing.users_collection
    return thing


@pytest.mark.parametrize("age", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_a_pallet_of_any_age_is_1200_by_800_by_144_mm(age, seed, asset_cache):
    low, high = extent(one(pallets_and_cartons.build_eur_pallet, {"age": age, "seed": seed}, asset_cache).data)
    # Stamps lie half a millimeter out.
    np.testing.assert_allclose(low, (-0.6, -0.4, 0), atol=6e-4)
    np.testing.assert_allclose(high, (0.6, 0.4, 0.144), atol=6e-4)


def spans_across(solids: list[Solid], low_m: float, high_m: float) -> np.ndarray:
    """Return the distinct (least, greatest) y of the solids between two heights, sorted."""
    inside = [s.vertices for s in solids if s.vertices[:, 2].min() > low_m and s.vertices[:, 2].max() < high_m]
    return np.unique([(v[:, 1].min().round(6), v[:, 1].max().round(6)) for v in inside], axis=0)


def test_a_new_pallet_has_the_boards_and_openings_of_uic_435():
    solids = pallets_and_cartons.pallet_solids(0.0, 0)
    assert len(solids) == 3 + 9 + 3 + 5
    deck, blocks, skids = (spans_across(solids, *z) for z in ((0.121, 0.145), (0.021, 0.101), (-1, 0.023)))
    np.testing.assert_allclose(np.ptp(deck, axis=1), [0.145, 0.1, 0.145, 0.1, 0.145], atol=1e-5)
    np.testing.assert_allclose(deck[1:, 0] - deck[:-1, 1], [0.04125] * 4, atol=1e-5)
    np.testing.assert_allclose(blocks[1:, 0] - blocks[:-1, 1], [0.2275] * 2, atol=1e-5)
    np.testing.assert_allclose(np.ptp(skids, axis=1), [0.1, 0.145, 0.1], atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_boards_of_a_pallet_do_not_overlap(seed):
    deck = spans_across(pallets_and_cartons.pallet_solids(1.0, seed), 0.121, 0.145)
    assert (deck[1:, 0] > deck[:-1, 1]).all()


def test_old_pallets_are_damaged_and_new_ones_are_not():
    assert all(len(pallets_and_cartons.pallet_solids(0.0, seed)) == 20 for seed in range(8))
    volumes = [
        sum(np.prod(np.ptp(s.vertices, axis=0)) for s in pallets_and_cartons.pallet_solids(1.0, seed))
        for seed in range(8)
    ]
    assert min(volumes) < 0.97 * max(volumes)


def test_a_hundred_pallets_share_a_few_meshes(asset_cache):
    pallets = [
        one(pallets_and_cartons.build_eur_pallet, {"age": 0.31, "seed": seed}, asset_cache) for seed in range(100)
    ]
    assert len({pallet.data.name for pallet in pallets}) == 8
    assert len(asset_cache.materials) == 3


@settings(max_examples=examples(40))
@given(
    count=st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 8)),
    size=st.tuples(st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.floats(0.1, 0.9)),
    missing=st.integers(0, 5),
    seed=st.integers(0, 2**31),
)
def test_a_stack_stays_inside_its_footprint(count, size, missing, seed):
    points = np.concatenate([solid.vertices for solid in pallets_and_cartons.stack_solids(count, size, missing, seed)])
    whole = np.array(count) * size
    assert points[:, 2].min() == 0
    assert points[:, 2].max() == pytest.approx(whole[2], abs=LABEL_M)
    assert (np.abs(points[:, :2]).max(axis=0) <= whole[:2] / 2 + LABEL_M).all()
    assert (np.abs(points[:, :2]).max(axis=0) >= 0.4 * whole[:2] - 1e-9).all() or missing


@pytest.mark.parametrize("wrapped", [False, True])
def test_stacks_stand_on_the_floor_and_have_few_triangles(wrapped, asset_cache):
    for seed in range(12):
        parameters = {
            **STACK,
            "count": [4, 3, 6],
            "carton_m": [0.28, 0.25, 0.25],
            "missing": 2,
            "wrapped": wrapped,
            "seed": seed,
        }
        mesh = one(pallets_and_cartons.build_carton_stack, parameters, asset_cache).data
        low, high = extent(mesh)
        assert low[2] == pytest.approx(0, abs=1e-6)
        assert high[2] == pytest.approx(1.5, abs=LABEL_M)
        assert triangles(mesh) <= 1300
    assert wrapped == any(material.name.endswith("film") for material in asset_cache.materials.values())


def test_few_large_cartons_carry_print_and_many_small_ones_do_not():
    def printed(count):
        slots = [
            {solid.slot for solid in pallets_and_cartons.stack_solids(count, (0.4, 0.3, 0.3), 0, seed)}
            for seed in range(12)
        ]
        return sum(pallets_and_cartons.PRINT_SLOT in found for found in slots)

    assert 0 < printed((2, 2, 2)) < 12
    assert printed((5, 4, 6)) == 0


def test_broken_boards_end_unevenly_inside_the_pallet():
    ends = [
        solid.vertices
        for seed in range(8)
        for solid in pallets_and_cartons.pallet_solids(1.0, seed)
        if solid.vertices[:, 2].min() > 0.121 and 0.3 < np.ptp(solid.vertices[:, 0]) < 1.0
    ]
    assert ends
    for vertices in ends:
        assert np.abs(vertices[:, 0]).max() <= 0.6 + 1e-9
        assert len(np.unique(vertices[:, 0].round(5))) > 2


def test_missing_cartons_are_missing_from_the_top_layer():
    def tops(missing):
        boxes = pallets_and_cartons.stack_solids((3, 2, 2), (0.4, 0.4, 0.3), missing, 3)[0]
        return sum(1 for face in boxes.faces if np.allclose(boxes.vertices[list(face), 2], 0.6))

    assert [tops(missing) for missing in range(7)] == [6, 5, 4, 3, 2, 1, 1]


def test_layers_are_laid_crosswise_if_the_footprint_allows_it():
    def across(solids, layer):
        boxes = solids[0]
        tops = [boxes.vertices[list(face)] for face in boxes.faces]
        flat = [top for top in tops if np.ptp(top[:, 2]) < 1e-9 and layer * 0.2 + 0.15 < top[0, 2] < layer * 0.2 + 0.21]
        return np.mean([np.ptp(top[:, 0]) > np.ptp(top[:, 1]) for top in flat])

    solids = pallets_and_cartons.stack_solids((2, 3, 2), (0.6, 0.4, 0.2), 0, 0)
    assert across(solids, 1) == 1.0
    assert across(solids, 0) == 0.0


def test_the_same_parameters_give_the_same_stack_and_other_seeds_others(asset_cache):
    def points(seed):
        asset_cache.meshes.clear()
        mesh = one(pallets_and_cartons.build_carton_stack, {**STACK, "seed": seed}, asset_cache).data
        return np.array([vertex.co for vertex in mesh.vertices])

    np.testing.assert_array_equal(points(5), points(5))
    first, other = points(5), points(6)
    assert first.shape != other.shape or not np.allclose(first, other)


@pytest.mark.parametrize("seed", range(8))
def test_a_carton_has_its_size_and_color(seed, asset_cache):
    carton = one(
        pallets_and_cartons.build_carton,
        {"size_m": [0.5, 0.3, 0.2], "color_rgb": [0.5, 0.25, 0.125], "seed": seed},
        asset_cache,
    )
    low, high = extent(carton.data)
    np.testing.assert_allclose(low, (-0.25, -0.15, 0), atol=LABEL_M)
    np.testing.assert_allclose(high, (0.25, 0.15, 0.2), atol=LABEL_M)
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert tuple(carton.color) == (0.5, 0.25, 0.125, 1)
    assert triangles(carton.data) < 500


def test_cartons_of_different_colors_share_mesh_and_material(asset_cache):
    size = {"size_m": [0.5, 0.3, 0.2], "seed": 3}
    first, second = (
        one(pallets_and_cartons.build_carton, {**size, "color_rgb": [c, c, c]}, asset_cache) for c in (0.2, 0.6)
    )
    assert first.data == second.data
    assert first.color[0] != second.color[0]


def test_faces_point_outward():
    for solid in pallets_and_cartons.carton_solids((0.5, 0.3, 0.2), 1)[:1] + pallets_and_cartons.pallet_solids(0.5, 1):
        mesh = solids_to_mesh("solid", [solid], [])
        middle = solid.vertices.mean(axis=0)
        assert all((np.array(polygon.center) - middle) @ np.array(polygon.normal) > 0 for polygon in mesh.polygons)
