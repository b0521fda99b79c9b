# SPDX-License-Identifier: Apache-2.0
"""Errors of pydantic in plain words: one line for each wrong key, with a suggestion for a name that nearly fits."""

import difflib
import re
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.common.plain_values import NO_VALUE
from pipeline.common.text_files import on_one_line

MAX_LINES = 10
MAX_SHOWN = 60  # characters of a value
SUGGESTION_CUTOFF, ELSEWHERE_CUTOFF = 0.75, 0.8
MAX_NAMES_BESIDE = 8  # allowed names that are listed although there is a suggestion
CONTAINERS = (list, dict, tuple)

# Type of error -> message. {...} are what pydantic says of the limit.
PLAIN_MESSAGES = {
    "missing": "is missing",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length} entry",
    "too_long": "has more than {max_length} entries",
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

MISSING = PLAIN_MESSAGES["missing"]
NEAR_NAME = r"unknown key; did you mean (\w+)\?$"

KeyPath = tuple[str | int, ...]


class WrongKey(NamedTuple):
    """What is wrong with one key.

    Attributes:
        path: where the key is in the document.
        given: its value as text that can stand behind the path, such as " = -1"; "" if the value does not help.
        message: what is wrong.
    """

    path: KeyPath
    given: str
    message: str

    def __str__(self) -> str:
        where = dotted(self.path) or ("the file" if self.given else "")
        return f"{where}{self.given}: {on_one_line(self.message)}" if where else on_one_line(self.message)


def wrong_keys(error: ValidationError, root: type[BaseModel]) -> list[WrongKey]:
    """Return what is wrong with a document of the type `root`, key by key.

    Of several errors about the same key, only the first is given. A key that is missing because its name is misspelled
    is given only once. A list is not too short because its entries are wrong.
    """
    found: dict[KeyPath, WrongKey] = {}
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "too_short" and any(each["loc"][:-1] == problem["loc"] for each in problems):
            continue
        path = tuple(part for part in problem["loc"] if part != "[key]")
        found.setdefault(path, WrongKey(path, *_describe(problem, path, root)))
    misspelled = {(*key.path[:-1], near[1]) for key in found.values() if (near := re.search(NEAR_NAME, key.message))}
    return [key for key in found.values() if not (key.message == MISSING and key.path in misspelled)]


def dotted(path: KeyPath) -> str:
    """Return a path as it is written in messages: `model.unfreeze.0.epoch`."""
    return on_one_line(".".join(map(str, path)))


def shown(value: Any) -> str:
    """Return a value for a message, cut to a readable length. Texts are in quotes, booleans as in YAML."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 2]}.."


def suggestion(name: str, known: list[str]) -> str:
    """Return `; did you mean ...?` with the known name that is nearest, or nothing."""
    by_lower_case = {each.lower(): each for each in known}
    plain = name.strip().lower()
    nearest = difflib.get_close_matches(plain, by_lower_case, 1, SUGGESTION_CUTOFF) or [
        each
        for each in by_lower_case
        if plain in (each.partition("_")[0], "".join(part[:1] for part in each.split("_")))
    ]
    if len(nearest) != 1:
        return ""
    return f"; did you mean {by_lower_case[nearest[0]]}?"


def at_most_ten(lines: list[str]) -> str:
    """Return the lines as one text; of more than ten, only the first and a count."""
    rest = len(lines) - MAX_LINES
    return "\n".join([*lines[:MAX_LINES], *([f"and {rest} more"] if rest > 0 else [])])


def _describe(problem: dict[str, Any], path: KeyPath, root: type[BaseModel]) -> tuple[str, str]:
    """Return the value as text, if it helps, and what is wrong with it."""
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        return "", f"unknown key{_hint_for_key(path, root)}"
    if kind == "literal_error" and problem["loc"][-1] == "[key]":
        known = _choices(problem)
        return "", f"unknown name{suggestion(str(given), known) or f'; known: {_listed(known)}'}"
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
    if kind == "model_type":
        message += _hint_for_section(given, path, root)
    if given is None:
        return "", message if message == NO_VALUE else f"has no value; {message}"
    return "" if kind == "missing" or isinstance(given, dict) else f" = {shown(given)}", message


def _hint_for_section(given: Any, path: KeyPath, root: type[BaseModel]) -> str:
    """Return what may be meant by `given` in place of a section."""
    annotation = _annotation_at(path, root)
    if isinstance(given, str) and re.match(r"\w+[:=]", given.replace(" ", "")):
        return "; write `key: value`, with a blank behind the colon"
    is_named = len(path) > 1 and get_origin(_annotation_at(path[:-1], root)) is dict
    if is_named and path[-1] in _section_in(annotation).model_fields:
        return f"; {path[-1]} belongs below a name of your choice: {dotted(path[:-1])}: {{NAME: {{{path[-1]}: ..}}}}"
    return ", or null" if NoneType in get_args(annotation) else ""


def _choices(problem: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", problem["ctx"]["expected"])


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _hint_for_key(path: KeyPath, root: type[BaseModel]) -> str:
    """Return what to write instead of an unknown key: a near name, the section that has it, or all that is allowed."""
    name, section = str(path[-1]), _section_in(_annotation_at(path[:-1], root))
    allowed = list(section.model_fields)
    if (pair := re.fullmatch(r"(\w+)\s*[:=]\s*(.+)", name)) and pair[1] in allowed:
        return f"; write `{pair[1]}: {pair[2]}`, with a blank behind the colon"
    if near := suggestion(name, allowed):
        return near
    known = _all_keys(root)
    if name in known:
        *sections, key = name.split(".")
        return f"; write {''.join(f'{each}: {{' for each in sections)}{key}: ..{'}' * len(sections)}"
    last_names = sorted({key.rpartition(".")[2] for key in known})
    for nearest in difflib.get_close_matches(name.lower(), last_names, 1, ELSEWHERE_CUTOFF):
        there = _listed([key for key in known if key.rpartition(".")[2] == nearest])
        few = f"; allowed here: {', '.join(allowed)}" if len(allowed) <= MAX_NAMES_BESIDE else ""
        return f" here{few}; did you mean {there}?"
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
