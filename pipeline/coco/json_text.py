# SPDX-License-Identifier: Apache-2.0
"""Read JSON that was saved in any text encoding."""

import codecs
import json
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.coco import foreign_formats
from pipeline.coco.entries import CocoError
from pipeline.coco.findings import Findings
from pipeline.common import path_checks

# The longer marks first: that of UTF-32 begins with that of UTF-16.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# JSON begins with an ASCII character, so the zeros among the first bytes tell the encoding.
ZEROS_OF_ENCODINGS = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        CocoError: missing, a folder, a pipe, empty, no permission.
    """
    try:
        problem = path_checks.text_problem(str(path)) or path_checks.input_file_problem(path)
        if problem is None:
            return path.read_bytes()
        if path.is_dir():
            files = sorted(path.glob("*.json"))[:3]
            problem += "; it holds " + ", ".join(file.name for file in files) if files else ""
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise CocoError(f"{path_checks.shown(path)}: {problem}")


def parse_json(content: bytes, findings: Findings) -> Any:
    """Return the document. A key that an object has twice is a problem.

    Raises:
        CocoError: not JSON; the message says what it seems to be instead, or the line.
    """
    where = path_checks.shown(findings.path)
    if kind := foreign_formats.describe_content(content):
        raise CocoError(f"{where}: seems to be {kind}")
    text = _decode(content, findings)
    repeated: set[str] = set()

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            repeated.update(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return values

    try:
        document = json.loads(text, object_pairs_hook=to_object)
    except json.JSONDecodeError as error:
        raise CocoError(f"{where}: not JSON: {_describe_syntax(error)}") from None
    except RecursionError:
        raise CocoError(f"{where}: not COCO: lists or objects are nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise CocoError(f"{where}: not COCO: {error}") from None
    for key in sorted(repeated):
        findings.refuse(f"the key {key!r} stands twice in an object; only one of its values could be read")
    return document


def _decode(content: bytes, findings: Findings) -> str:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    encoding = encoding or ZEROS_OF_ENCODINGS.get(tuple(byte == 0 for byte in content[:4]), "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        findings.assume("the file is not in UTF-8: read as Windows-1252 (Latin-1)")
        return content.decode("cp1252", "replace")
    if encoding != "utf-8-sig":
        findings.assume(f"the file is in {encoding.upper()}, not in UTF-8: read so")
    return text


def _describe_syntax(error: json.JSONDecodeError) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    before = error.doc[: error.pos].rstrip()
    after = error.doc[error.pos : error.pos + 40].lstrip()
    if not before and not after:
        return "the file is empty"
    if error.msg == "Extra data" and after.startswith(("{", "[")):
        return f"{where}: more than one document (JSON Lines?); COCO is one JSON object"
    if (before.endswith(",") and after.startswith(("]", "}"))) or error.msg.startswith("Illegal trailing comma"):
        return f"{where}: a comma before a closing bracket; remove it"
    if not after or error.msg.startswith("Unterminated string"):
        return f"{where}: the file ends too early (a download or copy that was cut?)"
    if after.startswith("'"):
        return f"{where}: texts are in single quotes (Python's notation?); JSON needs double quotes"
    if after.startswith(("//", "/*", "#")):
        return f"{where}: a comment, which JSON does not have; remove it"
    return f"{where}: {error.msg}"
