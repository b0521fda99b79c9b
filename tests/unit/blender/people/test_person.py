# SPDX-License-Identifier: GPL-3.0-or-later
"""People as a whole: poses, layers of clothes, materials, and limits of time and size."""

import time

import bpy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from blender.mesh.asset_cache import AssetCache
from blender.people.person import build_person
from pipeline.record.objects import PersonParameters
from tests.helpers.search import examples

VEST = (0.9, 0.35, 0.02)


def person(name="stand", phase=0.0, seed=0, left=None, right=None, seat=None, shape=None, **outfit):
    """Return the JSON dict of a person, validated by the model of the record."""
    defaults = {
        "gender": 0.0,
        "age": 0.7,
        "muscle": 0.5,
        "weight": 0.5,
        "proportions": 0.5,
        "african": 0.2,
        "asian": 0.3,
        "caucasian": 0.5,
        "height_m": 1.75,
        "skin_rgb": (0.5, 0.3, 0.2),
    }
    clothes = {
        "sleeves": "long",
        "top_rgb": (0.05, 0.1, 0.25),
        "trousers_rgb": (0.03, 0.03, 0.06),
        "shoes_rgb": (0.02, 0.02, 0.02),
        "vest_rgb": VEST,
        "head": "helmet",
        "head_rgb": (0.9, 0.7, 0.05),
        "hair_rgb": (0.03, 0.02, 0.01),
    }
    pose = {"name": name, "phase": phase, "seed": seed, "hand_left_m": left, "hand_right_m": right}
    pose["seat_m"] = seat
    values = {**defaults, **(shape or {}), "pose": pose, "outfit": {**clothes, **outfit}}
    return PersonParameters.model_validate(values).model_dump(mode="json")


def points_of(target):
    values = np.empty(len(target.data.vertices) * 3, np.float32)
    target.data.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def meshes(objects):
    return [target for target in objects if target.type == "MESH"]


def by_name(objects):
    return {target.name.partition(".")[0]: target for target in meshes(objects)}


POSES = [
    *({"name": "walk", "phase": i / 8} for i in range(8)),
    {"name": "stand", "seed": 3},
    {"name": "push", "phase": 0.2, "left": (0.45, 0.15, 0.95), "right": (0.45, -0.15, 0.95)},
    {"name": "push", "phase": 0.7, "right": (0.4, -0.1, 0.75)},
    {"name": "pull", "phase": 0.1, "right": (-0.45, -0.22, 0.92)},
    {"name": "pull", "phase": 0.6, "left": (-0.45, 0.22, 0.75)},
    {"name": "crouch", "seed": 1},
    {"name": "crouch", "seed": 2},
    {"name": "walk_beside", "phase": 0.3, "right": (-0.2, -0.3, 0.95)},
    {"name": "carry", "phase": 0.6, "left": (0.4, 0.2, 1.0), "right": (0.4, -0.2, 1.0)},
    {"name": "reach", "seed": 1},
    {"name": "bend", "seed": 1},
    {"name": "sit", "seed": 1, "seat": 0.144},
    {"name": "sit", "seed": 2, "seat": 0.5},
    {"name": "talk", "seed": 1},
]


@pytest.mark.parametrize("wanted", POSES)
def test_every_pose_gives_new_unlinked_objects_that_stand_on_the_floor(asset_cache, wanted):
    objects = meshes(build_person(person(**wanted), asset_cache))
    assert set(by_name(objects)) == {"skin", "eyes", "hair", "trousers", "shirt", "vest", "shoes", "helmet"}
    for target in objects:
        assert not target.users_collection
        assert target.parent is None
        assert not target.modifiers
        assert target.data.materials
        assert np.isfinite(points_of(target)).all()
        assert not target.data.validate(), "the mesh is invalid"
    lowest = min(points_of(target)[:, 2].min() for target in objects)
    assert lowest == pytest.approx(0, abs=0.005)
    assert sum(len(face.vertices) - 2 for target in objects for face in target.data.polygons) < 30_000


def test_person_faces_ahead(asset_cache):
    parts = by_name(build_person(person(seed=5, head="hair", vest_rgb=None), asset_cache))
    shoes = points_of(parts["shoes"])
    assert shoes[:, 0].max() > -1.5 * shoes[:, 0].min(), "the toes do not point ahead"
    assert points_of(parts["eyes"])[:, 0].mean() > points_of(parts["hair"])[:, 0].mean()


def test_height_is_that_of_the_bare_body(asset_cache):
    parts = by_name(build_person(person(shape={"height_m": 1.83}, head="hair"), asset_cache))
    # Shoes add 3 cm, hair adds 1 cm, and a standing pose is a little lower than the body at rest.
    assert 1.81 < points_of(parts["hair"])[:, 2].max() < 1.89


def test_same_parameters_give_the_same_vertices(asset_cache):
    first, second = (meshes(build_person(person("walk", 0.3, 4), asset_cache)) for _ in range(2))
    for part, same_part in zip(first, second, strict=True):
        np.testing.assert_array_equal(points_of(part), points_of(same_part))


def test_people_of_one_image_share_materials(asset_cache):
    build_person(person("walk", 0.3), asset_cache)
    count = len(bpy.data.materials)
    build_person(person("walk", 0.6), asset_cache)
    assert len(bpy.data.materials) == count


def test_outfit_determines_the_garments(asset_cache):
    short = by_name(build_person(person(vest_rgb=None, sleeves="short", head="cap"), asset_cache))
    assert set(short) == {"skin", "eyes", "hair", "trousers", "shirt", "shoes", "cap"}
    long = by_name(build_person(person(vest_rgb=None, sleeves="long", head="cap"), asset_cache))
    assert np.ptp(points_of(short["shirt"])[:, 2]) < np.ptp(points_of(long["shirt"])[:, 2])
    assert len(short["skin"].data.vertices) > len(long["skin"].data.vertices)


@pytest.mark.parametrize("wanted", POSES)
def test_layers_do_not_poke_through_each_other(asset_cache, wanted):
    parts = by_name(build_person(person(**wanted), asset_cache))
    # The collar of the shirt is over the neck of the vest. Everywhere else the vest is outside.
    assert _hidden_share(parts["vest"], parts["shirt"]) < 0.015
    assert _hidden_share(parts["shirt"], parts["trousers"]) < 0.01
    assert _hidden_share(parts["helmet"], parts["skin"]) < 0.01
    assert _hidden_share(parts["helmet"], parts["hair"]) < 0.01


def _hidden_share(outer, inner, reach_m=0.02):
    """Return the share of the vertices of `outer` that have a face of `inner` outside of them, within `reach_m`."""
    tree = BVHTree.FromPolygons(points_of(inner).tolist(), [tuple(face.vertices) for face in inner.data.polygons])
    up = np.empty(len(outer.data.vertices) * 3, np.float32)
    outer.data.vertex_normals.foreach_get("vector", up)
    hits = 0
    for point, normal in zip(points_of(outer), up.reshape(-1, 3), strict=True):
        hit, hit_normal, _, _ = tree.ray_cast(Vector(point), Vector(normal), reach_m)
        hits += hit is not None and hit_normal.dot(Vector(normal)) > 0.3
    return hits / len(up.reshape(-1, 3))


shapes = st.fixed_dictionaries(
    {
        "gender": st.floats(0, 1),
        "age": st.floats(0.55, 0.95),
        "muscle": st.floats(0.1, 0.9),
        "weight": st.floats(0.1, 0.95),
        "height_m": st.floats(1.5, 1.95),
    }
)


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shapes,
    st.sampled_from(POSES),
    st.sampled_from(["helmet", "cap", "bump_cap", "hair"]),
    st.sampled_from(["long", "short"]),
)
def test_clothes_fit_every_body_shape(asset_cache, shape, wanted, head, sleeves):
    parts = by_name(build_person(person(**wanted, shape=shape, head=head, sleeves=sleeves), asset_cache))
    assert min(points_of(target)[:, 2].min() for target in parts.values()) == pytest.approx(0, abs=0.005)
    assert _hidden_share(parts["vest"], parts["shirt"]) < 0.02
    if head != "hair":
        assert _hidden_share(parts[head], parts["skin"]) < 0.01


def test_a_person_is_built_in_less_than_a_second(asset_cache):
    build_person(person(), asset_cache)
    start = time.process_time()
    build_person(person("walk", 0.4, 2), asset_cache)
    assert time.process_time() - start < 0.6


def test_vest_has_room_for_its_bands_after_en_iso_20471(asset_cache):
    vest = by_name(build_person(person(shape={"height_m": 1.5, "gender": 1.0}), asset_cache))["vest"]
    bands = np.empty(len(vest.data.vertices) * 3, np.float32)
    vest.data.attributes["bands"].data.foreach_get("vector", bands)
    side, above_hem, _ = bands.reshape(-1, 3).T
    assert above_hem.min() == pytest.approx(0, abs=0.005), "not measured from the hem"
    # Bands run around the body at 80..130 and 200..250 mm, and over each shoulder 93..143 mm from the middle.
    assert above_hem.max() > 0.35
    for sign in (-1, 1):
        assert above_hem[(sign * side > 0.093) & (sign * side < 0.143)].max() > 0.33


def test_every_kind_of_garment_and_bag_is_where_it_belongs(asset_cache):
    jacket = by_name(build_person(person(vest_rgb=None, jacket_rgb=VEST, legs="dungarees"), asset_cache))
    assert "jacket" in jacket
    assert not {"shirt", "vest"} & set(jacket)
    assert points_of(jacket["trousers"])[:, 2].max() < 1.15, "a bib under a jacket"
    bib = by_name(build_person(person(vest_rgb=None, legs="dungarees"), asset_cache))
    assert points_of(bib["trousers"])[:, 2].max() > 1.3, "no straps over the shoulders"
    assert _hidden_share(bib["trousers"], bib["shirt"]) < 0.03
    shorts = by_name(build_person(person(legs="shorts", hood=True, bag="backpack"), asset_cache))
    assert points_of(shorts["trousers"])[:, 2].min() > 0.4
    calves = points_of(shorts["skin"])
    assert ((calves[:, 2] > 0.35) & (calves[:, 2] < 0.5)).sum() > 50, "the knees are covered"
    assert {"socks", "hood", "backpack"} <= set(shorts)
    assert points_of(shorts["backpack"])[:, 0].min() < points_of(shorts["vest"])[:, 0].min() - 0.1
    assert "scanner" in by_name(build_person(person("scan", bag="shoulder_bag"), asset_cache))


def test_bands_of_a_jacket_run_around_body_and_sleeves(asset_cache):
    jacket = by_name(build_person(person(vest_rgb=None, jacket_rgb=VEST), asset_cache))["jacket"]
    count = len(jacket.data.vertices)
    bands, sleeve = np.empty(count * 3, np.float32), np.empty(count, np.float32)
    jacket.data.attributes["bands"].data.foreach_get("vector", bands)
    jacket.data.attributes["sleeve"].data.foreach_get("value", sleeve)
    side, above_hem, _ = bands.reshape(-1, 3).T
    on_arm = sleeve < 0.25
    assert sleeve[on_arm].min() < 0.03, "not measured from the wrist"
    assert set(np.sign(side[on_arm])) == {-1, 1}
    assert above_hem[on_arm].min() > 0.25, "bands of the trunk are on the sleeves"
    assert above_hem.min() == pytest.approx(0, abs=0.005)


def test_unreachable_grip_is_an_error(asset_cache):
    with pytest.raises(ValueError, match="out of reach"):
        build_person(person("pull", right=(-1.2, -0.2, 0.9)), asset_cache)


def test_objects_can_be_linked_and_parented(asset_cache: AssetCache):
    root = bpy.data.objects.new("person", None)
    bpy.context.scene.collection.objects.link(root)
    for target in build_person(person(), asset_cache):
        bpy.context.scene.collection.objects.link(target)
        target.parent = root
    root.location = (2, 0, 0)
    bpy.context.view_layer.update()
    assert all(target.matrix_world.translation.x == pytest.approx(2 + target.location.x) for target in root.children)
