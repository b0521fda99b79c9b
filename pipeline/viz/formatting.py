# SPDX-License-Identifier: Apache-2.0
"""Numbers and names as text for pages, tables and charts."""

DASH = "–"  # stands for a value that does not exist
NARROW_SPACE = "\u202f"  # separates thousands


def display_name(name: str) -> str:
    """Return the name of a category or a stage as prose: `pallet_truck` becomes `pallet truck`."""
    return name.replace("_", " ")


def capitalize_first(text: str) -> str:
    """Return the text with an upper-case first letter; the others stay: `box AP50` becomes `Box AP50`."""
    return text[:1].upper() + text[1:]


def format_number(value: float) -> str:
    """Return a number with about three digits: 0.0123, 0.12, 4.6, 123."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def format_count(count: int) -> str:
    """Return an integer with a narrow space between thousands."""
    return f"{count:,}".replace(",", NARROW_SPACE)


def format_percent(share: float) -> str:
    """Return a share, 0 to 1, in percent: as an integer from 10% on, below that with two digits."""
    percent = 100 * share
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"
