# SPDX-License-Identifier: Apache-2.0
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.viz import charts

HEIGHTS = {"pedestrian": [30, 40, 41, 90, 5000], "pallet_truck": [12.5]}
DRAWN = {
    "histogram": lambda: charts.histogram_by_class(HEIGHTS, "box height in pixels", np.geomspace(4, 288, 21), log=True),
    "counts": lambda: charts.count_bars({"pedestrian": [0, 2, 2], "pallet_truck": [1, 0, 0]}),
    "sets": lambda: charts.histogram_by_dataset(
        "Heights", {"ours": [30, 40, 5000], "real": [12.5], "none": []}, "px", np.geomspace(4, 4096, 21), log=True
    ),
    "no set": lambda: charts.histogram_by_dataset("Heights", {"ours": []}, "px", np.linspace(0, 1, 21)),
    "shares of sets": lambda: charts.share_bars_by_dataset({"ours": {"robot": 1}, "theirs": {"ceiling": 0.4}}, "rig"),
    "shares": lambda: charts.shares({"robot": 3}, {"robot": 0.5, "ceiling": 0.5}, "camera rig"),
    "curve": lambda: charts.line_chart(range(1, 301), np.linspace(3, 1, 300), "loss"),
    "one iteration": lambda: charts.line_chart([1], [3.2], "loss"),
    "bars": lambda: charts.bar_chart({"render": 120.0, "train": 61.5}, "seconds"),
    "nothing": lambda: charts.histogram_by_class(
        {"pedestrian": [], "pallet_truck": []}, "meters", np.linspace(0, 1, 21)
    ),
    "no images": lambda: charts.count_bars({"pedestrian": [], "pallet_truck": []}),
}


@pytest.fixture(params=DRAWN, ids=str)
def drawn(request) -> str:
    return DRAWN[request.param]()


def texts(svg: str) -> list[str]:
    return ["".join(found.itertext()) for found in parse(svg).iter("text")]


def parse(svg: str) -> ElementTree.Element:
    # A page needs no namespaces; a bare XML parser does.
    return ElementTree.fromstring(svg.replace("xlink:href", "href"))


def test_a_chart_is_an_svg_element_without_size_or_external_address(drawn):
    root = parse(drawn)
    assert root.tag == "svg"
    assert root.get("viewBox") == "0 0 340 215"
    assert root.get("width") is None
    assert root.get("aria-label")
    assert "http" not in drawn


def test_colors_and_font_come_from_the_page(drawn):
    assert "var(--ink)" in drawn or "var(--muted)" in drawn
    assert not re.search(r"(fill|stroke): #", drawn)
    assert set(re.findall(r"font-family: ([^;\"]*)", drawn)) == {"inherit"}


def test_every_reference_in_a_chart_has_a_target(drawn):
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([\w.-]+)', drawn)) == set(ids)


def test_the_same_values_give_the_same_chart():
    assert DRAWN["histogram"]() == DRAWN["histogram"]()


def test_a_histogram_shows_both_classes_and_names_its_unit():
    svg = DRAWN["histogram"]()
    assert {"pedestrian", "pallet truck", "box height in pixels", "annotations", "50"} <= set(texts(svg))
    assert "var(--class-0)" in svg
    assert "var(--class-1)" in svg


def test_data_sets_are_drawn_as_shares_and_those_without_values_are_left_out():
    assert {"ours", "real", "px", "share", "1000", "100%"} <= set(texts(DRAWN["sets"]()))
    assert "none" not in texts(DRAWN["sets"]())
    assert {"ours", "theirs", "robot", "ceiling"} <= set(texts(DRAWN["shares of sets"]()))


def test_shares_show_configured_kinds_that_were_never_rendered():
    assert {"robot", "ceiling"} <= set(texts(DRAWN["shares"]()))


def test_bars_have_their_value_as_label():
    assert {"render", "120", "train", "61.5"} <= set(texts(DRAWN["bars"]()))


def test_the_chart_of_a_long_training_stays_small():
    noise = np.random.default_rng(0).random(90_000)
    assert len(charts.line_chart(np.arange(90_000), noise, "loss")) < 80_000


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.integers(0, 10))
def test_the_moving_mean_is_the_mean_of_the_neighbors(values, half):
    smooth = charts.moving_mean(np.array(values), 2 * half + 1)
    expected = [np.mean(values[max(0, index - half) : index + half + 1]) for index in range(len(values))]
    np.testing.assert_allclose(smooth, expected, atol=1e-9)


@given(st.integers(1, 10_000))
def test_the_smoothing_window_is_odd_and_inside_the_training(length):
    window = charts.smoothing_window(length)
    assert window % 2 == 1
    assert 1 <= window <= length


@pytest.mark.parametrize(
    "name", ["$\\foo$", "$5 and 6$", "_mine", "a\\d", 'x" onload="y', "<b>", "gr\udcfcn", "a\ab", "箱"]
)
def test_every_name_of_a_user_can_be_drawn(name):
    values = {name: [1.0, 2.0], "other": [1.0]}
    with warnings.catch_warnings(action="error"):
        drawn = [
            charts.histogram_by_dataset(f"height of {name}", values, "m", [0, 1, 2, 3]),
            charts.share_bars_by_dataset({name: {name: 0.5}, "other": {"b": 0.5}}, name),
        ]
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name)
    for svg in drawn:
        assert any(shown.replace("_", " ") in text.replace("_", " ") for text in texts(svg))
