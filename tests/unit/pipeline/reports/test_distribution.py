# SPDX-License-Identifier: Apache-2.0
"""The command on sets that are written here: the JSON, the page, what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.coco_sets import image, thing, write_set
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
    things = [thing(number, 4 + 2 * number, **KNOWN) for number in range(21)]
    things += [thing(number, 20, "pallet_truck", **KNOWN) for number in range(0, 21, 3)]
    return write_set(tmp_path_factory.mktemp("ours"), images, things)


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    """Tall people alone, in bright images of another class list."""
    images = [image(200) for _ in range(12)]
    things = [thing(number, 60 + number % 3) for number in range(12)]
    return write_set(tmp_path_factory.mktemp("street"), images, things, classes=("pedestrian", "pallet_truck", "dog"))


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
    ours = document["sets"][0]
    heights = ours["figures"]["box_height_px"]["pedestrian"]
    assert heights["percentiles"] == {"5": 6, "25": 14, "50": 24, "75": 34, "95": 42}
    assert (heights["count"], heights["mean"], sum(heights["histogram"])) == (21, 24, 21)
    assert ours["figures"]["box_height"]["pedestrian"]["percentiles"]["50"] == 0.3
    assert ours["figures"]["brightness"]["images"]["percentiles"]["50"] == 92.5
    assert ours["figures"]["truncated"]["pedestrian"] == {"count": 21, "mean": 0}
    assert (ours["images"], ours["empty"], ours["objects"]) == (22, 1, {"pedestrian": 21, "pallet_truck": 7})
    assert ours["shares"] == {"rig": {"robot": 1}, "layout": {"aisle": 1}}


def test_histograms_fit_their_edges(document):
    for each in document["sets"]:
        for quantity, kinds in each["figures"].items():
            edges = document["quantities"][quantity]["histogram_edges"]
            for figures in kinds.values():
                assert ("histogram" in figures) == (edges is not None)
                assert edges is None or len(figures["histogram"]) == len(edges) - 1
                assert edges is None or sum(figures["histogram"]) == figures["count"]


def test_the_other_set_stands_beside_with_its_largest_gaps_first(document):
    assert [each["name"] for each in document["sets"]] == ["ours", "street"]
    (compared,) = document["compared"]
    first, *rest = compared["gaps"]
    assert first["distance"] == 1
    # All boxes are equally wide, so the taller ones are the more slender ones.
    assert {"box_height", "slenderness", "brightness"} == {
        gap["quantity"] for gap in compared["gaps"] if gap["distance"] == 1
    }
    assert all(first["distance"] - first["chance"] >= gap["distance"] - gap["chance"] for gap in rest)
    taller = "100 % of the pedestrians in street are taller than 0.55 of the image, 0 % of ours."
    assert taller in [gap["in_words"] for gap in compared["gaps"]]
    covered = {(each["quantity"], each["of"]): each["covered"] for each in compared["coverage"]}
    assert covered["box_height", "pedestrian"] is False


def test_a_class_that_the_other_set_does_not_hold_is_not_compared(document):
    compared = document["compared"][0]
    assert {each["of"] for each in compared["gaps"] + compared["coverage"]} == {"pedestrian", "images"}


def test_the_page_needs_nothing_else_and_shows_every_set(made):
    page = (made / "d.html").read_text()
    assert not re.search(r"https?://|<link|<script|@import|@font-face|<img", page)
    outline = Outline(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert {value for tag, name, value in outline.attributes if (tag, name) == ("a", "href")} == {
        f"#{name}" for name in ("gaps-1", "charts", "figures")
    }
    # Two classes: heights, heights in pixels, height over width, visible fraction, distance, how many. Images: two.
    # Rig and layout.
    assert page.count("<svg") == 2 * 6 + 2 + 2
    assert "are taller than 0.55 of the image" in page
    assert "no: 0 % of ours above" in page
    used, defined = set(re.findall(r"var\((--[\w-]+)\)", page)), set(re.findall(r"(--[\w-]+):", page))
    assert used <= defined


def test_the_same_bytes_again_with_the_sets_of_a_config(made, ours, street, tmp_path):
    config = json.dumps({"compare": {"street": {"annotations": str(street), "images": str(street.parent)}}})
    done = run(tmp_path, ours, "--config", config, "--threads", 3)
    assert done.exit_code == 0, done.stderr
    for name in ("d.json", "d.html"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.html", "d.json"]


def test_nothing_but_images_still_makes_a_page(tmp_path):
    bare = write_set(tmp_path / "bare", [image()])
    none = write_set(tmp_path / "none", [])
    assert run(tmp_path, bare, "--compare", "none", none, none.parent).exit_code == 0
    document = json.loads((tmp_path / "d.json").read_text())
    assert document["sets"][0]["empty"] == 1
    assert document["compared"] == [{"name": "none", "gaps": [], "coverage": []}]
    assert run(tmp_path, none, "--compare", "bare", bare, bare.parent).exit_code == 0
    assert json.loads((tmp_path / "d.json").read_text())["sets"][0]["figures"] == {}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--compare", "ours", "a.json", "a"), "compare: ours: the data set itself has this name"),
        (("--compare", "a", "missing.json", "a"), "missing.json: cannot be read"),
        (("--config", "{compare: {a: {images: x}}}"), "compare.a.annotations"),
    ],
)
def test_what_is_refused_leaves_nothing(ours, tmp_path, more, said):
    done = run(tmp_path, ours, *more)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
