# SPDX-License-Identifier: GPL-3.0-or-later
"""Read scene records: from the stage sample, from a shard, or a single one.

A scene record is a dict with the fields of `Scene` (pipeline/record/scene.py).
"""

import json
from pathlib import Path

from blender.common.errors import CaristeError


class RecordError(CaristeError):
    """A file that does not hold the requested scene record."""


def read_records(path: Path) -> list[dict]:
    """Read all scene records of a file.

    `path` holds one record in JSON, or JSON lines. A line is a record, or a line of a shard's `scenes.jsonl` with the
    record under "scene".

    Raises:
        RecordError: the file cannot be read, is not JSON, or holds something that is no scene record.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise RecordError(f"{path}: no scene records: not text in UTF-8") from None
    try:
        values = [json.loads(text)]
    except (json.JSONDecodeError, RecursionError):
        values = [_parse_line(path, number, line) for number, line in enumerate(text.splitlines(), 1)]
    records = [value.get("scene", value) if isinstance(value, dict) else {} for value in values]
    for number, record in enumerate(records, 1):
        if not {"index", "render", "camera", "objects"} <= set(record):
            raise RecordError(
                f"{path}, line {number}: no scene record, which has the keys index, render, camera and objects"
            )
    if not records:
        raise RecordError(f"{path}: no record in it")
    return records


def _parse_line(path: Path, number: int, line: str) -> dict:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RecordError(f"{path}, line {number}: no JSON: {error}") from error


def read_record(path: Path, index: int | None) -> dict:
    """Read the record of image `index`, or with None the only record of a file.

    Raises:
        RecordError: as in `read_records`; or there is no such image, or the file holds several and `index` is None.
    """
    records = read_records(path)
    matching = [record for record in records if index in (None, record["index"])]
    if len(matching) != 1:
        available = f"{records[0]['index']} to {records[-1]['index']}" if len(records) > 1 else records[0]["index"]
        problem = "choose one with --index" if index is None else f"not image {index}"
        raise RecordError(f"{path} holds {len(records)} records (images {available}): {problem}")
    return matching[0]
