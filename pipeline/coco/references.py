# SPDX-License-Identifier: Apache-2.0
"""Find the entries that annotations and results refer to by their ids, or by their names."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from pipeline.coco.entries import Id
from pipeline.coco.findings import Findings
from pipeline.coco.lenient_values import quote

MIXED_IDS = "ids are numbers such as 3.0, or numbers at one place and text at another: matched"
MAX_NAMES = 10


class References(NamedTuple):
    """What a key such as `category_id` may refer to.

    Attributes:
        key: the key.
        by_id: text of an id -> the id. 7, 7.0 and "7" are the same.
        by_name: name -> id, for text that is no id.
        where: whose entries they are, such as "the file's categories", for messages.
    """

    key: str
    by_id: Mapping[str, Id]
    by_name: Mapping[str, Id]
    where: str

    def find(self, value: Any) -> Id | None:
        """Return the id that a value refers to, None if there is none."""
        text = id_text(value)
        if text is None:
            return None
        return self.by_id.get(text, self.by_name.get(text))

    def match(self, entry: dict[str, Any], place: str, findings: Findings) -> None:
        """Replace the reference in an entry by the id that it means, or by None, and note the problem."""
        value = entry.get(self.key)
        found, text = self.find(value), id_text(value)
        noun = self.key.removesuffix("_id")
        if value is None or text == "":
            findings.refuse(f"{self.key}: missing", place)
        elif text is None:
            findings.refuse(f"{self.key}: must be a whole number or text, not {quote(value)}", place)
        elif found is None:
            findings.refuse(f"{noun} {quote(value)} is not in {self.where}{self._known()}", place)
        elif text not in self.by_id:
            findings.assume(f"{self.key} is the name of {NOUNS[noun]}: matched by name", place)
        elif not isinstance(value, type(found)):
            findings.assume(MIXED_IDS, place)
        entry[self.key] = found

    def _known(self) -> str:
        """Return the ids and names of categories, for messages; there are few."""
        if self.key != "category_id" or not self.by_name:
            return ""
        known = [f"{id_} {name}" for name, id_ in self.by_name.items()]
        return f" ({', '.join(known[:MAX_NAMES])}{', …' if len(known) > MAX_NAMES else ''})"


NOUNS = {"image": "an image", "category": "a category"}


def id_text(value: Any) -> str | None:
    """Return an id as text, None if it is none; 3.0 is the same as 3."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def category_references(names: Mapping[Id, str], merged: Mapping[Id, Id], where: str) -> References:
    """Return references to categories, by id and name. `merged`: id of a merged category -> id that it has now."""
    by_id = {str(id_): id_ for id_ in names} | {str(id_): kept for id_, kept in merged.items()}
    return References("category_id", by_id, {name: id_ for id_, name in names.items()}, where)


def image_references(file_names: Mapping[Id, str], where: str) -> References:
    """Return references to images, by id, or by the whole file name."""
    by_id = {str(id_): id_ for id_ in file_names}
    return References("image_id", by_id, _unique((name, id_) for id_, name in file_names.items()), where)


def image_references_of_results(file_names: Mapping[Id, str], values: Iterable[Any], where: str) -> References:
    """Return references for the values of `image_id` in results.

    They are by id if a value fits only an id, or none fits a name; else by the path, the file name with or without its
    suffix, or the number that it is: Ultralytics writes 12 for 000000000012.jpg.
    """
    texts = {text for value in values if (text := id_text(value)) is not None}
    references = image_references(file_names, where)
    by_name: dict[str, Id] = {}
    for name_of in (_plain_path, _last_part, _stem, _number_in):
        by_name = _unique((name_of(name), id_) for id_, name in file_names.items()) | by_name
    for read in (_last_part, _plain_path):
        by_name |= {text: by_name[read(text)] for text in texts if read(text) in by_name}
    fit_ids, fit_names = texts & set(references.by_id), texts & set(by_name)
    if fit_names and (not fit_ids or fit_ids < fit_names):
        return references._replace(by_id={}, by_name=by_name)
    return references


def _unique(pairs: Iterable[tuple[str, Id]]) -> dict[str, Id]:
    pairs = list(pairs)
    counts = Counter(name for name, _ in pairs)
    return {name: id_ for name, id_ in pairs if name and counts[name] == 1}


def _plain_path(name: str) -> str:
    return name.replace("\\", "/")


def _last_part(name: str) -> str:
    return PurePosixPath(_plain_path(name)).name


def _stem(name: str) -> str:
    return PurePosixPath(_plain_path(name)).stem


def _number_in(name: str) -> str:
    stem = _stem(name)
    return stem.lstrip("0") if stem.isascii() and stem.isdigit() else ""
