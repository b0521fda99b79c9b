# SPDX-License-Identifier: Apache-2.0
import re
from typing import get_args

import pytest
import yaml

from pipeline.record import asset_catalogue, objects

MINE = {"file": "my_truck.glb", "category": "pallet_truck", "licence": "own work"}


def read(tmp_path, **own) -> asset_catalogue.Catalogue:
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"assets": {}, "custom": own}))
    return asset_catalogue.read_catalogue(path)


def test_every_asset_of_a_record_is_in_the_catalogue_with_its_category():
    in_records = {
        asset: kind.model_fields["category"].default
        for kind in get_args(get_args(objects.BuiltInObject)[0])
        for asset in get_args(kind.model_fields["asset"].annotation)
    }
    assert {name: asset.category for name, asset in asset_catalogue.read_catalogue().assets.items()} == in_records


def test_an_asset_without_a_licence_is_refused(tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text("assets: {cone: {category: null, source: mine, author: me}}")
    with pytest.raises(
        asset_catalogue.CatalogueError, match=r"assets\.cone\.licence: missing: say under which licence"
    ):
        asset_catalogue.read_catalogue(path)


def test_three_lines_are_enough_for_a_truck_of_ones_own(tmp_path):
    mine = read(tmp_path, my_truck=MINE).custom["my_truck"]
    assert (mine.metres_per_unit, mine.up_axis, mine.forward) == (1.0, "y", "+x")
    assert mine.stands == ("free", "row", "beside", "rack")
    assert mine.provenance_entry() == {
        "category": "pallet_truck",
        "file": "my_truck.glb",
        "licence": "own work",
        "source": "a file of the user",
        "author": "not stated",
    }
    assert read(tmp_path, my_cart=MINE | {"category": None, "file": "a.blend"}).custom["my_cart"].stands == ("free",)


def test_a_catalogue_whose_own_section_is_left_empty_is_one_without(tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text("assets: {}\ncustom:\n  # my_truck: ...\n")
    assert asset_catalogue.read_catalogue(path).custom == {}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"licence": None}, "custom.my_truck.licence: Input should be a valid string"),
        ({"licence": ""}, "custom.my_truck.licence: String should have at least 1 character"),
        ({"category": "truck"}, "custom.my_truck.category: Input should be 'pedestrian' or 'pallet_truck'"),
        ({"file": "my_truck.stl"}, "custom.my_truck: file: cannot read .stl, only .glb, .gltf, .obj, .blend"),
        ({"file": "../my_truck.glb"}, "custom.my_truck: file: ../my_truck.glb must lie in the folder of the catalogue"),
        ({"metres_per_unit": 0}, "custom.my_truck.metres_per_unit: Input should be greater than 0"),
        ({"up": "x"}, "custom.my_truck.up: Input should be 'y' or 'z'"),
        ({"forward": "-y"}, "custom.my_truck: forward: -y is the axis that points up"),
        ({"forward": "left"}, "custom.my_truck.forward: Input should be '+x', '-x', '+y'"),
        ({"category": "pedestrian", "stands": ["rack"]}, "custom.my_truck: stands: only pallet trucks choose"),
        ({"colour": "red"}, "custom.my_truck.colour: Extra inputs are not permitted"),
    ],
)
def test_wrong_entries_are_refused_with_asset_key_and_reason(tmp_path, entry, said):
    with pytest.raises(asset_catalogue.CatalogueError, match=re.escape(said)):
        read(tmp_path, my_truck=MINE | entry)


def test_a_missing_licence_and_a_taken_name_are_refused(tmp_path):
    with pytest.raises(
        asset_catalogue.CatalogueError, match=r"custom\.my_truck\.licence: missing: say under which licence"
    ):
        read(tmp_path, my_truck={key: value for key, value in MINE.items() if key != "licence"})
    path = tmp_path / "catalogue.yaml"
    cone = {"category": None, "source": "a", "author": "b", "licence": "c"}
    path.write_text(yaml.safe_dump({"assets": {"cone": cone}, "custom": {"cone": MINE}}))
    with pytest.raises(asset_catalogue.CatalogueError, match=r"custom\.cone: the name is taken"):
        asset_catalogue.read_catalogue(path)


def test_assets_of_both_sections_are_described(tmp_path):
    assert list(read(tmp_path, my_truck=MINE).entries_of(["my_truck"])) == ["my_truck"]
    with pytest.raises(asset_catalogue.CatalogueError, match="not in the catalogue of assets: zeppelin"):
        read(tmp_path, my_truck=MINE).entries_of(["zeppelin", "my_truck"])
