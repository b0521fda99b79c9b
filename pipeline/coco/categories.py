# SPDX-License-Identifier: Apache-2.0
"""Match the categories of a COCO file with the classes of a model, or of another set, by their names.

Names are compared without case, blanks, `_` and `-`. Where that is not enough, a mapping says which category is which
class.
"""

import difflib
import logging
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pipeline.coco.entries import one_line
from pipeline.coco.reader import Category, CocoError, CocoFile, raise_problems
from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)

# Of names (0 to 1), from which on a message suggests one for the other.
MIN_LIKENESS = 0.4
# General categories of Unicode that are not compared: blanks, control characters, dashes, underscores.
IGNORED = ("Z", "C", "Pd", "Pc")


class CategoryMapping(NamedTuple):
    """Which categories of a file are which classes.

    Attributes:
        names: category -> class.
        given_by: the option or the key of the config that holds it, such as "--category".
    """

    names: Mapping[str, str] = {}
    given_by: str = "--category"

    def example(self, category: str, class_name: str) -> str:
        """Return how to say that a category is a class."""
        if self.given_by.startswith("--"):
            text = f"{category}={class_name}"
            return f"{self.given_by} {text if text.isprintable() and ' ' not in text else repr(text)}"
        return f"{self.given_by}: {{{category}: {class_name}}}"


NO_MAPPING = CategoryMapping()


class Classes(NamedTuple):
    """The classes that categories are matched with.

    Attributes:
        names: of the classes.
        owner: who has them, such as "the model".
        otherwise: what happens to other categories, such as "not scored".
    """

    names: Sequence[str]
    owner: str
    otherwise: str


def parse_mapping(options: Sequence[str], given_by: str = "--category") -> CategoryMapping:
    """Return the mapping that options such as "person=pedestrian" give.

    Raises:
        CocoError: an option without `=`, an empty name, or two classes for one category.
    """
    names: dict[str, str] = {}
    for option in options:
        category, _, class_name = option.rpartition("=")
        if not category.strip() or not class_name.strip():
            raise CocoError(f"{given_by} {option}: must be CATEGORY=CLASS, such as {given_by} person=pedestrian")
        if names.setdefault(category, class_name) != class_name:
            raise CocoError(f"{given_by}: {category} is given two classes, {names[category]} and {class_name}")
    return CategoryMapping(names, given_by)


def part_for(mapping: CategoryMapping, coco: CocoFile) -> CategoryMapping:
    """Return the part of a mapping for several files that is about categories of this one."""
    in_file = {comparable(category.name) for category in coco.categories}
    names = {category: class_name for category, class_name in mapping.names.items() if comparable(category) in in_file}
    return mapping._replace(names=names)


def check_categories_exist(mapping: CategoryMapping, files: Sequence[CocoFile]) -> None:
    """Check a mapping for several files.

    Raises:
        CocoError: none of them has a category that the mapping names.
    """
    in_files = list(dict.fromkeys(category.name for file in files for category in file.categories))
    known = set(map(comparable, in_files))
    unknown = [category for category in mapping.names if comparable(category) not in known]
    if unknown:
        lines = [f"{mapping.given_by}: no category {each!r}{_near(each, in_files)} in any file" for each in unknown]
        raise CocoError("\n".join(lines))


def comparable(name: str) -> str:
    """Return what is equal for names that mean the same: "Pallet Truck", "pallet_truck", "PALLET-TRUCK "."""
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(each for each in letters if not unicodedata.category(each).startswith(IGNORED)) or name


def with_class_names(coco: CocoFile, mapping: CategoryMapping, classes: Classes | None = None) -> CocoFile:
    """Return the file with its categories renamed to classes; those of the same class become one.

    The log names what was renamed and merged, and the categories that are no classes. Without `classes`, only the
    mapping is applied.

    Raises:
        CocoError: the mapping names a category or a class that does not exist, or no category is a class.
    """
    raise_problems(coco.path, _mapping_problems(coco, mapping, classes))
    mapped = {comparable(category): class_name for category, class_name in mapping.names.items()}
    class_names = classes.names if classes else ()
    names = {
        category.id: _find(mapped.get(comparable(category.name), category.name), class_names)
        for category in coco.categories
    }
    if classes and coco.categories and not set(names.values()) & set(class_names):
        raise_problems(coco.path, [_nothing_in_common(coco, mapping, classes)])
    _log_names(coco, names)
    if classes:
        _log_others(coco, names, mapping, classes)
    return _rename(coco, names)


def _find(name: str, class_names: Sequence[str]) -> str:
    """Return the class that a name means, or the name itself."""
    if name in class_names:
        return name
    fitting = [each for each in class_names if comparable(each) == comparable(name)]
    return fitting[0] if len(fitting) == 1 else name


def _mapping_problems(coco: CocoFile, mapping: CategoryMapping, classes: Classes | None) -> Iterator[str]:
    in_file = [category.name for category in coco.categories]
    known = set(map(comparable, in_file))
    for category, class_name in mapping.names.items():
        if (
            comparable(category) not in known
            and classes
            and comparable(class_name) in known
            and (_find(category, classes.names) in classes.names)
        ):
            right = mapping.example(class_name, category)
            yield f"{mapping.given_by}: {category} is the class, {class_name} the category; write {right}"
            continue
        if comparable(category) not in known:
            several = "; for several categories, repeat the option" if "=" in category else ""
            yield f"{mapping.given_by}: no category {category!r}{_near(category, in_file)} in this file{several}"
        if classes and _find(class_name, classes.names) not in classes.names:
            yield f"{mapping.given_by}: {classes.owner} has no class {class_name!r}{_near(class_name, classes.names)}"


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 1, 0.5)
    return f" (did you mean {near[0]!r}?)" if near else f" ({', '.join(names) or 'none'})"


def _nothing_in_common(coco: CocoFile, mapping: CategoryMapping, classes: Classes) -> str:
    in_file = [category.name for category in coco.categories]
    return (
        f"none of its categories ({', '.join(in_file)}) is a class of {classes.owner} "
        f"({', '.join(classes.names)}); say which is which: {mapping.example(*_likely(in_file, classes.names))}"
    )


def _likely(categories: Sequence[str], class_names: Sequence[str]) -> tuple[str, str]:
    """Return the category and the class whose names are most alike; "CATEGORY" if none are alike."""

    def likeness(pair: tuple[str, str]) -> float:
        return difflib.SequenceMatcher(None, *map(comparable, pair)).ratio()

    best = max(((category, name) for category in categories for name in class_names), key=likeness)
    return best if likeness(best) >= MIN_LIKENESS else ("CATEGORY", best[1])


def _log_names(coco: CocoFile, names: Mapping[int | str, str]) -> None:
    renamed = [
        f"{category.name!r} as {names[category.id]}"
        for category in coco.categories
        if category.name != names[category.id]
    ]
    if renamed:
        LOG.warning("%s: categories are read %s", shown(coco.path), one_line(", ".join(renamed)))


def _log_others(coco: CocoFile, names: Mapping[int | str, str], mapping: CategoryMapping, classes: Classes) -> None:
    others = [name for name in dict.fromkeys(names.values()) if name not in classes.names]
    if not others:
        return
    missing = [name for name in classes.names if name not in names.values()]
    hint = f"; if one of them is {missing[0]}: {mapping.example(*_likely(others, missing))}" if missing else ""
    LOG.warning(
        "%s: %s, because %s does not have these categories: %s%s",
        shown(coco.path),
        classes.otherwise,
        classes.owner,
        one_line(", ".join(others)),
        one_line(hint),
    )


def _rename(coco: CocoFile, names: Mapping[int | str, str]) -> CocoFile:
    kept: dict[str, Category] = {}
    merged = {}
    for category in coco.categories:
        name = names[category.id]
        first = kept.setdefault(name, category.model_copy(update={"name": name}))
        if first.id != category.id:
            merged[category.id] = first.id
    annotations = coco.annotations
    if merged:
        annotations = tuple(
            each.model_copy(update={"category_id": merged[each.category_id]}) if each.category_id in merged else each
            for each in annotations
        )
    earlier = {category_id: merged.get(kept_id, kept_id) for category_id, kept_id in coco.merged_categories.items()}
    return replace(
        coco, annotations=annotations, categories=tuple(kept.values()), merged_categories={**earlier, **merged}
    )
