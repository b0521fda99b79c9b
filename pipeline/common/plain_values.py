# SPDX-License-Identifier: Apache-2.0
"""Read the numbers, switches and texts of configs and catalogues. What is unclear is refused in plain words.

A number may be text, as in `'5'`, `1_000` or `0x1F`. A boolean is never a number, and a number is never a boolean.
Types of fields use it as in `Annotated[int, Field(ge=1), AS_WHOLE_NUMBER]`. Limits stand before what reads the value:
only then they are in the JSON schema.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Self

from pydantic import BeforeValidator

LARGEST_NUMBER, MAX_DIGITS = 2**63 - 1, 100
TOO_LARGE = f"is too large; the largest number is {LARGEST_NUMBER}"
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
NO_VALUE = "has no value; give one, or remove the key"
# 5,000 or 5 000; and 5.000, which is 5 in YAML and five thousand in many languages.
GROUPED_DIGITS = r"[-+]?\d{1,3}([,'’ \u00a0]\d{3})+"
POINTS_BETWEEN_THREE_DIGITS = r"[-+]?[1-9]\d{0,2}(\.\d{3})+"


class GroupedNumber(float):
    """A number that was written like 5.000. As text it is what was written."""

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def read_whole_number(value: Any, expected: str = "a whole number") -> int:
    """Return an integer. `expected`: what the message asks for.

    Raises:
        ValueError: no number, not whole, or its size is above 2**63 - 1.
    """
    if isinstance(value, GroupedNumber | str) and re.fullmatch(POINTS_BETWEEN_THREE_DIGITS, str(value).strip()):
        raise ValueError(f"unclear; write {str(value).replace('.', '')}, or {str(value).partition('.')[0]}")
    number = _read_number(value, expected)
    if number != int(number):
        raise ValueError(f"must be {expected}")
    if abs(number) > LARGEST_NUMBER:
        raise ValueError(TOO_LARGE)
    return int(number)


def read_number(value: Any, expected: str = "a number") -> float:
    """Return a finite number; negative zero becomes zero. `expected`: what the message asks for.

    Raises:
        ValueError: no number, NaN or infinite.
    """
    number = _read_number(value, expected)
    return float(number) + 0.0


def read_switch(value: Any) -> bool:
    """Return a boolean.

    Raises:
        ValueError: neither true nor false, nor the text yes, no, on or off.
    """
    if value is None:
        raise ValueError(NO_VALUE)
    found = SWITCHES.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError("must be true or false")
    return found


def read_text(value: Any) -> str:
    """Return text; a whole number is the text that it was written as.

    Raises:
        ValueError: another type, or a control character.
    """
    if value is None:
        raise ValueError(NO_VALUE)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        hint = ": put it in quotes" if isinstance(value, bool | float) else ""
        raise ValueError(f"must be text{hint}")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ValueError("contains a line break or a control character")
    return value


def read_range(value: Any, read_end: Callable[[Any, str], Any]) -> tuple[Any, Any]:
    """Return [low, high]; a single number is the range that holds only this number.

    Args:
        value: what the config has.
        read_end: `read_number` or `read_whole_number`.

    Raises:
        ValueError: neither a number nor a list of two, or the low end is above the high end.
    """
    kind = "whole number" if read_end is read_whole_number else "number"
    expected = f"a {kind}, or a pair [low, high] of {kind}s"
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(f"must be {expected}; this list has {len(value)}")
        low, high = (read_end(end, expected) for end in value)
    else:
        low = high = read_end(value, expected)
    if low > high:
        raise ValueError(f"the low end {low:g} is above the high end {high:g}; write [{high:g}, {low:g}]")
    return low, high


def _read_number(value: Any, expected: str) -> int | float:
    if value is None:
        raise ValueError(NO_VALUE)
    if isinstance(value, str):
        value = _number_in_text(value, expected)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be {expected}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        raise ValueError(TOO_LARGE) from None
    if not finite:
        raise ValueError(f"must be {expected}, and finite")
    return value


def _number_in_text(text: str, expected: str) -> int | float:
    plain = text.strip()
    if len(plain) > MAX_DIGITS and re.fullmatch(r"[-+]?\d+", plain):
        raise ValueError(TOO_LARGE)
    for read in (lambda: int(plain, 0), lambda: int(plain), lambda: float(plain)):
        try:
            return read()
        except ValueError:
            continue
    hint = ""
    if re.fullmatch(GROUPED_DIGITS, plain) and "whole" in expected:
        hint = f"; write {re.sub(r'[^-+0-9]', '', plain)}"
    elif re.fullmatch(r"[–—−]\s?[\d.]+", plain):
        hint = f"; write -{plain[1:].strip()}"
    elif re.fullmatch(r"\d+ ?[x×*] ?\d+", plain):
        hint = "; it is a single number"
    elif "whole" not in expected and (match := re.fullmatch(r"(\d+) ?/ ?([1-9]\d*)", plain)):
        hint = f"; write {int(match[1]) / int(match[2]):.6g}"
    elif re.fullmatch(r"[-+]?\d+,\d+", plain):
        hint = f"; write {plain.replace(',', '.')}"
    elif match := re.fullmatch(r"([-+]?[\d.]+) ?%", plain):
        hint = f"; write {float(match[1]) / 100:g}" if match[1].count(".") <= 1 else ""
    elif re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)? ?[^\W\d]+\S*", plain):
        hint = " without a unit"
    elif re.fullmatch(r"[-+]?[\d.]+ ?(-|–|\.\.|to|,|:) ?[\d.]+", plain):
        hint = "; a range is [low, high]"
    raise ValueError(f"must be {expected}{hint}")


AS_WHOLE_NUMBER, AS_NUMBER = BeforeValidator(read_whole_number), BeforeValidator(read_number)
AS_SWITCH, AS_TEXT = BeforeValidator(read_switch), BeforeValidator(read_text)
