# SPDX-License-Identifier: Apache-2.0
"""Write JSON files."""

import json
from pathlib import Path
from typing import Any

from pipeline.common import atomic_write


def json_bytes(document: Any) -> bytes:
    """Return `document` as JSON in UTF-8: compact, keys sorted, a newline at the end. Equal documents give equal bytes.

    A byte of a file name that is no text (a lone surrogate in Python) becomes an escape such as `\\udcfc`, which
    `json.loads` reads back.

    Raises:
        ValueError: a NaN or an infinite number, which JSON does not have.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def write_json(path: str | Path, document: Any) -> None:
    """Write `document` as JSON, as a whole."""
    atomic_write.write_bytes(Path(path), json_bytes(document))
