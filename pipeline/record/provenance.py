# SPDX-License-Identifier: Apache-2.0
"""The provenance of a data set: the content of `scenes/<k>.json` and of `annotations/provenance.json`.

It also reads `shards/<k>/shard.json`, the provenance of a shard, which `blender/` writes.

These files hold nothing that differs from run to run: the same config and versions give the same bytes.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import pipeline
from pipeline.common.errors import CaristeError
from pipeline.common.file_hash import sha256_of
from pipeline.record import asset_catalogue
from pipeline.record.scene import GENERATOR_VERSION, Scene, read_rendered_scenes, shard_folder_name

AssetTable = dict[str, dict[str, str | None]]  # name -> category, source, author, licence, and file of a custom asset


class ProvenanceError(CaristeError):
    """A provenance file that is missing or cannot be read; the message names the file and what to do."""


class _ProvenanceModel(BaseModel):
    """The keys of a provenance file that the pipeline reads; a file may have more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SceneProvenance(_ProvenanceModel):
    """Content of `scenes/<k>.json`."""

    dataset_seed: int
    generator_version: int
    assets: AssetTable


class ShardInfo(_ProvenanceModel):
    """Content of `shard.json`.

    `files` maps the name of every other file of the shard to its sha256. `made_by` is null if the shard was rendered
    without `--provenance`.
    """

    images: int
    versions: dict[str, str]
    made_by: SceneProvenance | None
    files: dict[str, str]


class FileChecksum(_ProvenanceModel):
    """A file, relative to the folder of the data set, and the hash of its content."""

    file: str
    sha256: str


class SplitInfo(FileChecksum):
    """The COCO file of a split, and how many images and annotations it holds."""

    images: int
    annotations: int


class AnnotationProvenance(_ProvenanceModel):
    """Content of `annotations/provenance.json`; `shards` maps the name of a shard to the `digest` of its files."""

    seed: int
    generator_version: int
    assets: AssetTable
    splits: dict[str, SplitInfo]
    audit: FileChecksum
    shards: dict[str, str]


Model = TypeVar("Model", bound=_ProvenanceModel)


def describe_scenes(config: dict[str, Any], scenes: Iterable[Scene]) -> dict[str, Any]:
    """Return the provenance of scene records: version, seed, config, the assets they show.

    `config`: the part of the config that the stage was given, as plain values.

    Raises:
        asset_catalogue.CatalogueError: the catalogue has no entry for an asset.
    """
    return {
        "cariste": pipeline.__version__,
        "dataset_seed": config["data"]["seed"],
        "generator_version": GENERATOR_VERSION,
        "config": config,
        "assets": _asset_entries(scenes),
    }


def describe_annotations(
    config: dict[str, Any],
    shard_count: int,
    shards_dir: Path,
    annotations_dir: Path,
    counts: dict[str, tuple[int, int]],
) -> dict[str, Any]:
    """Return the provenance of annotations: config, versions, assets, shards, and the annotation files with hashes.

    Args:
        config: the part of the config that the stage was given, as plain values.
        shard_count: of the data set; other folders in `shards_dir` are ignored.
        shards_dir: holds one folder per shard.
        annotations_dir: holds the COCO file `<split>.json` of each split and `audit.json`.
        counts: split -> (images, annotations).

    Raises:
        ProvenanceError: the `shard.json` of a shard is missing or incomplete.
    """
    versions, assets, digests = [], [], {}
    for name in map(shard_folder_name, range(shard_count)):
        # One shard at a time: the file tables of a million images do not fit in memory.
        info = read_provenance(shards_dir / name / "shard.json", ShardInfo)
        versions.append(info.versions)
        assets.append(_assets_of_shard(shards_dir / name, info))
        digests[name] = digest(info.files)
    return {
        "cariste": pipeline.__version__,
        "config": config,
        "seed": config["data"]["seed"],
        "generator_version": GENERATOR_VERSION,
        "versions": _merge_versions(versions),
        "assets": merge_assets(assets),
        "splits": {split: _split_entry(annotations_dir / f"{split}.json", *counts[split]) for split in counts},
        "audit": _file_entry(annotations_dir / "audit.json"),
        "shards": digests,
    }


def read_provenance(path: Path, model: type[Model]) -> Model:
    """Read a `shard.json` as ShardInfo, or an `annotations/provenance.json` as AnnotationProvenance.

    Raises:
        ProvenanceError: the file is missing, truncated, or has another format.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ProvenanceError(f"{path}: cannot be read: {error.strerror}; create it again") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, message = ".".join(map(str, first["loc"])) or "the file", first["msg"].lower()
        raise ProvenanceError(
            f"{path}: {key}: {message}; another version may have written it, create it again"
        ) from None


def _assets_of_shard(shard_dir: Path, info: ShardInfo) -> AssetTable:
    """Return the asset table of a shard; if it was rendered without `--provenance`, its records give the assets."""
    if info.made_by is not None:
        return info.made_by.assets
    return _asset_entries(record.scene for record in read_rendered_scenes(shard_dir / "scenes.jsonl"))


def _asset_entries(scenes: Iterable[Scene]) -> AssetTable:
    names = {scene_object.asset for scene in scenes for scene_object in scene.objects}
    entries = asset_catalogue.read_catalogue().entries_of(names)
    return {name: asset.provenance_entry() for name, asset in entries.items()}


def digest(files: dict[str, str]) -> str:
    """Return one sha256 for the table file name -> sha256 of a shard: the hash of the table as sorted compact JSON."""
    return hashlib.sha256(json.dumps(files, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def merge_assets(tables: Iterable[AssetTable]) -> AssetTable:
    """Merge asset tables, sorted by name. Where tables disagree on a value, all values are kept, joined by " / ".

    Tables disagree if the catalogue was edited between two renderings of the same data set.
    """
    values_of_asset: dict[str, dict[str, set]] = defaultdict(lambda: defaultdict(set))
    for table in tables:
        for name, entry in table.items():
            for key, value in entry.items():
                values_of_asset[name][key].add(value)
    return {
        name: {key: _join_values(values) for key, values in values_of_key.items()}
        for name, values_of_key in sorted(values_of_asset.items())
    }


def _join_values(values: set[str | None]) -> str | None:
    return " / ".join(sorted(map(str, values))) if len(values) > 1 else next(iter(values))


def _merge_versions(tables: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    """Return name -> sorted list of all versions that occur."""
    versions_of_name: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for name, version in table.items():
            versions_of_name[name].add(version)
    return {name: sorted(versions) for name, versions in sorted(versions_of_name.items())}


def _split_entry(path: Path, images: int, annotations: int) -> dict[str, Any]:
    return {**_file_entry(path), "images": images, "annotations": annotations}


def _file_entry(path: Path) -> dict[str, str]:
    return {"file": f"annotations/{path.name}", "sha256": sha256_of(path)}
