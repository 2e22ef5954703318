"""How a problem looks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from runbook.files.problems import (
    MAX_SHOWN,
    InvalidDocument,
    Problem,
    Severity,
    did_you_mean,
    in_order,
    render_all,
    verdict,
    width,
)

FILE = Path("r.yaml")


def caret_under(rendered: str) -> str:
    """What stands above the caret, by the columns a terminal gives to each character."""
    _, line, caret = rendered.split("\n")[:3]
    columns = len(caret) - 1
    assert caret == " " * columns + "^"
    taken = 0
    for char in line:
        if taken == columns and width(char):
            return char
        taken += width(char)
    return ""


@pytest.mark.parametrize(
    ("line", "column", "char"),
    [
        ("check: slot", 8, "s"),
        ("漢字: slot", 5, "s"),
        ("e\u0301e\u0301: slot", 7, "s"),
        ("a\tb: slot", 6, "s"),
        ("\x1b[31m: slot", 8, "s"),
        ("x\u202ey: slot", 6, "s"),
        ("👩: slot", 4, "s"),
        ("k: " + "y" * 500 + "S" + "z" * 500, 504, "S"),
        ("漢" * 500 + "S" + "字" * 500, 501, "S"),
        ("x: \u202e", 4, "⟨"),
    ],
)
def test_the_caret_stands_under_the_place(line: str, column: int, char: str) -> None:
    rendered = Problem(FILE, 1, column, "wrong", excerpt=line).render()
    assert caret_under(rendered) == char
    assert max(width(part) for part in rendered.split("\n")) < 320


def test_a_problem_as_a_whole() -> None:
    problem = Problem(FILE, 12, 9, "no check named `slot`", "did you mean `slots`?", excerpt="  check: slot")
    assert str(problem) == "\n".join(
        [
            "r.yaml:12:9: no check named `slot`",
            "      check: slot",
            "            ^",
            "  did you mean `slots`?",
        ]
    )


def test_a_warning_says_so_and_a_whole_file_has_no_line() -> None:
    assert str(Problem(FILE, 2, 1, "odd", severity=Severity.WARNING)) == "r.yaml:2:1: warning: odd"
    assert str(Problem(FILE, 0, 0, "is empty")) == "r.yaml: is empty"


def test_nothing_foreign_reaches_the_terminal() -> None:
    hostile = "\x1b]52;c;x\x07\u202e\n"
    rendered = Problem(Path(f"a{hostile}"), 1, 3, hostile, hostile, excerpt=hostile).render()
    assert not set("\x1b\x07\u202e") & set(rendered)
    assert len(rendered.split("\n")) == 4


def test_problems_are_sorted_and_told_once() -> None:
    late, early = Problem(FILE, 9, 1, "b"), Problem(FILE, 2, 5, "a")
    assert InvalidDocument([late, early, late]).problems == (early, late)
    assert in_order([late, early]) == (early, late)


def test_the_verdict_counts() -> None:
    error, warning = Problem(FILE, 1, 1, "x"), Problem(FILE, 1, 1, "y", severity=Severity.WARNING)
    assert verdict([error, error, warning]) == "2 errors and 1 warning"
    assert verdict([warning]) == "1 warning"
    assert verdict([]) == "no problems"


def test_a_flood_of_problems_is_cut() -> None:
    rendered = render_all(Problem(FILE, n, 1, "x") for n in range(1, MAX_SHOWN + 8))
    assert rendered.endswith("… and 7 more problems")


def test_an_invalid_document_survives_a_process_boundary() -> None:
    error = InvalidDocument([Problem(FILE, 1, 1, "x", excerpt="y")])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("slot", ["slots", "objects"], "did you mean `slots`?"),
        ("SLOTS", ["slots"], "did you mean `slots`?"),
        ("zzz", ["slots"], "Known: `slots`."),
        ("x", [], ""),
    ],
)
def test_suggestions(word: str, known: list[str], expected: str) -> None:
    assert did_you_mean(word, known, "Known:") == expected
