# SPDX-License-Identifier: Apache-2.0
"""Random COCO documents and results: what is accepted can be decoded and scored; anything else is a CocoError."""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.coco import reader
from pipeline.coco.categories import CategoryMapping, Classes, with_class_names
from pipeline.inference import evaluate
from tests.helpers.coco_documents import document
from tests.helpers.search import examples

FULL = {"size": [30, 40], "counts": "0`U1"}
POLYGON = [1, 2, 11, 2, 11, 22, 1, 22]
numbers = st.one_of(
    st.integers(),
    st.integers(-5, 50),
    st.floats(),
    st.sampled_from([2**63, -(2**64), 10**400, 1e308, -0.0, 0.5, "3", "3.5", "1e3", "NaN", "", " 7 "]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5))
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=8,
)
segmentations = st.one_of(
    anything,
    st.lists(st.lists(numbers, max_size=9), max_size=3),
    st.lists(st.integers(-50, 90), min_size=6, max_size=12).map(lambda polygon: [polygon]),
    st.lists(st.lists(numbers, min_size=2, max_size=2), max_size=5),
    st.fixed_dictionaries(
        {"counts": st.one_of(st.text(max_size=8), st.lists(st.integers(-1, 1300), max_size=6), anything)},
        optional={"size": st.one_of(st.just([30, 40]), st.lists(numbers, max_size=3), anything)},
    ),
    st.sampled_from([FULL, [FULL], [POLYGON], POLYGON]),
)
boxes = st.one_of(anything, st.lists(numbers, max_size=5), st.lists(st.integers(-3, 45), min_size=4, max_size=4))
# A place in the document and what is put there.
changes = st.lists(
    st.one_of(
        st.tuples(st.just("annotations"), st.sampled_from(["bbox"]), boxes),
        st.tuples(st.just("annotations"), st.sampled_from(["segmentation"]), segmentations),
        st.tuples(
            st.just("annotations"),
            st.sampled_from(["id", "image_id", "category_id", "iscrowd", "area", "new"]),
            anything,
        ),
        st.tuples(st.just("images"), st.sampled_from(["id", "file_name", "width", "height", "coco_url"]), anything),
        st.tuples(st.just("categories"), st.sampled_from(["id", "name", "supercategory"]), anything),
        st.tuples(st.sampled_from(["images", "annotations", "categories", "info", "other"]), st.none(), anything),
        st.tuples(st.sampled_from(["images", "annotations", "categories"]), st.just("copy"), st.none()),
        st.tuples(st.sampled_from(["images", "annotations", "categories"]), st.just("remove"), st.none()),
    ),
    max_size=4,
)
no_fixture_check = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def apply(content: dict[str, Any], change: tuple[str, str | None, Any]) -> None:
    section, key, value = change
    entries = content.get(section)
    if key is None:
        content[section] = value
    elif isinstance(entries, list) and entries and isinstance(entries[-1], dict):
        if key == "copy":
            entries.append(copy.deepcopy(entries[-1]))
        elif key == "remove":
            entries.pop()
        else:
            entries[-1][key] = value


def use(coco: reader.CocoFile) -> None:
    """Do with a file that was accepted what the commands do."""
    images = {image.id: image for image in coco.images}
    for annotation in coco.annotations:
        coco.decode_mask(annotation, images[annotation.image_id])
    metrics = evaluate.evaluate(coco, [])
    assert metrics["images"] == len(coco.images)
    with contextlib.suppress(reader.CocoError):
        with_class_names(coco, CategoryMapping(), Classes(("pedestrian", "pallet_truck"), "the model", "not scored"))


def check_message(error: reader.CocoError, path: Path) -> None:
    lines = str(error).splitlines()
    assert 1 <= len(lines) <= 11
    assert all(line.startswith(f"{path}: ") and len(line) < 1000 for line in lines)


@settings(max_examples=examples(500), deadline=10_000, suppress_health_check=no_fixture_check)
@given(changes)
def test_any_change_of_a_document_is_read_or_named(tmp_path, changes):
    content = document()
    content["annotations"].append({**content["annotations"][0], "id": 2, "segmentation": [POLYGON]})
    for change in changes:
        apply(content, change)
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(content))
    try:
        coco = reader.read_coco(path)
    except reader.CocoError as error:
        check_message(error, path)
    else:
        use(coco)


@settings(max_examples=examples(500), deadline=10_000, suppress_health_check=no_fixture_check)
@given(st.data())
def test_any_bytes_in_a_document_are_read_or_named(tmp_path, data):
    content = bytearray(json.dumps(document()).encode(data.draw(st.sampled_from(["utf-8", "utf-16", "utf-32-le"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path / "annotations.json"
    path.write_bytes(bytes(content)[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        use(reader.read_coco(path))
    except reader.CocoError as error:
        check_message(error, path)


results = st.one_of(
    anything,
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "image_id": st.one_of(st.just(7), anything),
                "category_id": st.one_of(st.just(2), anything),
                "bbox": st.one_of(st.just([1, 2, 3, 4]), boxes),
                "score": st.one_of(st.just(0.5), anything),
                "segmentation": segmentations,
            },
        ),
        max_size=3,
    ),
)


@settings(max_examples=examples(500), deadline=10_000, suppress_health_check=no_fixture_check)
@given(results)
def test_any_results_are_scored_or_named(tmp_path, content):
    document_path, path = tmp_path / "annotations.json", tmp_path / "found.json"
    truth = document()
    truth["annotations"][0]["segmentation"] = FULL
    document_path.write_text(json.dumps(truth))
    coco = reader.read_coco(document_path)
    path.write_text(json.dumps(content))
    try:
        detections = reader.read_results(path, coco)
    except reader.CocoError as error:
        check_message(error, path)
    else:
        evaluate.evaluate(coco, detections)


@pytest.mark.parametrize("nested", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900])
@pytest.mark.parametrize("key", ["bbox", "id", "file_name", "images"])
def test_deep_values_are_named(tmp_path, nested, key):
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(document()).replace(f'"{key}":', f'"{key}": {nested}, "rest":', 1))
    with pytest.raises(reader.CocoError) as caught:
        reader.read_coco(path)
    check_message(caught.value, path)
