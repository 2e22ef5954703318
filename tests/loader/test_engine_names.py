"""Volumes and containers that steps name: only those that the site profile's engine lists, told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.files.loader import check_site, load_runbook, load_site
from runbook.kind import Registry

RUNBOOK = """\
runbook: 1
id: volumes
title: Volumes
stages:
  - id: A
    title: Look
    steps:
      - id: A1
        title: A volume made anew
        action: docker.volume.recreate
        engine: ca
        volume: {volume}
        gate: {{confirm: Really}}
        irreversible: true
        probe:
          check: docker.volume
          engine: ca
          volume: {probed}
          expect: {{empty: true}}
        backout:
          - action: docker.volume.restore
            title: Its snapshot is put back
            engine: ca
            volume: {restored}
            file: kept.tar
      - id: A2
        title: A container
        check: docker.logs
        engine: ca
        container: {container}
        good: ready
"""

SITE = """\
site: 1
name: here
engines:
  ca: {volumes: [data], containers: [ca-1]}
  other: {volumes: [elsewhere]}
"""


def told(tmp_path: Path, site: str = SITE, **names: str) -> list[tuple[int, int, str, str]]:
    given = {"volume": "data", "probed": "data", "restored": "data", "container": "ca-1"} | names
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.format(**given))
    (tmp_path / "site.yaml").write_text(site)
    registry = Registry()
    runbook = load_runbook(tmp_path / "runbook.yaml", registry)
    found = check_site(runbook, load_site(tmp_path / "site.yaml"), registry)
    return [(problem.line, problem.column, problem.message, problem.suggestion) for problem in found]


def test_what_the_engine_names_is_not_told(tmp_path: Path) -> None:
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("key", "line", "column"), [("volume", 12, 17), ("probed", 18, 19), ("restored", 24, 21), ("container", 30, 20)]
)
def test_what_it_does_not_name_is_told_at_its_place(tmp_path: Path, key: str, line: int, column: int) -> None:
    (problem,) = told(tmp_path, **{key: "elsewhere"})

    assert problem[:2] == (line, column)
    assert "the engine `ca`" in problem[2]
    assert "`elsewhere`" in problem[2]
    assert "no step may touch it" in problem[2]


def test_a_slip_is_recognised(tmp_path: Path) -> None:
    ((*_, suggestion),) = told(tmp_path, container="ca-11")
    assert "`ca-1`" in suggestion


def test_of_an_engine_that_is_not_there_nothing_more_is_told(tmp_path: Path) -> None:
    said = [message for _, _, message, _ in told(tmp_path, "site: 1\nname: here\n")]
    assert len(said) == 4
    assert all("has no engine `ca`" in message for message in said)


def test_a_name_that_is_known_only_later_is_left_to_the_step(tmp_path: Path) -> None:
    text = RUNBOOK.format(volume="'{{ which }}'", probed="data", restored="data", container="ca-1")
    text = text.replace("title: Volumes\n", "title: Volumes\ninputs: {which: {type: string, ask: Which}}\n")
    (tmp_path / "runbook.yaml").write_text(text)
    (tmp_path / "site.yaml").write_text(SITE)
    registry = Registry()
    runbook = load_runbook(tmp_path / "runbook.yaml", registry)
    assert check_site(runbook, load_site(tmp_path / "site.yaml"), registry) == ()
