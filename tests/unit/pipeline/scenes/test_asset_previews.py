# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from pipeline.record.asset_catalogue import CatalogueError, read_catalogue
from pipeline.record.scene import read_scenes
from pipeline.scenes import asset_previews
from tests.helpers.commands import run_cariste
from tests.unit.pipeline.scenes.assets.test_custom_meshes import MESHES


def test_every_asset_of_the_catalogue_has_previews():
    assert asset_previews.PREVIEW_SAMPLERS.keys() == read_catalogue().assets.keys()
    for name in asset_previews.PREVIEW_SAMPLERS:
        for variant_name, objects in asset_previews.previews_of_asset(name):
            assert (name, objects[0].asset) == (name, name), variant_name


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("hand_pallet_truck", "grip", {"d_loop", "triangle", "rounded"}),
        ("hand_pallet_truck", "tandem_rollers", {True, False}),
        ("hand_pallet_truck", "lift_m", {0.085, 0.2}),
        ("electric_pallet_truck", "battery", {"lithium", "lead_acid"}),
        ("electric_pallet_truck", "backrest", {True, False}),
        ("eur_pallet", "age", {0.0, 0.5, 1.0}),
        ("carton_stack", "wrapped", {True, False}),
        ("rack", "guards", {True, False}),
        ("column", "guard", {True, False}),
    ],
)
def test_previews_show_all_variants(name, field, values):
    assert {getattr(objects[0].parameters, field) for _, objects in asset_previews.previews_of_asset(name)} >= values


def test_previews_of_people_show_all_poses_and_clothes():
    shown = [objects[0].parameters for _, objects in asset_previews.previews_of_asset("person")]
    assert {person.pose.name for person in shown} == {
        *("walk", "stand", "scan", "bend", "crouch", "reach", "sit", "carry", "talk", "push", "pull", "walk_beside")
    }
    outfits = [person.outfit for person in shown]
    assert {outfit.head for outfit in outfits} == {"helmet", "cap", "bump_cap", "hair"}
    assert {outfit.legs for outfit in outfits} == {"trousers", "shorts", "dungarees"}
    assert {outfit.bag for outfit in outfits} == {None, "backpack", "shoulder_bag"}
    assert any(outfit.vest_rgb for outfit in outfits)
    assert any(outfit.jacket_rgb for outfit in outfits)
    assert any(outfit.hood for outfit in outfits)


def test_previews_of_props_show_each_variant():
    assert [variant_name for variant_name, _ in asset_previews.previews_of_asset("crate")] == [
        "closed",
        "collars",
        "slatted",
    ]
    for name, variant_count in {"hand_trolley": 3, "bin": 4, "ladder": 2, "hanging_sign": 4}.items():
        variants = [objects[0].parameters.variant for _, objects in asset_previews.previews_of_asset(name)]
        assert [int(variant * variant_count) for variant in variants] == list(range(variant_count)), name


def test_previews_of_trucks_also_show_groups_and_racks():
    shown = dict(asset_previews.previews_of_asset("hand_pallet_truck"))
    assert [scene_object.asset for scene_object in shown["in a row"]] == ["hand_pallet_truck"] * 4
    assert shown["loaded"][0].parameters.lift_m == 0.2
    assert shown["under a pallet"][1].asset == "eur_pallet"
    assert shown["under the lowest beam"][1].asset == "rack"
    assert len(dict(asset_previews.previews_of_asset("eur_pallet"))["pile of 15"]) == 15


def test_a_custom_mesh_has_one_preview_and_an_unknown_name_is_an_error():
    ((variant_name, (scene_object,)),) = asset_previews.previews_of_asset("my_truck", MESHES)
    assert (variant_name, scene_object.asset) == ("1.50 x 0.60 x 1.20 m", "my_truck")
    with pytest.raises(CatalogueError, match=r"no asset 'zeppelin'; available: person, .*, my_cart"):
        asset_previews.previews_of_asset("zeppelin", MESHES)


def test_the_command_writes_records_whose_first_object_is_the_caption(tmp_path):
    (tmp_path / "cart.json").write_text(MESHES[2].model_dump_json())
    out = tmp_path / "catalogue.jsonl"
    arguments = ("--asset", "catalogue", "--custom-mesh", tmp_path / "cart.json", "--out", out)
    assert run_cariste("preview-records", *arguments).exit_code == 0
    records = read_scenes(out)
    assert [scene.index for scene in records] == list(range(len(records)))
    assert records[-1].objects[0].name == "my_cart: 1.00 x 0.70 x 1.00 m"
    assert {json.loads(line)["objects"][0]["asset"] for line in out.read_text().splitlines()} >= {"person", "rack"}
