# SPDX-License-Identifier: Apache-2.0
"""The command `distribution` on small sets: the JSON, the page, and errors."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.coco_sets import annotation, image, write_set
from tests.helpers.commands import Outcome, run_cariste
from tests.unit.pipeline.reports.test_run_report import Outline

KNOWN = {"visible_fraction": 0.5, "truncated": False, "distance_m": 3.0}


def run(out: Path, ours: Path, *more: Any) -> Outcome:
    described = ("--name", "ours", "--annotations", ours, "--images", ours.parent)
    return run_cariste("distribution", *described, "--out", out / "d.json", "--page", out / "d.html", *more)


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Path:
    """21 people of 4 to 44 pixels in images of 80, a truck in every third, one image empty."""
    images = [image(40 + 5 * number, rig="robot", layout="aisle") for number in range(22)]
    annotations = [annotation(number, 4 + 2 * number, **KNOWN) for number in range(21)]
    annotations += [annotation(number, 20, "pallet_truck", **KNOWN) for number in range(0, 21, 3)]
    return write_set(tmp_path_factory.mktemp("ours"), images, annotations)


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    """Only tall people, in bright images with another list of classes."""
    images = [image(200) for _ in range(12)]
    annotations = [annotation(number, 60 + number % 3) for number in range(12)]
    return write_set(
        tmp_path_factory.mktemp("street"), images, annotations, classes=("pedestrian", "pallet_truck", "dog")
    )


@pytest.fixture(scope="module")
def made(ours, street, tmp_path_factory) -> Path:
    """A folder with d.json and d.html; to be read only."""
    out = tmp_path_factory.mktemp("out")
    done = run(out, ours, "--compare", "street", street, street.parent)
    assert done.exit_code == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def document(made) -> dict[str, Any]:
    return json.loads((made / "d.json").read_text())


def test_known_percentiles(document):
    ours = document["datasets"][0]
    heights = ours["values"]["box_height_px"]["pedestrian"]
    assert heights["percentiles"] == {"5": 6, "25": 14, "50": 24, "75": 34, "95": 42}
    assert (heights["count"], heights["mean"], sum(heights["histogram"])) == (21, 24, 21)
    assert ours["values"]["box_height"]["pedestrian"]["percentiles"]["50"] == 0.3
    assert ours["values"]["brightness"]["images"]["percentiles"]["50"] == 92.5
    assert ours["values"]["truncated"]["pedestrian"] == {"count": 21, "mean": 0}
    assert (ours["images"], ours["empty_images"], ours["objects"]) == (22, 1, {"pedestrian": 21, "pallet_truck": 7})
    assert ours["shares"] == {"rig": {"robot": 1}, "layout": {"aisle": 1}}


def test_histograms_fit_their_edges(document):
    for each in document["datasets"]:
        for statistic, classes in each["values"].items():
            edges = document["statistics"][statistic]["histogram_edges"]
            for summary in classes.values():
                assert ("histogram" in summary) == (edges is not None)
                assert edges is None or len(summary["histogram"]) == len(edges) - 1
                assert edges is None or sum(summary["histogram"]) == summary["count"]


def test_the_comparison_lists_the_largest_differences_first(document):
    assert [each["name"] for each in document["datasets"]] == ["ours", "street"]
    (compared,) = document["comparisons"]
    first, *rest = compared["differences"]
    assert first["distance"] == 1
    # All boxes are equally wide, so a taller one has a larger ratio of height to width.
    assert {"box_height", "height_to_width", "brightness"} == {
        each["statistic"] for each in compared["differences"] if each["distance"] == 1
    }
    assert all(first["distance"] - first["chance"] >= each["distance"] - each["chance"] for each in rest)
    taller = "100% of the pedestrians in street are taller than 0.55 of the image, 0% of ours."
    assert taller in [each["description"] for each in compared["differences"]]
    covered = {(each["statistic"], each["class"]): each["covered"] for each in compared["coverage"]}
    assert covered["box_height", "pedestrian"] is False


def test_a_class_that_the_other_set_does_not_hold_is_not_compared(document):
    compared = document["comparisons"][0]
    assert {each["class"] for each in compared["differences"] + compared["coverage"]} == {"pedestrian", "images"}


def test_the_page_needs_no_other_file_and_shows_every_set(made):
    page = (made / "d.html").read_text()
    assert not re.search(r"https?://|<link|<script|@import|@font-face|<img", page)
    outline = Outline(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert {value for tag, name, value in outline.attributes if (tag, name) == ("a", "href")} == {
        f"#{name}" for name in ("differences-1", "charts", "statistics")
    }
    # Two classes: heights, heights in pixels, height over width, visible fraction, distance, how many. Images: two.
    # Rig and layout.
    assert page.count("<svg") == 2 * 6 + 2 + 2
    assert "are taller than 0.55 of the image" in page
    assert "no: 0% of ours above" in page
    used, defined = set(re.findall(r"var\((--[\w-]+)\)", page)), set(re.findall(r"(--[\w-]+):", page))
    assert used <= defined


def test_the_sets_of_a_config_give_the_same_bytes(made, ours, street, tmp_path):
    real = {"annotations": str(street), "images": str(street.parent), "categories": {}}
    config = json.dumps({"compare": {"street": real}})
    done = run(tmp_path, ours, "--config", config, "--threads", 3)
    assert done.exit_code == 0, done.stderr
    for name in ("d.json", "d.html"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.html", "d.json"]


def test_a_set_without_objects_still_makes_a_page(tmp_path):
    bare = write_set(tmp_path / "bare", [image()])
    none = write_set(tmp_path / "none", [])
    assert run(tmp_path, bare, "--compare", "none", none, none.parent).exit_code == 0
    document = json.loads((tmp_path / "d.json").read_text())
    assert document["datasets"][0]["empty_images"] == 1
    assert document["comparisons"] == [{"name": "none", "differences": [], "coverage": []}]
    assert run(tmp_path, none, "--compare", "bare", bare, bare.parent).exit_code == 0
    assert json.loads((tmp_path / "d.json").read_text())["datasets"][0]["values"] == {}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--compare", "ours", __file__, Path(__file__).parent), "compare: ours: the data set itself has this name"),
        (("--compare", "a", "missing.json", "a"), "missing.json: no such file"),
        (("--config", "{compare: {a: {images: x}}}"), "compare.a.annotations"),
    ],
)
def test_an_error_leaves_no_files(ours, tmp_path, more, message):
    done = run(tmp_path, ours, *more)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
