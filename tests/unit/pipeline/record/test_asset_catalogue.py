# SPDX-License-Identifier: Apache-2.0
import re
import tempfile
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.yaml_files import dump_yaml
from pipeline.record import asset_catalogue, objects
from tests.helpers.search import examples

ENTRY = {"file": "my_truck.glb", "category": "pallet_truck", "licence": "own work"}


def read(tmp_path, **custom) -> asset_catalogue.Catalogue:
    """Return the catalogue whose section `custom` has these entries."""
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"assets": {}, "custom": custom}))
    return asset_catalogue.read_catalogue(path)


def test_the_catalogue_lists_every_built_in_asset_with_its_category():
    category_of_asset = {
        asset: object_class.model_fields["category"].default
        for object_class in get_args(get_args(objects.BuiltInObject)[0])
        for asset in get_args(object_class.model_fields["asset"].annotation)
    }
    assert {
        name: asset.category for name, asset in asset_catalogue.read_catalogue().assets.items()
    } == category_of_asset


def test_a_built_in_asset_without_a_license_is_an_error(tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text("assets: {cone: {category: null, source: mine, author: me}}")
    with pytest.raises(asset_catalogue.CatalogueError, match=r"assets\.cone\.licence: missing: name the license"):
        asset_catalogue.read_catalogue(path)


def test_file_category_and_license_are_enough_for_a_custom_truck(tmp_path):
    truck = read(tmp_path, my_truck=ENTRY).custom["my_truck"]
    assert (truck.metres_per_unit, truck.up_axis, truck.forward) == (1.0, "y", "+x")
    assert truck.stands == ("free", "row", "beside", "rack")
    assert truck.provenance_entry() == {
        "category": "pallet_truck",
        "file": "my_truck.glb",
        "licence": "own work",
        "source": "a file of the user",
        "author": "not stated",
    }
    assert read(tmp_path, my_cart=ENTRY | {"category": None, "file": "a.blend"}).custom["my_cart"].stands == ("free",)


def test_an_empty_custom_section_is_the_same_as_none(tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text("assets: {}\ncustom:\n  # my_truck: ...\n")
    assert asset_catalogue.read_catalogue(path).custom == {}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"licence": None}, "custom.my_truck.licence: has no value"),
        ({"licence": ""}, "custom.my_truck.licence = '': is empty"),
        ({"category": "truck"}, "custom.my_truck.category = 'truck': must be pedestrian, pallet_truck or null"),
        (
            {"file": "my_truck.pdf"},
            "custom.my_truck: file: cannot read .pdf; supported formats: .glb, .gltf, .obj, .blend",
        ),
        (
            {"file": "my_truck.STEP"},
            "custom.my_truck: file: cannot read .step, a CAD model without triangles: export it",
        ),
        ({"file": "my_truck.dae"}, "custom.my_truck: file: cannot read .dae, open it in Blender"),
        ({"file": "a.blend1"}, "custom.my_truck: file: cannot read .blend1, a backup of Blender: rename it to .blend"),
        ({"file": "my_truck.zip"}, "custom.my_truck: file: cannot read .zip, an archive: unpack it"),
        (
            {"file": "C:\\my_truck.glb"},
            "custom.my_truck: file: C:/my_truck.glb must lie in the folder of the catalogue",
        ),
        ({"files": ["../wood.png"]}, "custom.my_truck: files: ../wood.png must lie in the folder of the catalogue"),
        ({"max_triangles": 3}, "custom.my_truck.max_triangles = 3: must be at least 100"),
        ({"file": "../my_truck.glb"}, "custom.my_truck: file: ../my_truck.glb must lie in the folder of the catalogue"),
        ({"metres_per_unit": 0}, "custom.my_truck.metres_per_unit = 0.0: must be above 0"),
        ({"up": "x"}, "custom.my_truck.up = 'x': must be y, z or null"),
        ({"forward": "-y"}, "custom.my_truck: forward: -y is the axis that points up"),
        ({"forward": "left"}, "custom.my_truck.forward = 'left': must be +x, -x, +y"),
        ({"category": "pedestrian", "stands": ["rack"]}, "custom.my_truck: stands: only pallet trucks have this key"),
        ({"colour": "red"}, "custom.my_truck.colour: unknown key; allowed here: category, source"),
    ],
)
def test_the_error_for_a_wrong_entry_names_asset_key_and_reason(tmp_path, entry, message):
    with pytest.raises(asset_catalogue.CatalogueError, match=re.escape(message)):
        read(tmp_path, my_truck=ENTRY | entry)


def test_a_custom_asset_needs_a_license_and_a_name_of_its_own(tmp_path):
    with pytest.raises(asset_catalogue.CatalogueError, match=r"custom\.my_truck\.licence: missing: name the license"):
        read(tmp_path, my_truck={key: value for key, value in ENTRY.items() if key != "licence"})
    path = tmp_path / "catalogue.yaml"
    cone = {"category": None, "source": "a", "author": "b", "licence": "c"}
    path.write_text(yaml.safe_dump({"assets": {"cone": cone}, "custom": {"cone": ENTRY}}))
    with pytest.raises(asset_catalogue.CatalogueError, match=r"custom\.cone: a built-in asset has this name"):
        asset_catalogue.read_catalogue(path)


def test_entries_come_from_both_sections(tmp_path):
    assert list(read(tmp_path, my_truck=ENTRY).entries_of(["my_truck"])) == ["my_truck"]
    with pytest.raises(asset_catalogue.CatalogueError, match="the catalogue of assets has no entry for zeppelin;"):
        read(tmp_path, my_truck=ENTRY).entries_of(["zeppelin", "my_truck"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"custom: {}\nassets: {}\ncustom: {}", "line 3: the key custom is already in line 1"),
        (
            b"assets: {}\ncustom:\n  a: {file: a.glb}\n  a: {file: b.glb}",
            "line 4: the key custom.a is already in",
        ),
        ("assets: {}".encode("utf-16"), "is in UTF-16"),
        ("assets: {}  # \u00fc".encode("latin-1"), "line 1: is not in UTF-8"),
        (b"", "is empty"),
        (b"# nothing", "catalogue.yaml: has no value; must be keys with values"),
        (b"- assets", "the file = ['assets']: must be keys with values"),
        (b"assets: {}\n---\na: 1", "line 2: a second document begins"),
        (b"assets: {}\nCustom: {}", "line 2: Custom: unknown key; did you mean custom?"),
        (b"assets: {}\ncustom: [a.glb]", "line 2: custom = ['a.glb']: must be names with values"),
        (b"assets: {}\ncustom: {My Truck: {file: a.glb, category: null, licence: x}}", "up to 40 lower-case letters"),
        (
            b"assets: {}\ncustom: {a: {fiel: a.glb, category: null, licence: x}}",
            "fiel: unknown key; did you mean file",
        ),
        (
            b"assets: {}\ncustom: {a: {file: a.glb, category: null, license: x}}",
            "unknown key; did you mean licence",
        ),
        (b"assets: {}\ncustom: {a: }", "custom.a: has no value; must be keys with values"),
    ],
)
def test_a_file_that_is_no_catalogue_is_one_line(tmp_path, content, message):
    path = tmp_path / "catalogue.yaml"
    path.write_bytes(content)
    with pytest.raises(asset_catalogue.CatalogueError, match=re.escape(message)) as refused:
        asset_catalogue.read_catalogue(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


SCALARS = st.sampled_from([None, True, 5, -1, 0.5, float("nan"), 2**70, "", "pallet_truck", "+x", "y", "a.glb", "\x85"])
ENTRIES = st.dictionaries(
    st.sampled_from([*asset_catalogue.CustomAsset.model_fields, "license", "scale"]) | st.text(max_size=4),
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2),
)


@settings(max_examples=examples(500))
@given(st.dictionaries(st.sampled_from(["a", "cone", "Big Truck", "1"]), ENTRIES | SCALARS, max_size=3) | SCALARS)
def test_any_entries_are_a_catalogue_or_an_error_with_one_line_for_each_wrong_key(custom):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalogue.yaml")
        path.write_text(dump_yaml({"assets": {}, "custom": custom}))
        try:
            asset_catalogue.read_catalogue(path)
        except asset_catalogue.CatalogueError as refused:
            lines = str(refused).splitlines()
            assert all(line.startswith((str(path), "and ")) for line in lines)
            assert len(set(lines)) == len(lines) <= 11
