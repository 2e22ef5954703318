"""Hosts and groups that files name: found, or told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.files.loader import check_site, load_runbook, load_site
from runbook.files.problems import Severity
from runbook.kind import Registry

RUNBOOK = """\
runbook: 1
id: fleet
title: A fleet
stages:
  - id: A
    title: Look
    steps:
      - id: A1
        title: Hosts
        check: command
        run: ["true"]
        on: [{on}]
        hints:
          - likely: It is down
            try: [look, {{run: [uptime], on: {hint}}}]
"""

SITE = """\
site: 1
name: here
hosts:
  input-a: {{}}
  input-b: {{}}
groups:
  production: [input-a, {member}]
  all: [production, input-b]
{more}
"""


def told(
    tmp_path: Path, *, on: str = "all", hint: str = "input-a", member: str = "input-b", more: str = ""
) -> list[tuple[str, int, int, str, str]]:
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.format(on=on, hint=hint))
    (tmp_path / "site.yaml").write_text(SITE.format(member=member, more=more))
    registry = Registry()
    runbook, site = load_runbook(tmp_path / "runbook.yaml", registry), load_site(tmp_path / "site.yaml")
    found = check_site(runbook, site, registry)
    return [(p.path.name, p.line, p.column, p.message, p.suggestion) for p in found]


def test_what_fits_is_not_told(tmp_path: Path) -> None:
    assert told(tmp_path) == []
    assert told(tmp_path, on="local, input-a, production") == []


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    ((name, line, column, message, suggestion),) = told(tmp_path, on="input-a, prodution")
    assert (name, line, column) == ("runbook.yaml", 12, 23)
    assert "has no host or group `prodution`" in message
    assert "`production`" in suggestion


def test_the_host_of_a_hint_is_a_warning(tmp_path: Path) -> None:
    ((name, line, column, message, suggestion),) = told(tmp_path, hint="input-d")
    assert (name, line, column) == ("runbook.yaml", 15, 45)
    assert "`input-d`" in message
    assert "`input-" in suggestion


@pytest.mark.parametrize(
    ("member", "circle"),
    [("all", {"production → all → production", "all → production → all"}), ("production", {"production → production"})],
)
def test_groups_that_go_round_in_circles(tmp_path: Path, member: str, circle: set[str]) -> None:
    found = told(tmp_path, member=member)
    assert {message.partition(": ")[2] for *_, message, _ in found} == circle
    assert ("site.yaml", 7, 25) in [place[:3] for place in found]


def test_hints_do_not_stop_a_run(tmp_path: Path) -> None:
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.format(on="all", hint="input-d"))
    (tmp_path / "site.yaml").write_text(SITE.format(member="input-b", more=""))
    registry = Registry()
    loaded = load_runbook(tmp_path / "runbook.yaml", registry), load_site(tmp_path / "site.yaml")
    assert [problem.severity for problem in check_site(*loaded, registry)] == [Severity.WARNING]
