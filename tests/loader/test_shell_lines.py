"""A line that a shell reads: pointed out, and no value is inserted into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.files.loader import load_runbook
from runbook.files.problems import InvalidDocument, Problem, Severity
from runbook.kind import Registry

RUNBOOK = """\
runbook: 1
id: t
title: T
inputs:
  label: {type: string, ask: Which label}
stages:
  - id: A
    title: A
    steps:
      - id: A1
        title: One
        action: command
        KEYS
"""


def told(write: Callable[..., Path], keys: str) -> list[Problem]:
    try:
        text = RUNBOOK.replace("KEYS", keys.replace("\n", "\n        "))
        return list(load_runbook(write(text), Registry()).warnings)
    except InvalidDocument as error:
        return list(error.problems)


def test_a_shell_line_is_a_warning_at_its_place(write: Callable[..., Path]) -> None:
    problems = told(write, "shell: true\nrun: ['trust list | grep -c \"$1\"', '{{ label }}']")
    assert [(problem.severity, problem.line) for problem in problems] == [(Severity.WARNING, 13)]
    assert "a shell reads this line" in problems[0].message


@pytest.mark.parametrize("run", ["['echo {{ label }}']", "['echo {{ label }}', x]", "'{{ label }}'"])
def test_a_value_within_the_line_is_an_error(write: Callable[..., Path], run: str) -> None:
    problems = told(write, f"shell: true\nrun: {run}")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert "would be read as part of it" in errors[0].message
    assert errors[0].line == 14
    assert '"$1"' in errors[0].suggestion


@pytest.mark.parametrize("keys", ["run: [echo, '{{ label }}']", "shell: false\nrun: [echo, '{{ label }}']"])
def test_an_argument_list_is_nothing_to_point_out(write: Callable[..., Path], keys: str) -> None:
    assert told(write, keys) == []


def test_the_probes_line_is_looked_at_too(write: Callable[..., Path]) -> None:
    problems = told(
        write, "run: [echo, '{{ label }}']\nprobe: {check: command, shell: true, run: ['test {{ label }}']}"
    )
    assert {problem.severity for problem in problems} == {Severity.WARNING, Severity.ERROR}


@pytest.mark.parametrize("yes", ["yes", "on", "'true'", "Y", "1", "TRUE"])
def test_every_spelling_of_yes_is_seen(write: Callable[..., Path], yes: str) -> None:
    problems = told(write, f"shell: {yes}\nrun: ['echo {{{{ label }}}}']")
    assert Severity.ERROR in [problem.severity for problem in problems]


def test_whether_there_is_a_shell_is_no_value(write: Callable[..., Path]) -> None:
    problems = told(write, "shell: '{{ label }}'\nrun: [echo]")
    assert "never a value that is inserted" in problems[-1].message
    assert problems[-1].severity is Severity.ERROR


def test_checks_within_a_step_are_looked_at_too(write: Callable[..., Path]) -> None:
    fleet = RUNBOOK.replace("action: command\n        KEYS", "check: fleet\n        checks: [{check: command, KEYS}]")
    with pytest.raises(InvalidDocument) as raised:
        load_runbook(write(fleet.replace("KEYS", "shell: true, run: ['echo {{ label }}']")), Registry())
    assert any("would be read as part of it" in problem.message for problem in raised.value.problems)
