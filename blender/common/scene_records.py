# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene records from files: as `pipeline.scenes.sample` writes them, as a shard keeps them, or one by itself."""

import json
from pathlib import Path

from blender.common.errors import CaristeError


class RecordError(CaristeError):
    """A file that does not hold the record that is asked for."""


def read_records(path: Path) -> list[dict]:
    """Read scene records (dicts of pipeline's `Scene`).

    `path` is a file of JSON lines, each a record or a shard's line with its "scene", or of one record in JSON.

    Raises:
        RecordError: cannot be read, no JSON, no scene record; names the file and the line.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from error
    try:
        found = [json.loads(text)]
    except json.JSONDecodeError:
        found = [_line(path, number, line) for number, line in enumerate(text.splitlines(), 1)]
    records = [value.get("scene", value) if isinstance(value, dict) else {} for value in found]
    for number, record in enumerate(records, 1):
        if not {"index", "render", "camera", "objects"} <= set(record):
            raise RecordError(f"{path}, line {number}: no scene record: index, render, camera and objects are missing")
    if not records:
        raise RecordError(f"{path}: no record in it")
    return records


def _line(path: Path, number: int, line: str) -> dict:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}, line {number}: no JSON: {error}") from error


def read_record(path: Path, index: int | None) -> dict:
    """Read the record of image `index`; with None the file's only record.

    Raises:
        RecordError: see `read_records`; no such image, or several without an index to choose.
    """
    records = read_records(path)
    chosen = [record for record in records if index in (None, record["index"])]
    if len(chosen) != 1:
        there = f"{records[0]['index']} to {records[-1]['index']}" if len(records) > 1 else str(records[0]["index"])
        wanted = "choose one with --index" if index is None else f"not image {index}"
        raise RecordError(f"{path} holds {len(records)} records (images {there}): {wanted}")
    return chosen[0]
