# SPDX-License-Identifier: Apache-2.0
"""What is wrong with text that is not YAML, in plain words."""

import re

import yaml

from pipeline.common.text_files import on_one_line


def syntax_message(error: yaml.YAMLError, text: str, source: str) -> str:
    """Return one line for an error of PyYAML's reader, scanner, parser or composer."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{source}, line {line}: the control character {chr(error.character)!r} is not allowed; remove it"
    if conflict := re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE):
        line = text.count("\n", 0, conflict.start()) + 1
        return f"{source}, line {line}: a merge conflict that is not resolved; keep one of both sides"
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
    where = source if mark is None else f"{source}, line {mark.line + 1}"
    if "\\t" in problem:
        return f"{where}: a tab; write spaces instead"
    if "another document" in problem:
        return f"{where}: a second document begins (---); a file can hold only one"
    if re.match(r"\s*(#.*\s+)*\[[\w. -]+\]\s*$", text, re.MULTILINE):
        return f"{where}: TOML or INI, not YAML; write `section:`, and its keys as `key: value`, indented below it"
    if "unknown escape" in problem or "expected escape sequence" in problem:
        problem += "; put text with \\ in single quotes"
    elif "mapping values are not allowed" in problem or "<block mapping start>" in problem:
        problem = "a key in a place where none can be; check the indentation, and begin a new line for every key"
    elif "cannot start any token" in problem:
        problem += "; put such text in quotes"
    elif "<document start>" in problem:
        problem = "something follows the end of the content; comments begin with #, and text with , or ] is in quotes"
    context = getattr(error, "context", None)
    return f"{where}: not YAML: {f'{context}, ' if context else ''}{on_one_line(problem)}"
