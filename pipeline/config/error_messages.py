# SPDX-License-Identifier: Apache-2.0
"""Errors of pydantic in plain words: one line for each wrong key, with a suggestion for a name that nearly fits."""

import difflib
import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.config.plain_values import NO_VALUE

MAX_LINES = 10
MAX_SHOWN = 60  # characters of a value
SUGGESTION_CUTOFF, ELSEWHERE_CUTOFF = 0.75, 0.8
CONTAINERS = (list, dict, tuple)

# Type of error -> message. {...} are what pydantic says of the limit.
PLAIN_MESSAGES = {
    "missing": "is missing",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs at least {min_length}",
    "too_long": "has more than {max_length}",
    "string_too_short": "is empty",
    "string_too_long": "has more than {max_length} characters",
    "dict_type": "must be names with values: {{name: value}}",
    "model_type": "must be keys with values, indented below it",
    "list_type": "must be a list: [..]",
    "tuple_type": "must be a list: [..]",
    "string_type": "must be text",
    "string_pattern_mismatch": "may contain only letters from a to z, digits, _, . and -, and begins with a letter or "
    "a digit",
}

KeyPath = tuple[str | int, ...]


def error_lines(error: ValidationError, root: type[BaseModel]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path of each wrong key of a document of the type `root`, and what is wrong with it, without its path.

    Of several errors about the same key, only the first is given.
    """
    seen = set()
    for problem in error.errors(include_url=False):
        path = tuple(part for part in problem["loc"] if part != "[key]")
        if path not in seen:
            seen.add(path)
            yield path, _describe(problem, path, root)


def dotted(path: KeyPath) -> str:
    """Return a path as it is written in messages: `model.unfreeze.0.epoch`."""
    return ".".join(map(str, path))


def shown(value: Any) -> str:
    """Return a value for a message, cut to a readable length. Texts are in quotes, booleans as in YAML."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 2]}.."


def suggestion(name: str, known: list[str]) -> str:
    """Return `; did you mean ...?` with the known name that is nearest, or nothing."""
    nearest = difflib.get_close_matches(name.strip().lower(), known, 1, SUGGESTION_CUTOFF)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def at_most_ten(lines: list[str]) -> str:
    """Return the lines as one text; of more than ten, only the first and a count."""
    rest = len(lines) - MAX_LINES
    return "\n".join([*lines[:MAX_LINES], *([f"and {rest} more"] if rest > 0 else [])])


def _describe(problem: dict[str, Any], path: KeyPath, root: type[BaseModel]) -> str:
    """Return what stands behind the path: the value, if it helps, and what is wrong."""
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        return f": unknown key{_hint_for_key(path, root)}"
    if kind == "literal_error" and problem["loc"][-1] == "[key]":
        known = _choices(problem)
        return f": unknown name{suggestion(str(given), known) or f'; known: {_listed(known)}'}"
    if kind == "value_error":
        message = str(problem["ctx"]["error"])
    elif kind == "literal_error":
        known = _choices(problem)
        nullable = NoneType in get_args(_annotation_at(path, root))
        message = f"must be {_listed([*known, *(['null'] if nullable else [])])}{suggestion(str(given), known)}"
    elif kind in PLAIN_MESSAGES:
        message = PLAIN_MESSAGES[kind].format(**problem.get("ctx", {}))
    else:
        message = problem["msg"][0].lower() + problem["msg"][1:]
    if kind == "missing" or isinstance(given, dict):
        return f": {message}"
    if given is None and message != NO_VALUE:
        message = f"has no value; {message}"
    return f" = {shown(given)}: {message}" if given is not None else f": {message}"


def _choices(problem: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", problem["ctx"]["expected"])


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _hint_for_key(path: KeyPath, root: type[BaseModel]) -> str:
    """Return what to write instead of an unknown key: a near name, the section that has it, or all that is allowed."""
    name, section = str(path[-1]), _section_in(_annotation_at(path[:-1], root))
    allowed = list(section.model_fields)
    if near := suggestion(name, allowed):
        return near
    known = _all_keys(root)
    last_names = sorted({key.rpartition(".")[2] for key in known})
    for nearest in difflib.get_close_matches(name.lower(), last_names, 1, ELSEWHERE_CUTOFF):
        return f" here; did you mean {_listed([key for key in known if key.rpartition('.')[2] == nearest])}?"
    return f"; allowed here: {', '.join(allowed)}"


def _annotation_at(path: KeyPath, root: type[BaseModel]) -> Any:
    """Return the type of a key, of an entry of a list, or of what a free name stands for."""
    annotation: Any = root
    for part in path:
        if get_origin(annotation) in CONTAINERS:
            annotation = get_args(annotation)[0 if get_origin(annotation) is list else -1]
        elif section := _section_in(annotation):
            annotation = section.model_fields[str(part)].annotation
    return annotation


def _section_in(annotation: Any) -> Any:
    """Return the section in a type such as `X | None`, `list[X]` or `dict[Name, X]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def _all_keys(section: type[BaseModel], above: str = "") -> list[str]:
    """Return the dotted paths of all keys, without those in lists and below free names."""
    keys = []
    for name, field in section.model_fields.items():
        keys.append(f"{above}{name}")
        if get_origin(field.annotation) not in CONTAINERS and (below := _section_in(field.annotation)):
            keys += _all_keys(below, f"{above}{name}.")
    return keys
