# SPDX-License-Identifier: GPL-3.0-or-later
"""All forms of goods and furniture: size, number of triangles, shared meshes and materials."""

import bpy
import numpy as np
import pytest

from blender.goods import boxed_goods, furniture, goods_object, goods_parts, round_goods, safety_markers
from blender.mesh.prop_object import pick_form
from blender.shards.build_scene import OBJECT_BUILDERS
from pipeline.scenes.assets.prop_shapes import PROP_VARIANTS, draw_prop

BUILT_FORMS = {
    "crate": boxed_goods.CRATES,
    "stillage": boxed_goods.STILLAGES,
    "bin": boxed_goods.BINS,
    "drum": round_goods.DRUMS,
    "ibc": round_goods.IBCS,
    "cable_reel": round_goods.CABLE_REELS,
    "ladder": furniture.LADDERS,
    "packing_table": furniture.TABLES,
    "conveyor": furniture.CONVEYORS,
    "bollard": safety_markers.BOLLARDS,
    "cone": safety_markers.CONES,
    "hanging_sign": safety_markers.SIGNS,
}
CASES = [(kind, number) for kind, forms in PROP_VARIANTS.items() for number in range(len(forms))]


def drawn(kind: str, number: int, seed: int) -> dict:
    """Return the object of one form as a record holds it."""
    random = np.random.default_rng(seed)
    forms = len(PROP_VARIANTS[kind])
    parameters = next(p for p in (draw_prop(random, kind) for _ in range(500)) if int(p.variant * forms) == number)
    return parameters.model_dump(mode="json")


def points(thing: bpy.types.Object) -> np.ndarray:
    corners = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", corners)
    return corners.reshape(-1, 3)


def test_sampler_and_builders_name_the_same_forms_in_the_same_order():
    drawn_forms = {kind: tuple(form.name for form in forms) for kind, forms in PROP_VARIANTS.items()}
    assert drawn_forms == BUILT_FORMS


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_goods_fill_their_size_and_stay_inside_it(kind, number, asset_cache):
    for seed in range(3):
        parameters = drawn(kind, number, seed)
        (thing,) = OBJECT_BUILDERS[kind](parameters, asset_cache)
        assert thing.parent is None
        assert not thing.users_collection
        size, corners = np.array(parameters["size_m"]), points(thing)
        if kind == "hanging_sign":  # its wires leave it upwards
            assert corners[:, 2].max() == pytest.approx(size[2] + safety_markers.WIRE_LENGTH_M)
            corners = corners[corners[:, 2] <= size[2] + 1e-6]
        assert (np.abs(corners[:, :2]).max(axis=0) <= size[:2] / 2 + 0.002).all()
        assert corners[:, 2].min() == pytest.approx(0, abs=5e-4)
        assert corners[:, 2].max() <= size[2] + 0.002
        assert (np.ptp(corners, axis=0) >= 0.8 * size).all()
        assert sum(len(polygon.vertices) - 2 for polygon in thing.data.polygons) <= 3000


@pytest.mark.parametrize("kind", PROP_VARIANTS)
def test_copies_share_a_mesh_and_other_seeds_do_not(kind, asset_cache):
    parameters = {**drawn(kind, 0, 1), "seed": 5}
    (first,), (copy,), (far,) = (
        OBJECT_BUILDERS[kind]({**parameters, "seed": seed}, asset_cache)
        for seed in (5, 5, 5 + goods_object.SEED_VARIANTS)
    )
    assert first.data == copy.data == far.data
    (other,) = OBJECT_BUILDERS[kind]({**parameters, "color_rgb": [0.9, 0.1, 0.1]}, asset_cache)
    assert other.data != first.data


def test_materials_are_shared_between_kinds(asset_cache):
    (crate,) = OBJECT_BUILDERS["crate"]({**drawn("crate", 0, 1), "wear": 0.3}, asset_cache)
    (stillage,) = OBJECT_BUILDERS["stillage"]({**drawn("stillage", 0, 1), "wear": 0.3}, asset_cache)
    shared = set(crate.data.materials) & set(stillage.data.materials)
    assert any(material.name.startswith("wood") for material in shared)


def test_signs_can_be_read_from_both_sides(asset_cache):
    (sign,) = OBJECT_BUILDERS["hanging_sign"](drawn("hanging_sign", 0, 1), asset_cache)
    looks = [p.normal.x for p in sign.data.polygons if len(p.vertices) == 3 and abs(p.normal.x) > 0.9]
    assert sum(x > 0 for x in looks) == sum(x < 0 for x in looks) > 10


@pytest.mark.parametrize(("variant", "form"), [(0.0, "a"), (0.49, "a"), (0.5, "b"), (1.0, "b")])
def test_variants_pick_forms_evenly(variant, form):
    assert pick_form(variant, ("a", "b")) == form


def test_a_wire_grid_lies_in_its_face():
    face = goods_parts.wall_faces((1.0, 0.6, 0.5), 0.1)[0]
    wires = goods_parts.wire_grid(face, 0.1, 0.01, goods_object.GoodsMaterial.PAINT)
    assert len(wires) == 5 + 6
    corners = np.concatenate([wire.vertices for wire in wires])
    np.testing.assert_allclose(corners.min(axis=0), (0.495, -0.3, 0.1), atol=1e-9)
    np.testing.assert_allclose(corners.max(axis=0), (0.505, 0.3, 0.6), atol=1e-9)
