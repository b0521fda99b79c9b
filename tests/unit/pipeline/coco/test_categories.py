# SPDX-License-Identifier: Apache-2.0
"""Categories are matched with classes by name, or by a mapping; nothing in common is an error that says what to do."""

import pytest

from pipeline.coco import reader
from pipeline.coco.categories import CategoryMapping, Classes, comparable, parse_mapping, with_class_names
from tests.helpers.coco_documents import document, read

MODEL = Classes(("pedestrian", "pallet_truck"), "the model", "not scored")


def file_with(folder, *names: str) -> reader.CocoFile:
    """A file with one annotation of each category."""
    content = document()
    first = content["annotations"][0]
    content["categories"] = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    content["annotations"] = [{**first, "id": n, "category_id": n} for n in range(1, len(names) + 1)]
    return read(folder, content)


def names_of(file: reader.CocoFile) -> list[str]:
    return [category.name for category in file.categories]


@pytest.mark.parametrize(
    "name",
    [
        "pallet_truck",
        "Pallet Truck",
        "pallet-truck",
        "PALLETTRUCK",
        " pallet_truck ",
        "pallet\u2013truck",
        "pallet\u00a0truck",
        "pallet\u200btruck",
        "ｐａｌｌｅｔ＿ｔｒｕｃｋ",
        "pallet_truck\n",
    ],
)
def test_names_are_compared_without_case_blanks_and_dashes(tmp_path, name):
    assert names_of(with_class_names(file_with(tmp_path, name), CategoryMapping(), MODEL)) == ["pallet_truck"]


@pytest.mark.parametrize(("one", "other"), [("Grün", "gru\u0308n"), ("STRASSE", "straße"), ("ﬁt", "fit")])
def test_letters_that_are_written_in_two_ways_are_equal(one, other):
    assert comparable(one) == comparable(other)


def test_names_of_signs_alone_are_told_apart():
    assert len({comparable(name) for name in ("-", "_", " ", "--")}) == 4


def test_a_mapping_renames_and_merges_and_the_log_says_so(tmp_path, caplog):
    file = file_with(tmp_path, "man", "Pedestrian", "pallet jack")
    matched = with_class_names(file, parse_mapping(["Man=pedestrian", "pallet_jack=Pallet Truck"]), MODEL)
    assert names_of(matched) == ["pedestrian", "pallet_truck"]
    assert [each.category_id for each in matched.annotations] == [1, 1, 3]
    assert matched.merged_categories == {2: 1}
    (line,) = caplog.messages
    assert "categories are read 'man' as pedestrian, 'Pedestrian' as pedestrian, 'pallet jack' as pallet_truck" in line


def test_other_categories_are_named_in_one_line_with_what_to_do(tmp_path, caplog):
    with_class_names(file_with(tmp_path, "pedestrian", "pallet_jack", "box"), CategoryMapping(), MODEL)
    (line,) = caplog.messages
    assert "not scored, because the model does not have these categories: pallet_jack, box" in line
    assert line.endswith("; if one of them is pallet_truck: --category pallet_jack=pallet_truck")


@pytest.mark.parametrize(
    ("mapping", "way"),
    [
        (CategoryMapping(), "--category person=pedestrian"),
        (CategoryMapping({}, "compare.site.categories"), "compare.site.categories: {person: pedestrian}"),
    ],
)
def test_nothing_in_common_is_an_error_with_both_sides_and_the_way_out(tmp_path, mapping, way):
    with pytest.raises(reader.CocoError) as caught:
        with_class_names(file_with(tmp_path, "box", "person"), mapping, MODEL)
    assert "none of its categories (box, person) is a class of the model (pedestrian, pallet_truck)" in str(
        caught.value
    )
    assert str(caught.value).endswith(f": {way}")


def test_a_mapping_of_what_does_not_exist_is_an_error_with_a_suggestion(tmp_path):
    with pytest.raises(reader.CocoError) as caught:
        with_class_names(file_with(tmp_path, "person"), parse_mapping(["persn=pedestrain"]), MODEL)
    first, second = str(caught.value).splitlines()
    assert first.endswith("--category: no category 'persn' (did you mean 'person'?) in this file")
    assert second.endswith("--category: the model has no class 'pedestrain' (did you mean 'pedestrian'?)")


@pytest.mark.parametrize("option", ["person", "=pedestrian", "person=", "", "="])
def test_an_option_that_is_no_mapping_is_named(option):
    with pytest.raises(reader.CocoError, match="must be CATEGORY=CLASS"):
        parse_mapping([option])


def test_two_classes_for_one_category_are_an_error():
    with pytest.raises(reader.CocoError, match="person is given two classes, a and b"):
        parse_mapping(["person=a", "person=b"])


def test_without_classes_only_the_mapping_is_applied(tmp_path, caplog):
    file = with_class_names(file_with(tmp_path, "Man", "woman", "box"), parse_mapping(["man=p", "woman=p"]))
    assert names_of(file) == ["p", "box"]
    assert len(caplog.messages) == 1


# The mapping, the categories of the file, and a part of the only line.
MISTAKES = {
    "turned round": (
        ["pedestrian=行人"],
        ["行人"],
        "pedestrian is the class, 行人 the category; write --category 行人=pedestrian",
    ),
    "commas": (["a=pedestrian,b=pallet_truck"], ["a", "b"], "for several categories, repeat the option"),
    "near": (["Fussganger=pedestrian"], ["Fußgänger"], "did you mean 'Fußgänger'?"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_mapping_is_one_line(tmp_path, name):
    options, categories, message = MISTAKES[name]
    with pytest.raises(reader.CocoError) as caught:
        with_class_names(file_with(tmp_path, *categories), parse_mapping(options), MODEL)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "option", ["Fußgänger=pedestrian", "FUSSGÄNGER = Pedestrian", "Fu\u00dfga\u0308nger=pedestrian"]
)
def test_a_mapping_from_another_language_is_used(tmp_path, option):
    assert names_of(with_class_names(file_with(tmp_path, "Fußgänger"), parse_mapping([option]), MODEL)) == [
        "pedestrian"
    ]


def test_categories_that_are_not_like_any_class_are_not_suggested_for_one(tmp_path):
    with pytest.raises(reader.CocoError, match=r"say which is which: --category CATEGORY="):
        with_class_names(file_with(tmp_path, "行人", "托盘车"), CategoryMapping(), MODEL)
