# SPDX-License-Identifier: Apache-2.0
"""Read YAML and JSON files that users write, and know the line of every key.

Plain values are read as YAML 1.2 does: `1e-3` is a number; `yes`, `12:30`, `2024-01-31`, `1_000` and `007` are text.
All keys of mappings are text. Stricter than YAML: a key may occur only once, and only standard tags are known.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from pipeline.common.plain_values import POINTS_BETWEEN_THREE_DIGITS, GroupedNumber
from pipeline.common.text_files import TextFileError, on_one_line, read_text
from pipeline.common.yaml_syntax_messages import syntax_message

MAX_BYTES = 1_000_000  # of a file that somebody wrote by hand
MAX_VALUES = 100_000  # in a file after its aliases are replaced; few lines with aliases can stand for billions
MAX_DEPTH = 100
MAX_DIGITS = 100
TAG = "tag:yaml.org,2002:"
# In plain text: blanks and marks that look like nothing, or like plain blanks, at its ends or behind a colon;
# typographic quotes at its beginning; wide colons and commas.
BLANKS = "\u00a0\u00ad\u1680\u2000-\u200f\u202f\u205f-\u2064\u3000\ufeff"
PASTED = rf"^[{BLANKS}]|[{BLANKS}]$|(?<=:)[{BLANKS}]|^[“”„‟‘’‚‛«»]|(?<=\w)：(?= |$)"


def _whole_number(text: str) -> int | str:
    """Return the number; one with more digits than any setting has stays text, which every key for numbers refuses."""
    return int(text) if len(text) <= MAX_DIGITS else text


def _decimal(text: str) -> float:
    if re.fullmatch(POINTS_BETWEEN_THREE_DIGITS, text):
        return GroupedNumber(text)
    return float(re.sub(r"\.(?=[a-z])", "", text.lower()))  # Python writes .inf and .nan without the point


def _join_surrogates(text: str) -> str:
    """Return the text with a pair such as \\ud83d\\ude00, which JSON writes for one character, as this character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


# Tag -> which plain text has it, how it is read. The core schema of YAML 1.2.2, section 10.3.2, but whole numbers are
# only as Python writes them, so that `007` stays text.
CORE_SCHEMA: dict[str, tuple[str, Callable[[str], Any]]] = {
    "null": (r"~|null|Null|NULL|", lambda text: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    "int": (r"[-+]?(0|[1-9][0-9]*)", _whole_number),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        _decimal,
    ),
    "merge": (r"<<", str),
}
MERGE = TAG + "merge"
SCALARS = {TAG + name: kind for name, kind in CORE_SCHEMA.items()} | {TAG + "str": (r".*", _join_surrogates)}

KeyPath = tuple[str | int, ...]


class YamlError(TextFileError):
    """A file that cannot be read as YAML or JSON; the message names the file, mostly the line, and what to do."""


@dataclass(frozen=True)
class YamlDocument:
    """The content of a file: `values`, and the line of every key and list entry. JSON has no lines."""

    values: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def place(self, source: str | Path, path: KeyPath) -> str:
        """Return "source, line 3" for the line of a key, or of the section that lacks it; only `source` for JSON."""
        lines = (self.lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in self.lines)
        line = next(lines, None)
        return f"{source}, line {line}" if line else str(source)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict = {}  # noqa: RUF012 - replaces those of YAML 1.1


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would take for something else."""


for _name, (_pattern, _) in CORE_SCHEMA.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), None)


_Dumper.add_implicit_resolver(TAG + "pasted", re.compile(rf".*?({PASTED})", re.DOTALL), None)


def read_yaml(path: str | Path) -> YamlDocument:
    """Return the content of a YAML or JSON file.

    Raises:
        TextFileError: no regular file, or no text in UTF-8.
        YamlError: not YAML, several documents, or a key that occurs twice.
    """
    return parse_yaml(read_text(Path(path), MAX_BYTES), str(path))


def parse_yaml(text: str, source: str) -> YamlDocument:
    """Return the content of YAML or JSON text. `source` is named in messages.

    Raises:
        YamlError: see `read_yaml`.
    """
    try:
        document = _parse_json(text, source) or _Builder(source).document(yaml.compose(text, _Loader))
        json.dumps(document.values, ensure_ascii=False).encode()
    except yaml.YAMLError as error:
        raise YamlError(syntax_message(error, text, source)) from None
    except RecursionError:
        raise YamlError(f"{source}: nested too deeply") from None
    except UnicodeEncodeError:
        raise YamlError(f"{source}: half of a character, such as \\ud83d alone; remove it") from None
    return document


def dump_yaml(values: Any) -> str:
    """Return values as YAML text, keys in the given order. YAML 1.1 and 1.2 read the same values from it."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def _parse_json(text: str, source: str) -> YamlDocument | None:
    """Return the content of JSON, which may have tabs and surrogate pairs that PyYAML refuses; None if it is none."""

    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise YamlError(f"{source}: the key {on_one_line(twice[0])} occurs twice in an object; remove one of both")
        return dict(pairs)

    try:
        values = json.loads(text, object_pairs_hook=unique_keys, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        if source.lower().endswith(".json"):
            raise YamlError(f"{source}, line {error.lineno}: not JSON: {error.msg}") from None
        return None
    return YamlDocument(values)


class _Builder:
    """Makes plain values of PyYAML's nodes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[KeyPath, int] = {}
        self.open_nodes: set[int] = set()  # those that contain the present one
        self.count = 0

    def document(self, node: yaml.Node | None) -> YamlDocument:
        values = None if node is None else self.value(node, ())
        return YamlDocument(values, self.lines)

    def refuse(self, node: yaml.Node, problem: str) -> NoReturn:
        raise YamlError(f"{self.source}, line {node.start_mark.line + 1}: {on_one_line(problem)}")

    def refuse_tag(self, node: yaml.Node) -> NoReturn:
        self.refuse(node, f"the tag {node.tag.replace(TAG, '!!')} is not allowed; remove it")

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """Return the value of a node and remember the lines of everything in it."""
        self.count += 1
        if self.count > MAX_VALUES:
            raise YamlError(f"{self.source}: more than {MAX_VALUES:,} values, counting what aliases (*) stand for")
        if len(path) > MAX_DEPTH:
            self.refuse(node, "nested too deeply")
        if id(node) in self.open_nodes:
            self.refuse(node, "an alias (*) stands for something that contains it")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        self.open_nodes.add(id(node))
        found = (self.sequence if isinstance(node, yaml.SequenceNode) else self.mapping)(node, path)
        self.open_nodes.remove(id(node))
        return found

    def scalar(self, node: yaml.ScalarNode) -> Any:
        self.check_plain(node)
        if node.tag not in SCALARS:
            self.refuse_tag(node)
        pattern, read = SCALARS[node.tag]
        if not re.fullmatch(pattern, node.value, re.DOTALL):
            self.refuse(node, f"{node.value!r} is not what its tag says; remove the tag")
        return read(node.value)

    def check_plain(self, node: yaml.ScalarNode) -> None:
        if node.style is None and (found := re.search(PASTED, node.value)):
            name = f"{unicodedata.name(found[0])} (U+{ord(found[0]):04X})"
            self.refuse(node, f"{node.value!r} holds {name}, as in copied text; write a plain character instead")

    def sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        if node.tag != TAG + "seq":
            self.refuse_tag(node)
        return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        if node.tag != TAG + "map":
            self.refuse_tag(node)
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(key, "a key must be a single text")
            self.check_plain(key)
            if key.tag == MERGE:
                merged |= self.merged(item, path)
                continue
            if key.value in own:
                first = self.lines[*path, key.value]
                self.refuse(key, f"the key {_key_name(path, key.value)} is already in line {first}; remove one of both")
            self.lines[*path, key.value] = key.start_mark.line + 1
            own[key.value] = self.value(item, (*path, key.value))
        return merged | own

    def merged(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        """Return what `<<: *alias` or `<<: [*a, *b]` brings; of several mappings, the first that has a key counts."""
        found: dict[str, Any] = {}
        for part in reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]:
            values = self.value(part, path)
            if not isinstance(values, dict):
                self.refuse(node, "<< must be followed by an alias of a mapping")
            found |= values
        return found


def _key_name(path: KeyPath, key: str) -> str:
    return ".".join(map(str, (*path, key)))
