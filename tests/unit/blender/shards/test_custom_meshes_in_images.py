# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered custom meshes: their masks pass the audit, and their annotations carry the user's names."""

from blender import measure
from blender.mesh import custom_mesh
from blender.shards import render_shard
from pipeline.coco import rle
from pipeline.config import config
from pipeline.labelling import annotations, audit, shard_reader
from pipeline.record.asset_catalogue import Catalogue
from pipeline.scenes.assets import custom_meshes
from tests.helpers import mesh_files, records


def test_custom_trucks_and_people_are_labeled_and_verified(tmp_path, monkeypatch):
    mesh_files.truck_file(tmp_path / "mine.glb")
    monkeypatch.setattr(custom_mesh, "ASSETS_FOLDER", tmp_path)
    entries = {
        "my_truck": {"file": "mine.glb", "category": "pallet_truck", "licence": "own work"},
        "my_worker": {"file": "mine.glb", "category": "pedestrian", "licence": "own work", "metres_per_unit": 1.2},
        "my_cart": {"file": "mine.glb", "category": None, "licence": "own work"},
    }
    asked = custom_meshes.unmeasured_meshes(Catalogue.model_validate({"assets": {}, "custom": entries}), tmp_path)
    measured = [measure.measure_asset(each.model_dump(mode="json"), tmp_path) for each in asked.values()]
    own = [custom_meshes.CustomMesh.model_validate(each) for each in measured]
    places = ((-0.6, 0.4, 0.0), (0.9, 1.2, 0.0), (0.0, 3.0, 0.0))
    things = [
        custom_meshes.make_custom_object(each, each.asset).model_copy(
            update={"position_m": place, "yaw_deg": 40.0, "instance_id": number * (each.category is not None)}
        )
        for number, (each, place) in enumerate(zip(own, places, strict=True), 1)
    ]
    made = records.record(0, tuple(things), 160, 120)
    made = made.model_copy(update={"render": made.render.model_copy(update={"samples": 4, "verify": True})})
    render_shard.render_shard([made.model_dump(mode="json")], tmp_path / "00000", "cpu", 1)
    data = config.DataSection(name="t", seed=0, images=1, shard_size=1)
    (record,) = shard_reader.read_records(tmp_path / "00000", 0, data)
    ids = shard_reader.read_instance_map(tmp_path / "00000", record)
    silhouettes = shard_reader.read_silhouettes(tmp_path / "00000", record)
    found = rle.pixel_ranges_by_instance(ids)
    assert not list(audit.check_instance_ids(record, {number: rle.pixel_count(each) for number, each in found.items()}))
    assert not audit.check_silhouettes(record, ids, silhouettes)[0]
    visible = rle.encode_rles(found, *ids.shape)
    truck, person = annotations.annotation_entries(record, visible, silhouettes, config.LabelSection())
    assert (truck["asset"], truck["category_id"]) == ("my_truck", 2)
    assert (person["asset"], person["category_id"]) == ("my_worker", 1)
    assert person["keypoints"] == [0] * 51
    assert person["num_keypoints"] == 0
    assert "keypoints" not in truck
    assert min(truck["area"], person["area"]) > 300
    assert record.instances_by_id[1].verified
