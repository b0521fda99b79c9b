# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of the user's own, really rendered: its mask passes pipeline's audit, and carries the user's name."""

from blender import imported, measure_asset, shard
from pipeline import annotations, audit, config, own_assets, runs, shards
from pipeline.catalogue import Catalogue
from tests import records
from tests.blender import own_files


def test_an_own_truck_and_an_own_person_are_labelled_and_proven(tmp_path, monkeypatch):
    own_files.truck_file(tmp_path / "mine.glb")
    monkeypatch.setattr(imported, "ASSETS", tmp_path)
    entries = {
        "my_truck": {"file": "mine.glb", "category": "pallet_truck", "licence": "own work"},
        "my_worker": {"file": "mine.glb", "category": "pedestrian", "licence": "own work", "metres_per_unit": 1.2},
        "my_cart": {"file": "mine.glb", "category": None, "licence": "own work"},
    }
    asked = own_assets.asked_for(Catalogue.model_validate({"assets": {}, "own": entries}), tmp_path)
    measured = [measure_asset.measure(each.model_dump(mode="json"), tmp_path) for each in asked.values()]
    own = [own_assets.OwnThing.model_validate(each) for each in measured]
    places = ((-0.6, 0.4, 0.0), (0.9, 1.2, 0.0), (0.0, 3.0, 0.0))
    things = [
        own_assets.as_thing(each, each.asset).model_copy(
            update={"position_m": place, "yaw_deg": 40.0, "instance_id": number * (each.category is not None)}
        )
        for number, (each, place) in enumerate(zip(own, places, strict=True), 1)
    ]
    made = records.record(0, tuple(things), 160, 120)
    made = made.model_copy(update={"render": made.render.model_copy(update={"samples": 4, "proof": True})})
    shard.render([made.model_dump(mode="json")], tmp_path / "00000", "cpu", 1)
    data = config.Data(name="t", seed=0, pictures=1, shard_size=1)
    (record,) = shards.read_records(tmp_path / "00000", 0, data)
    ids = shards.read_ids(tmp_path / "00000", record)
    silhouettes = shards.read_silhouettes(tmp_path / "00000", record)
    found = runs.of_id_map(ids)
    assert not list(audit.check_map(record, {number: runs.area(each) for number, each in found.items()}))
    assert not audit.check_silhouettes(record, ids, silhouettes)[0]
    visible = runs.encode(found, *ids.shape)
    truck, person = annotations.annotate(record, visible, silhouettes, config.LabelSection())
    assert (truck["asset"], truck["category_id"]) == ("my_truck", 2)
    assert (person["asset"], person["category_id"]) == ("my_worker", 1)
    assert person["keypoints"] == [0] * 51
    assert person["num_keypoints"] == 0
    assert "keypoints" not in truck
    assert min(truck["area"], person["area"]) > 300
    assert record.instances[1].proven
