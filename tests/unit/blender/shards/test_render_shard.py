# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders of tiny shards, and planted errors."""

import dataclasses
import hashlib
import json
import shutil

import cv2
import numpy as np
import pytest

from blender.cycles import exr_passes
from blender.shards import build_scene, render_shard
from pipeline.record.scene import read_rendered_scenes
from tests.helpers import records

STEPS = ["build", "sync", "sample", "save", "decode", "measure", "verify"]


def render(out, *made, **options):
    render_shard.render_shard([record.model_dump(mode="json") for record in made], out, "cpu", 1, **options)
    return out


def read_ids(folder, index):
    return cv2.imread(str(folder / "instances" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Render two images: one truck; two trucks, the second half hidden, with depth, normals and verification."""
    two = (records.truck(1), records.truck(2, (0.12, 1.6, 0.0)))
    second = records.record(6, two)
    extras = {"depth": "exr", "normals": "png", "verify": True}
    second = second.model_copy(update={"render": second.render.model_copy(update=extras)})
    folder = tmp_path_factory.mktemp("shard") / "00001"
    return render(folder, records.record(5), second, made_by={"cariste": "0.3"})


def test_a_shard_holds_all_specified_files(rendered):
    for index in (5, 6):
        image = cv2.imread(str(rendered / "images" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (72, 96, 3)
        assert image.std() > 5  # not black, not white
        assert read_ids(rendered, index).dtype == np.uint16
    lines = read_rendered_scenes(rendered / "scenes.jsonl")
    assert [line.scene.index for line in lines] == [5, 6]
    files = sorted(path.relative_to(rendered).as_posix() for path in rendered.rglob("*") if path.is_file())
    maps = [f"{kind}/00000{index}.png" for kind in ("images", "instances") for index in (5, 6)]
    silhouettes = ["silhouettes/000005.npz", "silhouettes/000006.npz"]
    assert files == sorted(
        [*maps, *silhouettes, "depth/000006.exr", "normals/000006.png", "scenes.jsonl", "shard.json"]
    )
    assert not list(rendered.parent.glob(".*"))


def test_shard_json_holds_facts_and_hashes(rendered):
    facts = json.loads((rendered / "shard.json").read_text())
    assert facts["device"] == "CPU"
    assert facts["images"] == 2
    assert facts["made_by"] == {"cariste": "0.3"}
    assert list(facts["seconds"]) == [*STEPS, "total"]
    assert [line["index"] for line in facts["seconds_by_image"]] == [5, 6]
    for step in STEPS:
        assert facts["seconds"][step] == pytest.approx(sum(line[step] for line in facts["seconds_by_image"]), abs=1e-6)
    assert facts["seconds_by_image"][0]["verify"] < 0.01 < facts["seconds_by_image"][1]["verify"]
    assert {"blender", "python", "numpy", "openexr"} == set(facts["versions"])
    files = [path for path in rendered.rglob("*") if path.is_file() and path.name != "shard.json"]
    assert facts["files"] == {
        path.relative_to(rendered).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_measurements_agree_with_the_instance_map(rendered):
    one, two = (line.measured.instances for line in read_rendered_scenes(rendered / "scenes.jsonl"))
    assert one[0].visible_pixels == np.count_nonzero(read_ids(rendered, 5) == 1) > 100
    assert one[0].distance_m == pytest.approx(3.2, abs=0.3)
    assert not one[0].truncated
    assert one[0].absent is None
    # Nothing hides the first truck; its whole silhouette is what is seen, but for the pixels at the edge.
    assert one[0].visible_pixels / one[0].amodal_pixels > 0.85
    assert two[1].visible_pixels < 0.8 * two[1].amodal_pixels


def test_silhouettes_are_cropped_to_their_boxes_and_one_is_verified(rendered):
    _, two = (line.measured.instances for line in read_rendered_scenes(rendered / "scenes.jsonl"))
    arrays = np.load(rendered / "silhouettes" / "000006.npz")
    assert set(arrays.files) - {"1_thin", "2_thin"} == {"1", "2", "1_isolated", "1_isolated_any"}, (
        "6 % 2: the first of two"
    )
    assert [instance.verified for instance in two] == [True, False]
    for instance in two:
        mask = arrays[str(instance.instance_id)]
        assert mask.dtype == bool
        assert mask.shape == instance.amodal_box_px[:1:-1]
        assert mask.sum() == instance.amodal_pixels
    assert arrays["1_isolated"].shape == arrays["1_isolated_any"].shape == (72, 96)
    assert set(np.load(rendered / "silhouettes" / "000005.npz").files) - {"1_thin"} == {"1"}


def test_an_image_without_labeled_objects_has_an_empty_silhouettes_file(tmp_path):
    bare = records.record(0, (records.carton((0.4, 0.3, 0.3), (1.0, 0.5, 0.0)),), width=32, height=24)
    bare = bare.model_copy(update={"render": bare.render.model_copy(update={"verify": True})})
    folder = render(tmp_path / "00000", bare)
    assert np.load(folder / "silhouettes" / "000000.npz").files == []
    assert read_rendered_scenes(folder / "scenes.jsonl")[0].measured.instances == ()


def _fails(tmp_path, record_text, reason):
    with pytest.raises(render_shard.RenderShardError, match=reason):
        render_shard.render_shard([json.loads(record_text)], tmp_path / "00000", "cpu", 1)
    assert not list(tmp_path.iterdir())


def test_the_message_for_an_unknown_asset_names_the_image(tmp_path):
    text = records.record(3).model_dump_json().replace('"asset":"carton"', '"asset":"balloon"')
    _fails(tmp_path, text, "image 3: carton: unknown asset 'balloon'")


def test_two_objects_with_one_id_are_refused(tmp_path):
    twins = (records.truck(1), records.truck(1, (1.5, 0.0, 0.0)))
    _fails(tmp_path, records.record(4, twins).model_dump_json(), "image 4: truck_1: .* taken")


def test_an_empty_mask_that_should_be_visible_is_an_error(tmp_path, monkeypatch):
    real = exr_passes.read_passes

    def blind(path, instance_ids):
        read = real(path, instance_ids)
        return dataclasses.replace(read, ids=np.zeros_like(read.ids))

    monkeypatch.setattr(exr_passes, "read_passes", blind)
    _fails(tmp_path, records.record(8).model_dump_json(), "image 8: instance 1 has no pixel, yet the camera sees")


def test_the_message_for_a_missing_file_names_the_image(tmp_path, monkeypatch):
    from blender.trucks import hand_truck

    def broken(parameters, asset_cache):
        raise FileNotFoundError("assets/truck.glb is missing")

    monkeypatch.setitem(build_scene.OBJECT_BUILDERS, "hand_pallet_truck", broken)
    assert hand_truck.build_hand_truck is not broken
    _fails(tmp_path, records.record(9).model_dump_json(), "image 9: FileNotFoundError: assets/truck.glb is missing")


def test_an_incomplete_shard_of_a_killed_run_is_removed(tmp_path):
    growing = tmp_path / ".00000.growing"
    growing.mkdir()
    (growing / "images").mkdir()
    (growing / "images" / "000099.png").write_bytes(b"half")
    render(tmp_path / "00000", records.record(0, width=32, height=24))
    assert [path.name for path in (tmp_path / "00000" / "images").iterdir()] == ["000000.png"]
    assert not growing.exists()


def test_an_existing_shard_is_replaced_and_any_other_folder_is_refused(rendered, tmp_path):
    shutil.copytree(rendered, tmp_path / "00001")
    render(tmp_path / "00001", records.record(7, width=32, height=24))
    assert [path.name for path in (tmp_path / "00001" / "images").iterdir()] == ["000007.png"]
    holiday = tmp_path / "holiday"
    holiday.mkdir()
    (holiday / "beach.jpg").write_bytes(b"sun")
    with pytest.raises(render_shard.RenderShardError, match="holiday exists and is no shard"):
        render(holiday, records.record(7))
    assert (holiday / "beach.jpg").exists()


def test_a_failed_shard_keeps_the_existing_one(rendered, tmp_path):
    shutil.copytree(rendered, tmp_path / "00001")
    broken = json.loads(records.record(3).model_dump_json().replace('"asset":"carton"', '"asset":"balloon"'))
    with pytest.raises(render_shard.RenderShardError):
        render_shard.render_shard([broken], tmp_path / "00001", "cpu", 1)
    assert (tmp_path / "00001" / "images" / "000005.png").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["00001"]
