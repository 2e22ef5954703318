"""The static walk: what cannot work although each step is well formed."""

from __future__ import annotations

import pytest

from runbook.files.problems import Severity
from tests.loader.small_kinds import GOOD, Problems


def told(problems_of: Problems, old: str, new: str) -> list[tuple[str, int, str]]:
    assert old in GOOD
    return [(p.severity.value, p.line, p.message) for p in problems_of(GOOD.replace(old, new, 1))]


IRREVERSIBLE = """\
        irreversible: true
        gate: {after: [A], phrase: 'WIPE {{ volume }}', two_person: true}
        probe: {check: slots, token: intermediate}
        backout: [Restore the snapshot]
"""


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (IRREVERSIBLE, []),
        ("        irreversible: false\n", []),
        ("", []),
        (
            "        irreversible: true\n",
            [
                "an irreversible action needs a probe that tells whether it is done",
                "an irreversible step needs a gate that asks a person",
                "warning: an irreversible step should say how to go back",
            ],
        ),
        (
            "        irreversible: true\n        gate: {after: [A]}\n        probe: {check: slots, token: x}\n"
            "        backout: [x]\n",
            ["an irreversible step needs a gate that asks a person"],
        ),
        (
            "        irreversible: true\n        gate: {confirm: Sure}\n        probe: {check: slots, token: x}\n"
            "        backout: [x]\n",
            [],
        ),
    ],
)
def test_what_an_irreversible_step_owes(problems_of: Problems, new: str, expected: list[str]) -> None:
    found = problems_of(GOOD.replace(IRREVERSIBLE, new))
    assert [("warning: " if p.severity is Severity.WARNING else "") + p.message for p in found] == expected


def test_a_check_cannot_be_irreversible(problems_of: Problems) -> None:
    found = told(problems_of, "count: 1", "irreversible: true")
    assert found == [("error", 24, "a check changes nothing, so it cannot be irreversible")]


def test_a_probe_on_a_check_is_pointed_out(problems_of: Problems) -> None:
    found = told(problems_of, "count: 1", "probe: {check: slots, token: x}")
    assert found == [("warning", 24, "only an action needs a probe")]


def test_two_people_need_two_roles(problems_of: Problems) -> None:
    found = told(problems_of, "roles: [driver, witness]", "roles: [driver]")
    assert found == [("error", 49, "two people are asked for, but there is one role")]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("{ask: Downtime window}", []),
        ("{}", ["the key `ask` is missing in `window`"]),
        ("{ask: ''}", ["this must not be empty"]),
        ("{ask: When, opens: '22:00'}", ["the key `opens` is not known here"]),
        ("22:00-23:30", ["expected keys with values, found text"]),
        ("{ask: 'When is {{ mount }} free?'}", ["nothing is inserted here; the braces are shown as they are"]),
    ],
)
def test_the_window_of_a_stage_needs_a_question(problems_of: Problems, window: str, expected: list[str]) -> None:
    found = problems_of(GOOD.replace("    title: Wipe\n", f"    title: Wipe\n    window: {window}\n"))
    assert [problem.message for problem in found] == expected
    assert {problem.line for problem in found} <= {43}


def test_a_fact_established_later_is_named(problems_of: Problems) -> None:
    text = GOOD.replace("        establishes: [seated]\n", "", 1).replace("    title: Wipe\n", "    title: Wipe\n", 1)
    text = text.replace("        action: wipe\n", "        action: wipe\n        establishes: [seated]\n")
    (problem,) = problems_of(text)
    assert (problem.message, problem.suggestion) == (
        "nothing before this step establishes `seated`",
        "`B1` establishes it, but later.",
    )


def test_facts_that_nobody_needs(problems_of: Problems) -> None:
    found = told(problems_of, "facts:\n", "facts:\n  idle: Nobody cares\n")
    assert found == [("warning", 10, "no step establishes the fact `idle`")]
    found = told(problems_of, "        requires: [ours]\n", "")
    assert found == [("warning", 11, "no step requires the fact `ours`")]


def test_what_the_last_step_establishes_is_the_result(problems_of: Problems) -> None:
    text = GOOD.replace("facts:\n", "facts:\n  wiped: It is wiped\n")
    assert problems_of(text + "        establishes: [wiped]\n") == []


def test_an_unused_input_is_a_warning(problems_of: Problems) -> None:
    found = told(problems_of, "'ok {{ serial }}'", "ok")
    assert found == [("warning", 6, "the input `serial` is never used")]


def test_an_unknown_kind_makes_no_false_warnings(problems_of: Problems) -> None:
    found = told(problems_of, "check: paper", "check: papr")
    assert found == [("error", 37, "there is no check named `papr`")]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("stdout: 'ok {{ serial }}'", "stdout: 'ok {{ serial }} {{ pass }}'", 29),
        ("'WIPE {{ volume }}'", "'WIPE {{ pass }}'", 50),
        ("probe: {check: slots, token: intermediate}", "probe: {check: slots, token: x, stdout: '{{ pass }}'}", 51),
    ],
)
def test_a_secret_is_never_inserted(problems_of: Problems, old: str, new: str, line: int) -> None:
    text = GOOD.replace("inputs:\n", "inputs:\n  pass: {type: secret, ask: Password}\n").replace(old, new)
    assert [(p.line, p.message) for p in problems_of(text)] == [
        (line, "`pass` is secret: a secret is never put into a text")
    ]


def test_a_value_that_is_inserted_later_is_not_judged_now(problems_of: Problems) -> None:
    text = GOOD.replace("count: 1", "count: '{{ serial }}'").replace("stdout: 'ok", "stdout: '[ {{ mount }}")
    assert problems_of(text) == []


def test_braces_where_nothing_is_inserted(problems_of: Problems) -> None:
    found = told(problems_of, "title: Wipe it", "title: Wipe {{ mount }}")
    assert found == [("warning", 45, "nothing is inserted here; the braces are shown as they are")]
    found = told(problems_of, "file: '{{ mount }}/root.crt'", "file: '{{ mount }}'\n        '{{ mount }}': x")
    assert ("error", 40, "nothing can be inserted into a key") in found


def test_ids_are_shared_and_case_does_not_tell_them_apart(problems_of: Problems) -> None:
    assert ("error", 41, "the id `a2` is already used in line 20") in told(problems_of, "id: B\n", "id: a2\n")


def test_all_problems_at_once(problems_of: Problems) -> None:
    text = (
        GOOD.replace("title: A small runbook", "title: A small runbook\ntitle: again")
        .replace("check: slots\n", "check: slot\n")
        .replace("count: 1", "count: many")
        .replace("input: fingerprint", "input: finger")
        .replace("requires: [ours]", "requires: [our]")
        .replace("after: [A]", "after: [C]")
        .replace("type: directory", "type: dir")
    )
    assert [p.line for p in problems_of(text) if p.severity is Severity.ERROR] == [4, 9, 23, 39, 41, 50]
