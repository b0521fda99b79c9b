# SPDX-License-Identifier: Apache-2.0
"""Provenance names everything that a data set was made from, and is the same on every run."""

import hashlib
import json
from pathlib import Path

import pytest

import pipeline
from pipeline.common import json_files
from pipeline.common.file_hash import sha256_of
from pipeline.config import config
from pipeline.config.stages import LabelConfig, SampleConfig, read_stage_config
from pipeline.record import asset_catalogue, provenance
from pipeline.record.scene import GENERATOR_VERSION, Measurements, RenderedScene, read_scenes
from tests.helpers import records
from tests.helpers.commands import run_cariste

OUR_ASSET = {"category": None, "source": "modeled", "author": "Cariste", "licence": "CC0-1.0"}
MADE_BY = {"dataset_seed": 5, "generator_version": 1}


def write_shard(folder: Path, index: int, made_by: dict | None, blender: str = "4.5.15") -> dict:
    """Write a shard of one record without images; return the content of its shard.json."""
    folder.mkdir(parents=True)
    rendered = RenderedScene(scene=records.record(index), measured=Measurements(instances=()))
    (folder / "scenes.jsonl").write_text(rendered.model_dump_json() + "\n")
    files = {"scenes.jsonl": sha256_of(folder / "scenes.jsonl")}
    info = {"images": 1, "versions": {"blender": blender}, "made_by": made_by, "files": files}
    (folder / "shard.json").write_text(json.dumps(info))
    return info


def test_scene_sampling_writes_the_same_provenance_twice(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("data: {seed: 3}\npeople: {count: [1, 2]}\nrender: {samples: 2}\n")
    for name in ("a", "b"):
        out = ("--out", tmp_path / f"{name}.jsonl", "--provenance", tmp_path / f"{name}.json")
        assert run_cariste("sample", "--config", path, "--count", 2, *out).exit_code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["config"] == read_stage_config(SampleConfig, path).model_dump(mode="json")
    assert document["cariste"] == pipeline.__version__
    assert (document["dataset_seed"], document["generator_version"]) == (3, GENERATOR_VERSION)
    shown = {scene_object.asset for scene in read_scenes(tmp_path / "a.jsonl") for scene_object in scene.objects}
    assert document["assets"].keys() == shown
    assert document["assets"]["person"] == asset_catalogue.read_catalogue().assets["person"].model_dump()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.jsonl", "b.json", "b.jsonl", "config.yaml"]


def test_an_asset_without_a_catalogue_entry_is_named():
    with pytest.raises(asset_catalogue.CatalogueError, match="zeppelin; add source, author and license"):
        asset_catalogue.read_catalogue().entries_of({"person", "zeppelin"})


def test_annotation_provenance_lists_shards_versions_assets_and_files(tmp_path):
    settings = LabelConfig.from_config(config.validate({"data": {"images": 2, "shard_size": 1, "seed": 5}}))
    first = write_shard(tmp_path / "shards/00000", 0, MADE_BY | {"assets": {"rack": OUR_ASSET}})
    write_shard(tmp_path / "shards/00001", 1, MADE_BY | {"assets": {"column": OUR_ASSET}}, blender="4.5.16")
    write_shard(tmp_path / "shards/00002", 2, MADE_BY | {"assets": {"carton": OUR_ASSET}})
    json_files.write_json(tmp_path / "aside/train.json", {"images": [{"id": 1}, {"id": 2}], "annotations": [{"id": 1}]})
    json_files.write_json(tmp_path / "aside/audit.json", {})
    given = settings.model_dump(mode="json")
    document = provenance.describe_annotations(
        given, settings.data.shards, tmp_path / "shards", tmp_path / "aside", {"train": (2, 1)}
    )
    assert document["config"].keys() == {"data", "label"}
    assert document["seed"] == 5
    assert document["versions"] == {"blender": ["4.5.15", "4.5.16"]}
    assert list(document["assets"]) == ["column", "rack"], "shard 2 belongs to a larger data set"
    sha256 = hashlib.sha256((tmp_path / "aside/train.json").read_bytes()).hexdigest()
    split = {"file": "annotations/train.json", "sha256": sha256, "images": 2, "annotations": 1}
    assert document["splits"] == {"train": split}
    assert document["audit"]["sha256"] == hashlib.sha256(b"{}\n").hexdigest()
    assert document["shards"].keys() == {"00000", "00001"}
    compact = json.dumps(first["files"], separators=(",", ":")).encode()
    assert document["shards"]["00000"] == hashlib.sha256(compact).hexdigest()


def test_a_shard_without_scene_provenance_gets_its_assets_from_its_records(tmp_path):
    settings = LabelConfig.from_config(config.validate({"data": {"images": 1, "shard_size": 1}}))
    write_shard(tmp_path / "00000", 0, None)
    json_files.write_json(tmp_path / "audit.json", {})
    given = settings.model_dump(mode="json")
    document = provenance.describe_annotations(given, settings.data.shards, tmp_path, tmp_path, {})
    assert list(document["assets"]) == ["carton", "hand_pallet_truck"]
    assert document["assets"]["carton"]["licence"] == "CC0-1.0"


def test_the_digest_of_a_file_table_does_not_depend_on_its_order():
    assert provenance.digest({"b": "1", "a": "2"}) == provenance.digest({"a": "2", "b": "1"})
    assert provenance.digest({"b": "1", "a": "2"}) != provenance.digest({"b": "2", "a": "1"})


def test_merged_assets_keep_every_value_that_shards_disagree_on():
    bought_asset = OUR_ASSET | {"licence": "CC-BY-4.0"}
    merged = provenance.merge_assets([{"rack": OUR_ASSET, "person": OUR_ASSET}, {"rack": bought_asset}])
    assert list(merged) == ["person", "rack"]
    assert merged["rack"] == OUR_ASSET | {"licence": "CC-BY-4.0 / CC0-1.0"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        ('{"images": 1', "invalid json"),
        (
            '{"images": 1, "versions": {}, "made_by": null}',
            "files: field required; another version may have written it",
        ),
    ],
)
def test_a_shard_info_that_cannot_be_read_is_named(tmp_path, content, reason):
    path = tmp_path / "shard.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(provenance.ProvenanceError, match=reason) as caught:
        provenance.read_provenance(path, provenance.ShardInfo)
    assert str(path) in str(caught.value)
