# SPDX-License-Identifier: Apache-2.0
"""What made a data set: the content of `scenes/<k>.json` and of `annotations/provenance.json`.

Both hold nothing that differs from run to run, so the same config and versions give the same bytes.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pipeline
from pipeline import catalogue
from pipeline.config import GENERATOR_VERSION, Config
from pipeline.scene import Scene, read_rendered, shard_name


class LineageError(Exception):
    """What made a shard cannot be told; the message names the file and what to do."""


def of_scenes(settings: Config, scenes: Iterable[Scene]) -> dict[str, Any]:
    """Return what made these records: version, seed, the config as it was given, the assets that occur.

    Raises:
        catalogue.CatalogueError: an asset that the catalogue does not hold.
    """
    return {
        "cariste": pipeline.__version__,
        "dataset_seed": settings.data.seed,
        "generator_version": GENERATOR_VERSION,
        "config": settings.model_dump(mode="json", exclude_unset=True),
        "assets": _described(scenes),
    }


def of_annotations(
    settings: Config, shards: Path, written: Path, documents: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return what made the annotations: config, the shards and all that occurs in them, and the files themselves.

    `shards` is the folder of the shards that the config names, `written` holds the file `<split>.json` of each of the
    COCO `documents`.

    Raises:
        LineageError: a shard without its `shard.json`, or one that does not name its files.
    """
    names = [shard_name(number) for number in range(settings.data.shards)]
    facts = {name: read_shard(shards / name / "shard.json") for name in names}
    return {
        "cariste": pipeline.__version__,
        "config": json.loads(settings.only("data", "label")),
        "seed": settings.data.seed,
        "generator_version": GENERATOR_VERSION,
        "versions": _all_that_occur(shard["versions"] for shard in facts.values()),
        "assets": merge_assets(_assets(shards / name, shard) for name, shard in facts.items()),
        "splits": {split: _of_split(written / f"{split}.json", document) for split, document in documents.items()},
        "shards": {name: digest(shard["files"]) for name, shard in facts.items()},
    }


def read_shard(path: Path) -> dict[str, Any]:
    """Read a `shard.json`, which must hold at least `pictures`, `versions`, `files` and `made_by` (perhaps null).

    Raises:
        LineageError: the file is missing, cut off, or one of an older format.
    """
    try:
        facts = json.loads(path.read_text())
        missing = [key for key in ("pictures", "versions", "files", "made_by") if key not in facts]
    except FileNotFoundError:
        raise LineageError(f"{path} is missing; render the shard again") from None
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
        raise LineageError(f"{path}: not JSON: {error}; render the shard again") from None
    if missing:
        raise LineageError(f"{path}: has no {', '.join(missing)}: of an older format? Render the shard again")
    return facts


def _assets(shard: Path, facts: dict[str, Any]) -> dict[str, dict[str, str | None]]:
    """Return a shard's list of assets; one that was rendered without `--provenance` gets it from its records."""
    if facts["made_by"]:
        return facts["made_by"]["assets"]
    return _described(record.scene for record in read_rendered(shard / "scenes.jsonl"))


def _described(scenes: Iterable[Scene]) -> dict[str, dict[str, str | None]]:
    occurring = {thing.asset for scene in scenes for thing in scene.objects}
    return {name: asset.model_dump() for name, asset in catalogue.read().describe(occurring).items()}


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
    seen: dict[str, dict[str, set]] = defaultdict(lambda: defaultdict(set))
    for assets in lists:
        for name, facts in assets.items():
            for key, value in facts.items():
                seen[name][key].add(value)
    return {name: {key: _joined(values) for key, values in facts.items()} for name, facts in sorted(seen.items())}


def _joined(values: set[str | None]) -> str | None:
    return " / ".join(sorted(map(str, values))) if len(values) > 1 else next(iter(values))


def _all_that_occur(tables: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    seen: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for name, value in table.items():
            seen[name].add(value)
    return {name: sorted(values) for name, values in sorted(seen.items())}


def _of_split(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": f"annotations/{path.name}",
        "sha256": sha256_of(path),
        "pictures": len(document["images"]),
        "annotations": len(document["annotations"]),
    }
