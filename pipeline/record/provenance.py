# SPDX-License-Identifier: Apache-2.0
"""What made a data set: the content of `scenes/<k>.json` and of `annotations/provenance.json`.

Both hold nothing that differs from run to run, so the same config and versions give the same bytes.
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
from pipeline.config.config import GENERATOR_VERSION, Config
from pipeline.record import asset_catalogue
from pipeline.record.scene import Scene, read_rendered_scenes, shard_folder_name


class ProvenanceError(CaristeError):
    """What made a shard or the annotations cannot be told; the message names the file and what to do."""


class _ProvenanceModel(BaseModel):
    """What is read back; more keys are allowed."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SceneProvenance(_ProvenanceModel):
    """Of `scenes/<k>.json`; `assets`: name -> category, source, author, licence, file of own ones."""

    dataset_seed: int
    generator_version: int
    assets: dict[str, dict[str, str | None]]


class ShardInfo(_ProvenanceModel):
    """Of `shard.json`; `files`: name -> sha256 of every other file; `made_by` null: rendered without `--provenance`."""

    images: int
    versions: dict[str, str]
    made_by: SceneProvenance | None
    files: dict[str, str]


class FileChecksum(_ProvenanceModel):
    """`file`: relative to the folder of the data set."""

    file: str
    sha256: str


class SplitInfo(FileChecksum):
    images: int
    annotations: int


class AnnotationProvenance(_ProvenanceModel):
    """Of `annotations/provenance.json`; `shards`: name -> `digest` of the files that were labelled."""

    seed: int
    generator_version: int
    assets: dict[str, dict[str, str | None]]
    splits: dict[str, SplitInfo]
    audit: FileChecksum
    shards: dict[str, str]


Model = TypeVar("Told", bound=_ProvenanceModel)


def describe_scenes(settings: Config, scenes: Iterable[Scene]) -> dict[str, Any]:
    """Return what made these records: version, seed, the config as it was given, the assets that occur.

    Raises:
        catalogue.CatalogueError: an asset that the catalogue does not hold.
    """
    return {
        "cariste": pipeline.__version__,
        "dataset_seed": settings.data.seed,
        "generator_version": GENERATOR_VERSION,
        "config": settings.model_dump(mode="json", exclude_unset=True),
        "assets": _asset_entries(scenes),
    }


def describe_annotations(
    settings: Config, shards_dir: Path, annotations_dir: Path, counts: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    """Return what made the annotations: config, the shards and all that occurs in them, and the files themselves.

    `shards` is the folder of the shards that the config names; `written` holds the COCO file `<split>.json` of each of
    `counts`, its (images, annotations), and `audit.json`.

    Raises:
        ProvenanceError: a shard without its `shard.json`, or one that does not name its files.
    """
    versions, assets, digests = [], [], {}
    for name in map(shard_folder_name, range(settings.data.shards)):
        # One at a time: the tables of a million images' files do not fit in memory.
        info = read_provenance(shards_dir / name / "shard.json", ShardInfo)
        versions.append(info.versions)
        assets.append(_assets_of_shard(shards_dir / name, info))
        digests[name] = digest(info.files)
    return {
        "cariste": pipeline.__version__,
        "config": json.loads(settings.only("data", "label")),
        "seed": settings.data.seed,
        "generator_version": GENERATOR_VERSION,
        "versions": _merge_versions(versions),
        "assets": merge_assets(assets),
        "splits": {split: _split_entry(annotations_dir / f"{split}.json", *counts[split]) for split in counts},
        "audit": _file_entry(annotations_dir / "audit.json"),
        "shards": digests,
    }


def read_provenance(path: Path, model: type[Model]) -> Model:
    """Read a `shard.json` as ShardFacts, an `annotations/provenance.json` as AnnotationFacts.

    Raises:
        ProvenanceError: the file is missing, cut off, or of another format.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ProvenanceError(f"{path}: cannot be read: {error.strerror}; make it again") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = ".".join(map(str, first["loc"])) or "the file"
        raise ProvenanceError(
            f"{path}: {location}: {first['msg'].lower()}; of another version? Make it again"
        ) from None


def _assets_of_shard(shard_dir: Path, info: ShardInfo) -> dict[str, dict[str, str | None]]:
    """Return a shard's list of assets; one that was rendered without `--provenance` gets it from its records."""
    if info.made_by is not None:
        return info.made_by.assets
    return _asset_entries(record.scene for record in read_rendered_scenes(shard_dir / "scenes.jsonl"))


def _asset_entries(scenes: Iterable[Scene]) -> dict[str, dict[str, str | None]]:
    asset_names = {scene_object.asset for scene in scenes for scene_object in scene.objects}
    return {
        name: asset.provenance_entry()
        for name, asset in asset_catalogue.read_catalogue().entries_of(asset_names).items()
    }


def digest(files: dict[str, str]) -> str:
    """Return one sha256 for a shard's table of file name -> sha256: of the table as sorted compact JSON."""
    return hashlib.sha256(json.dumps(files, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def merge_assets(lists: Iterable[dict[str, dict[str, str | None]]]) -> dict[str, dict[str, str | None]]:
    """Merge asset lists, sorted by name; where shards tell different things of an asset, all of them are kept.

    A catalogue that was edited between two growths of a data set makes them differ.
    """
    values_of_asset: dict[str, dict[str, set]] = defaultdict(lambda: defaultdict(set))
    for assets in lists:
        for name, entry in assets.items():
            for key, value in entry.items():
                values_of_asset[name][key].add(value)
    return {
        name: {key: _join_values(values) for key, values in entry.items()}
        for name, entry in sorted(values_of_asset.items())
    }


def _join_values(values: set[str | None]) -> str | None:
    return " / ".join(sorted(map(str, values))) if len(values) > 1 else next(iter(values))


def _merge_versions(tables: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    values_of_name: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for name, value in table.items():
            values_of_name[name].add(value)
    return {name: sorted(values) for name, values in sorted(values_of_name.items())}


def _split_entry(path: Path, images: int, annotations: int) -> dict[str, Any]:
    return {**_file_entry(path), "images": images, "annotations": annotations}


def _file_entry(path: Path) -> dict[str, str]:
    return {"file": f"annotations/{path.name}", "sha256": sha256_of(path)}
