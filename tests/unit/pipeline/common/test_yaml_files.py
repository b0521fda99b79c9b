# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON as users write it: what is read, and the one line about what is refused."""

import codecs
import math
import os
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.text_files import TextFileError
from pipeline.common.yaml_files import YamlError, dump_yaml, parse_yaml, read_yaml
from tests.helpers.search import examples


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024", 2024),
        ("'2024'", "2024"),
        ("1e-3", 0.001),
        ("5e3", 5000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0.0", -0.0),
        (".inf", math.inf),
        ("007", "007"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", True),
        ("~", None),
        ("null", None),
        ("", None),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("/x/site #2", "/x/site"),  # a comment in YAML
        ("'/x/site #2'", "/x/site #2"),
        ("'/x/site#2'", "/x/site#2"),
        (r"'C:\data\new'", r"C:\data\new"),
        ("*.bias".join("''"), "*.bias"),
        ("backbone.body.blocks.0", "backbone.body.blocks.0"),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[1, a, [b]]", [1, "a", ["b"]]),
    ],
)
def test_plain_values_are_read_as_in_yaml_1_2(text, value):
    assert parse_yaml(f"key: {text}", "file").values == {"key": value}


@pytest.mark.parametrize("key", ["on", "yes", "null", "1", "1.5", "true", "2024-01-31", "#x"])
def test_every_key_is_text(key):
    assert parse_yaml(f"{{'{key}': 1}}", "file").values == {key: 1}
    if key != "#x":
        assert parse_yaml(f"{key}: 1", "file").values == {key: 1}


def test_aliases_and_merge_keys_are_replaced_and_a_key_of_the_mapping_itself_wins():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{x: 5}, *a]}"
    both = {"x": 1, "y": 2}
    assert parse_yaml(text, "file").values == {"a": both, "b": {"x": 1, "y": 3}, "c": both, "d": {"x": 5, "y": 2}}


def test_json_may_have_tabs_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(codecs.BOM_UTF8 + b'{\r\n\t"a": "\\ud83d\\ude00", "b": 1e-3}')
    assert read_yaml(path).values == {"a": "\N{GRINNING FACE}", "b": 0.001}


def test_every_key_and_entry_has_its_line():
    document = parse_yaml("a:\n  b: 1\n\n  c: [1,\n    2]\n", "file")
    assert document.lines == {(): 1, ("a",): 1, ("a", "b"): 2, ("a", "c"): 4, ("a", "c", 0): 4, ("a", "c", 1): 5}
    assert document.place("f", ("a", "c", 1)) == "f, line 5"
    assert document.place("f", ("a", "missing")) == "f, line 1"
    assert parse_yaml("{}", "file").place("f", ("a",)) == "f"


BILLION = "a0: &a0 [x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camera: {}\nrun: {}\ncamera: {}", "line 3: the key camera is already in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 3", "line 4: the key a.b is already in line 2"),
        ("a: [{b: 1,\nb: 2}]", "line 2: the key a.0.b is already in line 1"),
        ('{"a": {"b": 1, "b": 2}}', "the key b occurs twice"),
        ("a:\n\tb: 1", "line 2: a tab"),
        ("a: 1\n---\nb: 1", "line 2: a second document"),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", "line 2: a merge conflict"),
        ("a:\n b: 1\n  c: 2", "line 3: not YAML: a key in a place where none can be"),
        ("# mine\n\n[data]\nimages = 5\n", "TOML or INI, not YAML; write `section:`"),
        ("[data]\nimages: 5\n", "TOML or INI, not YAML"),
        ('{"a": 1} // mine', "something follows the end of the content; comments begin with #"),
        ('a: "C:\\Users\\me"', r"put text with \ in single quotes"),
        ('a: "C:\\x"', r"put text with \ in single quotes"),
        ("a: [1,", "line 1: not YAML"),
        ("a: 'x", "line 1: not YAML"),
        ("a: b: c", "line 1: not YAML"),
        ("a: @x", "put such text in quotes"),
        ("a: *.bias", "line 1: not YAML"),
        ("a: *b", "undefined alias"),
        (r'a: "C:\data"', r"put text with \ in single quotes"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "line 2: the tag !!python/object/apply:os.system is not"),
        ("a: !mine 1", "the tag !mine is not allowed"),
        ("a: !!binary aGk=", "the tag !!binary is not allowed"),
        ("a: !!set {b}", "the tag !!set is not allowed"),
        ("a: !!float x", "is not what its tag says"),
        ("? [a]\n: 1", "a key must be a single text"),
        ("a: {<<: 5}", "<< must be followed by"),
        ("a: &a\n  b: *a", "stands for something that contains it"),
        ("a: \x07", "line 1: the control character '\\x07'"),
        ("a: " + "[" * 1500, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "[" * 150 + "]" * 150, "nested too deeply"),
        (BILLION, "more than 100,000 values"),
        ('a: "\\ud83d"', "half of a character"),
        ('{"a": "\\udc00"}', "half of a character"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_refused_is_one_line_with_its_place(text, said):
    started = time.monotonic()
    with pytest.raises(YamlError) as refused:
        parse_yaml(text, "file")
    assert said in str(refused.value)
    assert str(refused.value).startswith("file")
    assert "\n" not in str(refused.value)
    assert time.monotonic() - started < 10


# What web pages, chats and word processors put in place of plain blanks, quotes and colons.
PASTED = {
    "NO-BREAK SPACE": ["a:\n\u00a0\u00a0b: 1", "a:\n  b:\u00a05", "\u00a0a: 1", "a: 1\u00a0", "a: [1,\u00a02]"],
    "NARROW NO-BREAK SPACE": ["a: x\u202f"],
    "ZERO WIDTH SPACE": ["\u200ba: 1", "a: 5\u200b", "- \u200bx"],
    "RIGHT-TO-LEFT MARK": ["a: x\u200f"],
    "IDEOGRAPHIC SPACE": ["a:\u3000x"],
    "FULLWIDTH COLON": ["a： 5", "a:\n  b： 5"],
    "LEFT DOUBLE QUOTATION MARK": ["a: “x”", "“a”: x", "a: [“x”]"],
    "DOUBLE LOW-9 QUOTATION MARK": ["a: „x“"],
    "LEFT SINGLE QUOTATION MARK": ["a: ‘/data/x’"],
    "LEFT-POINTING DOUBLE ANGLE QUOTATION MARK": ["a: «x»"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in PASTED.items() for text in texts])
def test_characters_of_copied_text_are_named(name, text):
    with pytest.raises(
        YamlError, match=rf"^file, line \d: '.*' holds {name} \(U\+....\), as in copied text"
    ) as refused:
        parse_yaml(text, "file")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'“x”'", "“x”"),
        ('"\u00a0x"', "\u00a0x"),
        ("/data/Bildschirmfoto 9.41\u202fAM.png", "/data/Bildschirmfoto 9.41\u202fAM.png"),
        ("O’Brien", "O’Brien"),
        ("5 # “mine”", 5),
        ("图：x", "图：x"),
    ],
)
def test_the_same_characters_are_read_in_quotes_and_inside_of_words(text, value):
    assert parse_yaml(f"a: {text}", "file").values == {"a": value}


def test_a_file_named_json_gets_the_message_about_json():
    with pytest.raises(YamlError, match=r"^a\.json, line 2: not JSON: "):
        parse_yaml('{"a": 1,\n}', "a.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (codecs.BOM_UTF16_LE + "a: 1".encode("utf-16-le"), "is in UTF-16"),
        ("a: 1".encode("utf-16-be"), "is in UTF-16"),
        ("a: 1".encode("utf-32"), "is in UTF-16"),
        (b"PK\x03\x04\0\0", "is in UTF-16, or no text"),
        ("a: 1\nb: grün".encode("latin-1"), "line 2: is not in UTF-8"),
        (b"", "is empty"),
        (b"a: 1\n" * 300_000, "more than 1,000,000"),
    ],
    ids=["utf-16", "utf-16 without mark", "utf-32", "zip", "latin-1", "empty", "large"],
)
def test_a_file_that_is_no_text_in_utf_8_is_refused(tmp_path, content, said):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(TextFileError) as refused:
        read_yaml(path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)


def test_what_is_no_file_is_refused_and_nothing_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken_link").symlink_to(tmp_path / "nowhere")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing.yaml", tmp_path / "broken_link", "a\0b"):
        with pytest.raises(TextFileError) as refused:
            read_yaml(path)
        assert "\n" not in str(refused.value)


# Line breaks of Unicode are no line breaks of YAML for all readers.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff"), max_size=12)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["1e-3", "0o17", "yes", "12:30", "2024-01-31", "~", "1_000", "007", "<<", "a #b", "*x", "- a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(500))
@given(PLAIN)
def test_printed_values_are_read_back_the_same_and_by_yaml_1_1_too(value):
    text = dump_yaml({"key": value})
    assert parse_yaml(text, "printed").values == {"key": value}
    assert yaml.safe_load(text) == {"key": value}


@settings(max_examples=examples(500))
@given(st.text(st.sampled_from("ab:-?[]{},&*#!|>'\"%@` \n\t\\<~.01_ ü\0"), max_size=40) | st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        parse_yaml(text, "any")
    except YamlError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - either outcome is right
