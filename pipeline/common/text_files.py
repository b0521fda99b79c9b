# SPDX-License-Identifier: Apache-2.0
"""Read text files that users write."""

from pathlib import Path

from pipeline.common import path_checks
from pipeline.common.errors import CaristeError

UTF_16_AND_32_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


class TextFileError(CaristeError):
    """A file that cannot be read as text; the message names the file and what to do."""


def read_text(path: Path, max_bytes: int) -> str:
    """Return the text of a file in UTF-8, without a byte order mark.

    Raises:
        TextFileError: missing, no regular file, empty, too large, or not UTF-8.
    """
    problem = path_checks.text_problem(str(path)) or path_checks.input_file_problem(path)
    if not problem and (size := path.stat().st_size) > max_bytes:
        problem = f"has {size:,} bytes, more than {max_bytes:,}: is it another kind of file?"
    if problem:
        raise TextFileError(f"{path_checks.shown(path)}: {problem}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TextFileError(f"{path_checks.shown(path)}: cannot be read: {error.strerror}") from None
    return _decode(content, path)


def _decode(content: bytes, path: Path) -> str:
    if content.startswith(UTF_16_AND_32_MARKS) or b"\0" in content:
        raise TextFileError(f"{path}: is in UTF-16, or no text; save it as text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TextFileError(f"{path}, line {line}: is not in UTF-8; save the file in UTF-8") from None


def on_one_line(text: str) -> str:
    """Return text for a message: line breaks and other characters that cannot be printed are written as `\\n`."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
