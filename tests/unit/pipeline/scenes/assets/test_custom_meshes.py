# SPDX-License-Identifier: Apache-2.0
"""The user's own meshes on their way through the pipeline, still without Blender."""

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


def catalogue_of(**own) -> Catalogue:
    return Catalogue.model_validate({"assets": {}, "custom": own})


def measured(name: str, category: str | None, size_m=(1.5, 0.6, 1.2), stands=("free",)) -> CustomMesh:
    parameters = CustomMeshParameters(
        file=f"{name}.glb", sha256={}, metres_per_unit=1, up="y", forward="+x", opaque=True, size_m=size_m
    )
    return CustomMesh(asset=name, category=category, stands=stands, parameters=parameters, triangles=12)


OWN = (
    measured("my_truck", "pallet_truck", stands=("free", "row", "beside", "rack")),
    measured("my_worker", "pedestrian", (0.5, 0.6, 1.8)),
    measured("my_cart", None, (1.0, 0.7, 1.0)),
)


def imported(scene: Scene) -> list[CustomObject]:
    return [scene_object for scene_object in scene.objects if isinstance(scene_object, CustomObject)]


def test_files_are_found_and_hashed_with_all_that_belongs_to_them(tmp_path):
    (tmp_path / "cart").mkdir()
    for name in ("a.gltf", "a.bin", "ab.bin", "cart/cart.obj", "cart/cart.mtl", "cart/paint.png"):
        (tmp_path / name).write_text(name)
    entry = {"category": "pallet_truck", "licence": "own work"}
    mine = catalogue_of(
        a=entry | {"file": "a.gltf", "up": "z"}, cart=entry | {"file": "cart/cart.obj", "category": None}
    )
    found = custom_meshes.unmeasured_meshes(mine, tmp_path)
    assert list(found["a"].parameters.sha256) == ["a.gltf", "a.bin"]
    assert found["a"].parameters.sha256["a.bin"] == hashlib.sha256(b"a.bin").hexdigest()
    assert list(found["cart"].parameters.sha256) == ["cart/cart.obj", "cart/cart.mtl", "cart/paint.png"]
    assert (found["a"].parameters.up, found["a"].parameters.opaque) == ("z", True)
    assert (found["cart"].parameters.up, found["cart"].parameters.opaque) == ("y", False)
    (tmp_path / "a.gltf").unlink()
    with pytest.raises(CatalogueError, match=r"custom\.a\.file: .*a\.gltf: No such file"):
        custom_meshes.unmeasured_meshes(mine, tmp_path)


def test_what_a_config_leaves_out_is_not_asked_for(tmp_path):
    (tmp_path / "a.glb").touch()
    mine = catalogue_of(a={"file": "a.glb", "category": "pallet_truck", "licence": "own work"})
    assert list(custom_meshes.meshes_for_config(mine, Config(), tmp_path)) == ["a"]
    assert not custom_meshes.meshes_for_config(mine, Config(trucks={"custom_share": 0}), tmp_path)


def test_a_file_that_is_no_measurement_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(CatalogueError, match=r"a\.json: no measured asset"):
        custom_meshes.read_measured_meshes([tmp_path / "a.json"])


def test_own_meshes_stand_in_images_as_often_as_the_config_says():
    busy = {
        "people": {"count": 3, "custom_share": 1},
        "goods": {"lookalikes": 2, "custom_share": 1},
        "layout": {"empty": 0},
    }
    places = {"free": 1, "row": 1, "rack": 1, "beside": 1}
    config = Config(**busy | {"trucks": {"count": 3, "custom_share": 1, "places": places}})
    config = config.model_copy(update={"people": config.people.model_copy(update={"working_pairs": 0})})
    seen = [scene_object for index in range(IMAGES) for scene_object in sample_scene(config, index, OWN).objects]
    labelled = [scene_object for scene_object in seen if scene_object.category]
    assert len(labelled) == IMAGES * 6
    assert {(scene_object.asset, scene_object.category) for scene_object in labelled} == {
        ("my_truck", "pallet_truck"),
        ("my_worker", "pedestrian"),
    }
    assert all(scene_object.instance_id for scene_object in labelled)
    carts = [scene_object for scene_object in seen if scene_object.asset == "my_cart"]
    assert len(carts) >= IMAGES
    assert not any(scene_object.instance_id for scene_object in carts)


def test_without_own_meshes_or_with_a_share_of_none_nothing_changes():
    config = Config()
    none = Config(people={"custom_share": 0}, trucks={"custom_share": 0}, goods={"custom_share": 0})
    for index in range(2):
        plain = sample_scene(config, index)
        assert not imported(plain)
        assert not imported(sample_scene(none, index, OWN))
        assert sample_scene(none, index) == plain


def test_records_with_own_meshes_are_read_back_the_same():
    mine = custom_meshes.make_custom_object(OWN[0], rear_m=-0.14)
    assert mine.position_m[0] == pytest.approx(1.5 / 2 - 0.14)
    assert local_boxes(mine).total_bounds_m == pytest.approx((-0.75, -0.3, 0, 0.75, 0.3, 1.2))
    scene = records.record(objects=(records.truck(), mine))
    assert Scene.model_validate_json(scene.model_dump_json()) == scene
    with pytest.raises(ValueError, match="zeppelin"):
        Scene.model_validate(
            scene.model_dump() | {"objects": [mine.model_dump() | {"asset": "zeppelin", "parameters": {}}]}
        )


def test_a_share_is_drawn_only_where_something_fits(monkeypatch):
    class Never:
        def random(self):
            pytest.fail("drawn")

    assert custom_meshes.draw_custom_mesh(Never(), OWN, 0.5, "pallet_truck", "pallet") is None
    assert custom_meshes.draw_custom_mesh(Never(), OWN[:1], 0.5, None) is None
    assert not isinstance(custom_meshes.make_custom_object(OWN[2]), Prop)
