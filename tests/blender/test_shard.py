# SPDX-License-Identifier: GPL-3.0-or-later
"""Real renders of tiny shards, and what is planted to go wrong in them."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from blender import passes, render
from pipeline import scene
from tests import records


def write(path, *made):
    path.write_text("".join(record.model_dump_json() + "\n" for record in made))
    return path


def read_ids(shard, index):
    return cv2.imread(str(shard / "instances" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """A rendered shard of two pictures: one truck; two trucks of which the second is half hidden."""
    folder = tmp_path_factory.mktemp("shard")
    two = (records.truck(1), records.truck(2, (0.12, 1.6, 0.0)))
    scenes = write(folder / "scenes.jsonl", records.record(5), records.record(6, two))
    render.render_shard(scenes, folder / "00001", "cpu", 1)
    return folder / "00001"


def test_a_shard_holds_pictures_ids_records_and_facts(shard):
    for index in (5, 6):
        picture = cv2.imread(str(shard / "images" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (72, 96, 3)
        assert picture.std() > 5  # not black, not white
        assert read_ids(shard, index).dtype == np.uint16
    lines = scene.read_rendered(shard / "scenes.jsonl")
    assert [line.scene.index for line in lines] == [5, 6]
    facts = json.loads((shard / "shard.json").read_text())
    assert facts["device"] == "CPU"
    assert facts["pictures"] == 2
    assert set(facts["seconds"]) == {"build", "sync", "sample", "save", "decode", "total"}
    assert not list(shard.parent.glob(".*"))


def test_what_was_measured_is_what_the_ids_show(shard):
    one, two = (line.measured.instances for line in scene.read_rendered(shard / "scenes.jsonl"))
    assert one[0].visible_pixels == np.count_nonzero(read_ids(shard, 5) == 1) > 100
    assert one[0].distance_m == pytest.approx(3.2, abs=0.3)
    assert not one[0].truncated
    # Nothing hides the first truck; its whole silhouette is what is seen, but for the pixels at the edge.
    assert one[0].visible_pixels / one[0].whole_pixels > 0.85
    assert two[1].visible_pixels < 0.8 * two[1].whole_pixels


def test_the_same_record_gives_the_same_bytes(shard, tmp_path):
    scenes = write(tmp_path / "scenes.jsonl", records.record(5))
    render.render_shard(scenes, tmp_path / "again", "cpu", 2)
    for folder in ("images", "instances"):
        name = f"{folder}/000005.png"
        assert (tmp_path / "again" / name).read_bytes() == (shard / name).read_bytes()


def test_an_object_cut_by_the_frame_is_truncated_and_a_hidden_one_explained(tmp_path):
    cut, hidden = records.truck(1, (-1.9, -1.2, 0.0)), records.truck(2, (0.4, 2.5, 0.0))
    wall = records.carton((1.6, 0.4, 1.6), (0.5, 0.5, 0.0))
    scenes = write(tmp_path / "scenes.jsonl", records.record(0, (cut, hidden, wall)))
    render.render_shard(scenes, tmp_path / "00000", "cpu", 1)
    first, second = scene.read_rendered(tmp_path / "00000" / "scenes.jsonl")[0].measured.instances
    assert first.truncated
    assert second.visible_pixels == 0
    assert second.whole_pixels > 30


def _fails(tmp_path, record_text, reason):
    (tmp_path / "scenes.jsonl").write_text(record_text)
    with pytest.raises(render.ShardError, match=reason):
        render.render_shard(tmp_path / "scenes.jsonl", tmp_path / "00000", "cpu", 1)
    assert not (tmp_path / "00000").exists()


def test_an_unknown_asset_names_the_picture(tmp_path):
    text = records.record(3).model_dump_json().replace('"asset":"carton"', '"asset":"balloon"')
    _fails(tmp_path, text, "picture 3: carton: unknown asset 'balloon'")


def test_two_objects_with_one_id_are_refused(tmp_path):
    twins = (records.truck(1), records.truck(1, (1.5, 0.0, 0.0)))
    _fails(tmp_path, records.record(4, twins).model_dump_json(), "picture 4: truck_1: .* taken")


def test_an_empty_mask_that_should_be_visible_is_an_error(tmp_path, monkeypatch):
    real = passes.read

    def blind(path, instance_ids):
        read = real(path, instance_ids)
        return dataclasses.replace(read, ids=np.zeros_like(read.ids))

    monkeypatch.setattr(passes, "read", blind)
    _fails(tmp_path, records.record(8).model_dump_json(), "picture 8: instance 1 has no pixel, yet the camera sees")


def test_a_missing_body_mesh_is_an_error_with_the_picture(tmp_path, monkeypatch):
    from blender import trucks

    def broken(parameters, library):
        raise FileNotFoundError("assets/truck.glb is missing")

    monkeypatch.setitem(render.scene.BUILDERS, "hand_pallet_truck", broken)
    assert trucks.build is not broken
    _fails(tmp_path, records.record(9).model_dump_json(), "picture 9: FileNotFoundError: assets/truck.glb is missing")


def test_a_half_grown_shard_of_a_killed_run_is_thrown_away(tmp_path):
    growing = tmp_path / ".00000.growing"
    growing.mkdir()
    (growing / "images").mkdir()
    (growing / "images" / "000099.png").write_bytes(b"half")
    render.render_shard(write(tmp_path / "scenes.jsonl", records.record(0)), tmp_path / "00000", "cpu", 1)
    assert [path.name for path in (tmp_path / "00000" / "images").iterdir()] == ["000000.png"]
    assert not growing.exists()
