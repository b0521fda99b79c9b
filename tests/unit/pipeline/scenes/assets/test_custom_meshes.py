# SPDX-License-Identifier: Apache-2.0
"""Custom meshes in the catalogue, in JSON files and in scene records, without Blender."""

import hashlib

import pytest

from pipeline.config.config import Config
from pipeline.record.asset_catalogue import Catalogue, CatalogueError
from pipeline.record.objects import CustomMeshParameters, CustomObject, Prop
from pipeline.record.scene import Scene
from pipeline.scenes.assets import custom_meshes
from pipeline.scenes.assets.custom_meshes import CustomMesh
from pipeline.scenes.geometry.collision_boxes import local_boxes
from pipeline.scenes.sample import sample_scene
from tests.helpers import records

IMAGES = 4


def catalogue_of(**custom) -> Catalogue:
    return Catalogue.model_validate({"assets": {}, "custom": custom})


def measured_mesh(name: str, category: str | None, size_m=(1.5, 0.6, 1.2), stands=("free",)) -> CustomMesh:
    parameters = CustomMeshParameters(
        file=f"{name}.glb", sha256={}, metres_per_unit=1, up="y", forward="+x", opaque=True, size_m=size_m
    )
    return CustomMesh(asset=name, category=category, stands=stands, parameters=parameters, triangles=12)


MESHES = (
    measured_mesh("my_truck", "pallet_truck", stands=("free", "row", "beside", "rack")),
    measured_mesh("my_worker", "pedestrian", (0.5, 0.6, 1.8)),
    measured_mesh("my_cart", None, (1.0, 0.7, 1.0)),
)


def custom_objects(scene: Scene) -> list[CustomObject]:
    return [scene_object for scene_object in scene.objects if isinstance(scene_object, CustomObject)]


def test_a_mesh_is_hashed_with_all_files_that_belong_to_it(tmp_path):
    (tmp_path / "cart").mkdir()
    for name in ("a.gltf", "a.bin", "ab.bin", "cart/cart.obj", "cart/cart.mtl", "cart/paint.png"):
        (tmp_path / name).write_text(name)
    entry = {"category": "pallet_truck", "licence": "own work"}
    catalogue = catalogue_of(
        a=entry | {"file": "a.gltf", "up": "z"}, cart=entry | {"file": "cart/cart.obj", "category": None}
    )
    found = custom_meshes.unmeasured_meshes(catalogue, tmp_path)
    assert list(found["a"].parameters.sha256) == ["a.gltf", "a.bin"]
    assert found["a"].parameters.sha256["a.bin"] == hashlib.sha256(b"a.bin").hexdigest()
    assert list(found["cart"].parameters.sha256) == ["cart/cart.obj", "cart/cart.mtl", "cart/paint.png"]
    assert (found["a"].parameters.up, found["a"].parameters.opaque) == ("z", True)
    assert (found["cart"].parameters.up, found["cart"].parameters.opaque) == ("y", False)
    (tmp_path / "a.gltf").unlink()
    with pytest.raises(CatalogueError, match=r"custom\.a\.file: .*a\.gltf: No such file"):
        custom_meshes.unmeasured_meshes(catalogue, tmp_path)


def test_meshes_that_the_config_excludes_are_not_measured(tmp_path):
    (tmp_path / "a.glb").touch()
    catalogue = catalogue_of(a={"file": "a.glb", "category": "pallet_truck", "licence": "own work"})
    assert list(custom_meshes.unmeasured_meshes_for_config(catalogue, Config(), tmp_path)) == ["a"]
    assert not custom_meshes.unmeasured_meshes_for_config(catalogue, Config(trucks={"custom_share": 0}), tmp_path)


def test_a_json_without_a_measured_mesh_is_an_error(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(CatalogueError, match=r"a\.json: not the JSON of a measured mesh"):
        custom_meshes.read_measured_meshes([tmp_path / "a.json"])


def test_the_config_sets_the_share_of_custom_meshes():
    busy = {
        "people": {"count": 3, "custom_share": 1},
        "goods": {"lookalikes": 2, "custom_share": 1},
        "layout": {"empty": 0},
    }
    places = {"free": 1, "row": 1, "rack": 1, "beside": 1}
    config = Config(**busy | {"trucks": {"count": 3, "custom_share": 1, "places": places}})
    config = config.model_copy(update={"people": config.people.model_copy(update={"working_pairs": 0})})
    seen = [scene_object for index in range(IMAGES) for scene_object in sample_scene(config, index, MESHES).objects]
    labeled = [scene_object for scene_object in seen if scene_object.category]
    assert len(labeled) == IMAGES * 6
    assert {(scene_object.asset, scene_object.category) for scene_object in labeled} == {
        ("my_truck", "pallet_truck"),
        ("my_worker", "pedestrian"),
    }
    assert all(scene_object.instance_id for scene_object in labeled)
    carts = [scene_object for scene_object in seen if scene_object.asset == "my_cart"]
    assert len(carts) >= IMAGES
    assert not any(scene_object.instance_id for scene_object in carts)


def test_without_custom_meshes_or_with_a_share_of_0_records_do_not_change():
    config = Config()
    none = Config(people={"custom_share": 0}, trucks={"custom_share": 0}, goods={"custom_share": 0})
    for index in range(2):
        plain = sample_scene(config, index)
        assert not custom_objects(plain)
        assert not custom_objects(sample_scene(none, index, MESHES))
        assert sample_scene(none, index) == plain


def test_records_with_custom_meshes_are_read_back_equal():
    truck = custom_meshes.make_custom_object(MESHES[0], rear_m=-0.14)
    assert truck.position_m[0] == pytest.approx(1.5 / 2 - 0.14)
    assert local_boxes(truck).total_bounds_m == pytest.approx((-0.75, -0.3, 0, 0.75, 0.3, 1.2))
    scene = records.record(objects=(records.truck(), truck))
    assert Scene.model_validate_json(scene.model_dump_json()) == scene
    with pytest.raises(ValueError, match="zeppelin"):
        Scene.model_validate(
            scene.model_dump() | {"objects": [truck.model_dump() | {"asset": "zeppelin", "parameters": {}}]}
        )


def test_no_random_number_is_drawn_without_a_fitting_mesh(monkeypatch):
    class Never:
        def random(self):
            pytest.fail("drawn")

    assert custom_meshes.draw_custom_mesh(Never(), MESHES, 0.5, "pallet_truck", "pallet") is None
    assert custom_meshes.draw_custom_mesh(Never(), MESHES[:1], 0.5, None) is None
    assert not isinstance(custom_meshes.make_custom_object(MESHES[2]), Prop)
