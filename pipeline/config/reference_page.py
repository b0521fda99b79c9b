# SPDX-License-Identifier: Apache-2.0
"""The page docs/reference/config.md: every key of the config with its type, its default and its meaning.

`cariste config --markdown > docs/reference/config.md` writes it. A test compares the page with this module.
"""

import json
from collections.abc import Iterator
from typing import Any

from pipeline.config.config import Config

INTRODUCTION = """\
# Config

One YAML file describes the whole run. It is checked before anything starts. An unknown key, a wrong type or a value out
of range is one line of the message, with the file, the line, the key, the value and what is allowed. A key that has
been renamed is refused with its new name. [Inputs](inputs.md#config) says how values are read. `configs/schema.json` is
the JSON schema, for completion in editors.

```sh
cariste config configs/quickstart.yaml                              # check it, and print it with all defaults
snakemake -j4 train --config 'train={iterations: 900}'              # change values without editing the file
snakemake -j4 train --configfile configs/quickstart.yaml mine.yaml  # the second file changes keys of the first
```

Every key may be left out; then it has its default. A config does not inherit from `configs/quickstart.yaml`.

- **range**: `[low, high]`. A value is drawn for each image. A single number fixes it.
- **shares**: `{name: weight}`. A name is drawn for each image or object, with a probability proportional to its weight.
  Names that are left out have the weight 0.
- **share**: a number from 0 to 1.
- Paths are absolute, or relative to the folder in which Snakemake runs.

<!-- Written by `cariste config --markdown`. Change the descriptions in pipeline/config/, not here. -->
"""

# Keys that take one of several kinds of values, which another page explains.
SHORT_TYPES = {
    "model.freeze": "policy",
    "model.unfreeze[].keep_frozen": "policy or null",
    "study.policies": "name → policy",
}
LINKS = {
    "model.freeze": " ([policies](../howto/freezing.md#policies))",
    "model.unfreeze": " ([schedule](../howto/freezing.md#unfreeze-later-in-the-run))",
    "model.weights": " ([weights](models.md#weights))",
    "train.sources": " ([real images](../howto/your_images.md#train-on-your-images-too))",
}


def reference_page() -> str:
    """Return the page as Markdown text that ends with a newline."""
    schema = Config.model_json_schema()
    lines = [INTRODUCTION]
    for name in schema["properties"]:
        entry = schema["properties"][name]
        lines += _section_lines(f"{name}{_entry_mark(entry)}", entry, schema["$defs"], level=2)
    return "\n".join(lines).rstrip() + "\n"


def _section_lines(path: str, entry: dict[str, Any], definitions: dict[str, Any], level: int) -> Iterator[str]:
    """Yield the heading, the description and the table of a section, then its sub-sections."""
    section = _section_of(entry, definitions)
    if "properties" not in section or path in SHORT_TYPES:
        return
    yield f"{'#' * level} {path}\n"
    if description := entry.get("description") or section.get("description"):
        yield _one_line(description) + "\n"
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for key, value in section["properties"].items():
        yield _row(f"{path}.{key}", key, value, definitions)
    yield ""
    for key, value in section["properties"].items():
        below = f"{path}.{key}{_entry_mark(value)}"
        yield from _section_lines(below, _without_description(value), definitions, level + 1)


def _row(path: str, key: str, value: dict[str, Any], definitions: dict[str, Any]) -> str:
    kind = SHORT_TYPES.get(path) or _type_of(value, definitions)
    if _is_section(value):
        default = "see below"
    else:
        default = f"`{_as_yaml(value['default'])}`" if "default" in value else "required"
    meaning = _one_line(value.get("description", "")) + LINKS.get(path, "")
    return f"| `{key}` | {kind} | {default} | {meaning} |".replace(" |  |", " | |")


def _section_of(entry: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the section that an entry is, may be, or holds; {} if there is none."""
    for candidate in (entry, *entry.get("anyOf", ()), *_values_of(entry)):
        if "$ref" in candidate:
            return definitions[candidate["$ref"].rpartition("/")[2]]
    return {}


def _values_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schemas of the list items or of the dictionary values of an entry."""
    found = [entry.get("items"), entry.get("additionalProperties"), *entry.get("patternProperties", {}).values()]
    return [value for value in found if isinstance(value, dict)]


def _entry_mark(entry: dict[str, Any]) -> str:
    """Return what stands behind the path of a section that occurs several times: in a list, or by names."""
    if any("$ref" in value for value in _values_of(entry)):
        return "[]" if entry.get("type") == "array" else ".NAME"
    return ""


def _is_section(entry: dict[str, Any]) -> bool:
    return "$ref" in entry and bool(entry.get("default"))


def _without_description(entry: dict[str, Any]) -> dict[str, Any]:
    """The row of the parent's table has it already; the section shows its own."""
    return {key: value for key, value in entry.items() if key != "description"}


def _type_of(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return the type of a value in the words of the introduction."""
    if "$ref" in value:
        return "section"
    if kinds := value.get("anyOf"):
        if any("prefixItems" in kind for kind in kinds):
            return "range of integers" if kinds[0].get("type") == "integer" else "range"
        return " or ".join(dict.fromkeys(_type_of(kind, definitions) for kind in kinds))
    if choices := value.get("enum") or ([value["const"]] if "const" in value else None):
        return ", ".join(f"`{choice}`" for choice in choices)
    match value.get("type"):
        case "object":
            names = value.get("propertyNames", {}).get("enum")
            return "shares" if names else "name → section" if _entry_mark(value) else "name → value"
        case "array":
            items = value.get("items", {})
            return "list of sections" if "$ref" in items else f"list: {_type_of(items, definitions)}"
        case "integer" | "number" as kind:
            return kind + _limits(value)
        case "boolean":
            return "true or false"
        case kind:
            return {"string": "text"}.get(kind, str(kind))


def _limits(value: dict[str, Any]) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {value[key]:g}" for key, sign in signs.items() if key in value]
    return f" {' and '.join(limits)}" if limits else ""


def _as_yaml(value: Any) -> str:
    """Return a default as one would write it in a line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_yaml, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def _one_line(text: str) -> str:
    """Return a description on one line, with | escaped for a table."""
    return " ".join(text.split()).replace("|", "\\|")
