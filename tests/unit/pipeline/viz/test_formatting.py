# SPDX-License-Identifier: Apache-2.0
"""Numbers and names as text."""

import pytest

from pipeline.viz import formatting


@pytest.mark.parametrize(("value", "text"), [(0.01234, "0.0123"), (4.6, "4.6"), (383.6, "384"), (0, "0")])
def test_numbers_have_about_three_digits(value, text):
    assert formatting.format_number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (999, "999"), (3312411, "3\u202f312\u202f411")])
def test_thousands_are_separated_by_a_narrow_space(count, text):
    assert formatting.format_count(count) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.0012, "0.12%"), (0.034, "3.4%"), (0.256, "26%"), (1, "100%")]
)
def test_small_shares_have_two_digits_and_larger_ones_none(share, text):
    assert formatting.format_percent(share) == text


def test_only_the_first_letter_is_capitalized():
    assert formatting.capitalize_first("box AP50") == "Box AP50"
    assert formatting.capitalize_first("") == ""


def test_names_are_shown_without_underscores():
    assert formatting.display_name("pallet_truck") == "pallet truck"
