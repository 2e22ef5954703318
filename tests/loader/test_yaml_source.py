"""YAML is read strictly: little is resolved, nothing surprising is let in, every refusal has its place."""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.files import yaml_source
from runbook.files.document import Document
from runbook.files.problems import InvalidDocument, Problem
from runbook.files.source import MAX_BYTES

Write = Callable[..., Path]


def refused(path: Path, *, private: bool = False) -> list[Problem]:
    """The problems of a file that cannot be read without one."""
    try:
        return yaml_source.read(path, private=private)[1]
    except InvalidDocument as error:
        return list(error.problems)


def value(write: Write, text: str) -> Any:
    document, problems = yaml_source.read(write(f"x: {text}\n"))
    assert problems == []
    return document.root.data()["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01", "01"),
        ("0o17", "0o17"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        ("-0", "-0"),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("True", "True"),
        ("NULL", "NULL"),
        ("2026-11-21", "2026-11-21"),
        ("12:30:45", "12:30:45"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e3", "1e3"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("9" * 19, "9" * 19),
        ("9" * 18, 10**18 - 1),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("''", ""),
    ],
)
def test_plain_scalars_resolve_as_little_as_possible(write: Write, text: str, expected: object) -> None:
    found = value(write, text)
    assert found == expected
    assert type(found) is type(expected)


def test_keys_are_always_text(write: Write) -> None:
    document, _ = yaml_source.read(write("1: a\ntrue: b\n01: c\nnull: d\n"))
    assert list(document.root.data()) == ["1", "true", "01", "null"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "`a` is already given in line 1"),
        ("a: !!python/object/apply:os.system [x]\n", (1, 4), "tags"),
        ("a: !local x\n", (1, 4), "tags"),
        ("a: !!str 1\n", (1, 4), "tags"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", (1, 1), "directives"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", (3, 3), "merge keys"),
        ("a: *nowhere\n", (1, 4), "no anchor `nowhere`"),
        ("a: &a [*a]\n", (1, 8), "no anchor `a`"),
        ("a: &x 1\nb: &x 2\n", (2, 4), "anchor is already used"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
        ("", (1, 1), "empty"),
        ("# nothing\n", (1, 1), "empty"),
        ("---\n", (1, 1), "empty"),
        ("- a\n", (1, 1), "expected keys with values"),
        ("hello\n", (1, 1), "expected keys with values"),
        ("a:\n\tb: 1\n", (2, 1), "a tab"),
        ("a: 1\n  \tb: 1\n", (2, 3), "a tab"),
        ("a: b: c\n", (1, 5), "colon is not possible"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "indentation"),
        ("a: 'x\n", (2, 1), "inside a quoted text"),
        ("a: [1, 2\nb: 3\n", (2, 2), "`]` is missing"),
        ("a: @x\n", (1, 4), "cannot begin a value"),
        ('a: "\\q"\n', (1, 6), "escape is not known"),
        ('a: "\\e[31m"\n', (1, 4), "U+001B"),
        ('a: "\\ud800"\n', (1, 4), "U+D800"),
        ('"a\\u202e": 1\n', (1, 1), "U+202E"),
        ("? [a]\n: b\n", (1, 3), "key must be plain text"),
        ("'': b\n", (1, 1), "a key is missing"),
        ("a: x\0y\n", (1, 5), "U+0000"),
        ("a: x\x1by\n", (1, 5), "U+001B"),
        ("a: 1\nb: x\u202ey\n", (2, 5), "right-to-left override"),
        ("a: x\u2028y\n", (1, 5), "U+2028"),
        ("a:\u00a0x\n", (1, 3), "no-break space"),
        ("a: " + "[" * 40 + "]" * 40, (1, 35), "nested deeper"),
        ("a:\n" + "\n".join("  " * n + "- b:" for n in range(1, 20)), (17, 35), "nested deeper"),
    ],
)
def test_what_is_refused_and_where(write: Write, text: str, place: tuple[int, int], message: str) -> None:
    found = refused(write(text))
    assert [(p.line, p.column) for p in found if message in p.message] == [place], [str(p) for p in found]


def test_an_alias_stands_for_its_anchor(write: Write) -> None:
    document, problems = yaml_source.read(write("a: &x [1, {b: 2}]\nc: *x\n"))
    assert problems == []
    assert document.root.data() == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_aliases_cannot_explode(write: Write) -> None:
    names = "abcdefghij"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]" for before, name in itertools.pairwise(names)]
    begun = time.monotonic()
    found = refused(write("\n".join(lines)))
    assert [p.message for p in found] == ["the aliases add more than 2000 values"]
    assert time.monotonic() - begun < 2


def test_aliases_cannot_nest_deeper_than_text_may(write: Write) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
    assert any("nested deeper" in p.message for p in refused(write("\n".join(lines))))


@pytest.mark.parametrize("unit", ["[", "{", "- ", "? ", "[[x]: "])
def test_deep_nesting_is_left_early(write: Write, unit: str) -> None:
    begun = time.monotonic()
    assert refused(write("a: " + unit * ((MAX_BYTES - 10) // len(unit))))
    assert time.monotonic() - begun < 5


def test_all_faults_of_the_yaml_are_told_at_once(write: Write) -> None:
    found = refused(write("a: 1\na: 2\nb: !x 1\n<<: 3\n"))
    assert [p.line for p in found] == [2, 3, 4]


def test_a_byte_order_mark_is_no_part_of_the_text(write: Write) -> None:
    raw = b"\xef\xbb\xbfa: 1\n"
    document, problems = yaml_source.read(write(raw))
    assert (document.root.data(), problems) == ({"a": 1}, [])
    assert document.sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("raw", "place", "byte"),
    [
        (b"a: 1\nb: \xff\n", (2, 4), "byte 8 (0xff)"),
        (b"\xef\xbb\xbfa: \xe9t\xe9\n", (1, 4), "byte 6 (0xe9)"),
        ("a: ü".encode() + b"\xc3", (1, 5), "byte 5 (0xc3)"),
    ],
)
def test_bytes_that_are_not_utf8_are_named(write: Write, raw: bytes, place: tuple[int, int], byte: str) -> None:
    (problem,) = refused(write(raw))
    assert (problem.line, problem.column) == place
    assert byte in problem.message


def test_utf16_is_called_by_its_name(write: Write) -> None:
    (problem,) = refused(write("a: 1\n".encode("utf-16")))
    assert "UTF-16" in problem.message


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_yaml_does(write: Write, ending: str) -> None:
    (problem,) = refused(write(ending.join(["a: 1", "b: |", "  x", "  y", "a: 2", ""])))
    assert (problem.line, problem.column, problem.excerpt) == (5, 1, "a: 2")


def test_files_that_are_no_files(tmp_path: Path, write: Write) -> None:
    os.mkfifo(tmp_path / "pipe")
    secret = write("a: 1", "locked.yaml")
    big = write("a: " + "x" * MAX_BYTES, "big.yaml")
    expected = {
        tmp_path / "missing.yaml": "cannot be opened: No such file",
        tmp_path: "is a folder",
        tmp_path / "pipe": "not a regular file",
        Path("/dev/zero"): "not a regular file",
        Path("nul\0byte"): "cannot be opened",
        secret / "below": "cannot be opened: Not a directory",
        big: "larger than 1024 KiB",
    }
    for path, message in expected.items():
        (problem,) = refused(path)
        assert message in problem.message, path
        assert problem.line == 0


def test_a_private_file_never_shows_its_text(write: Write) -> None:
    for text in (
        "pin: *648219\n",
        "pin: &648219 x\npin: &648219 y\n",
        "pin: '648219\n",
        "pin: @648219\n",
        "pin: !648219\n",
    ):
        rendered = "\n".join(str(p) for p in refused(write(text), private=True))
        assert rendered
        assert "648219" not in rendered


def test_a_place_inside_a_text_is_found_where_the_file_spells_it_so(write: Write) -> None:
    document, _ = yaml_source.read(write("a: 'x {{ y }}'\nb: \"q\\x41z\"\nc: >-\n  folded\n  text\n"))

    def place(document: Document, key: str, offset: int) -> tuple[int, int]:
        mark = document.inside(document.root.items[key], offset)
        return mark.line, mark.column

    assert place(document, "a", 2) == (1, 7)
    assert place(document, "b", 2) == (2, 4), "an escape: the beginning of the value"
    assert place(document, "c", 3) == (3, 4)
