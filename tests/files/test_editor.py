"""Which editor, how it is told, and where a step stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.editor import Page, command, private_copy, runbook_page
from runbook.errors import EnvironmentLacks
from runbook.record.state import RunState

FILE = Path("/copy/runbook.yaml")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name in ("vim", "nano", "code", "less", "more", "emacs", "strange"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"EDITOR": "vim"}, "vim -R +12 /copy/runbook.yaml"),
        ({"EDITOR": "nano", "VISUAL": "vim -n"}, "vim -n -R +12 /copy/runbook.yaml"),
        ({"EDITOR": "nano"}, "nano -v +12 /copy/runbook.yaml"),
        ({"EDITOR": "code --wait"}, "code --wait --goto /copy/runbook.yaml:12"),
        ({"EDITOR": "code"}, "code --wait --goto /copy/runbook.yaml:12"),
        ({"EDITOR": "emacs -nw"}, "emacs -nw +12 /copy/runbook.yaml --eval (read-only-mode 1)"),
        ({"EDITOR": "strange"}, "strange /copy/runbook.yaml"),
        ({"EDITOR": " "}, "less +12 /copy/runbook.yaml"),
        ({}, "less +12 /copy/runbook.yaml"),
    ],
)
def test_each_is_told_in_its_own_way(programs: Path, settings: dict[str, str], told: str) -> None:
    assert " ".join(command({"PATH": str(programs), **settings}, FILE, 12)) == told


def test_by_its_whole_path(programs: Path) -> None:
    assert command({"PATH": "/nowhere", "EDITOR": f"{programs}/vim"}, FILE, 3)[1:] == ("-R", "+3", str(FILE))


@pytest.mark.parametrize("settings", [{}, {"EDITOR": "vim"}])
def test_none_is_told(settings: dict[str, str]) -> None:
    with pytest.raises(EnvironmentLacks, match="VISUAL or EDITOR"):
        command({"PATH": "/nowhere", **settings}, FILE, 1)


def test_the_copy_is_private_and_gone_afterwards() -> None:
    with private_copy(Page("runbook.yaml", b"a: 1\n")) as file:
        assert file.read_bytes() == b"a: 1\n"
        assert file.stat().st_mode & 0o777 == 0o400
        assert file.parent.stat().st_mode & 0o777 == 0o700
    assert not file.parent.exists()


TEXT = "runbook: 1\nid: t\nstages:\n  - id: A\n    steps:\n      - id: A.one\n      - title: T\n        id: A.two\n"


@pytest.mark.parametrize(("step", "line"), [("A.one", 6), ("A.two", 7), ("A.two.1", 7), ("elsewhere", 1)])
def test_where_a_step_stands_also_one_that_goes_back(tmp_path: Path, step: str, line: int) -> None:
    (tmp_path / "runbook.yaml").write_text(TEXT)
    assert runbook_page(RunState(), tmp_path, tmp_path / "runbook.yaml", step).line == line


def test_what_is_walked_is_shown_not_what_the_file_says_by_now(tmp_path: Path) -> None:
    digest = "ab" * 32
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / digest).write_text(TEXT)
    file = tmp_path / "runbook.yaml"
    file.write_text("# changed\n" + TEXT)
    page = runbook_page(RunState(attached={"runbook": digest}), tmp_path, file, "A.one")
    assert (page.content.decode(), page.line) == (TEXT, 6)
    file.unlink()
    assert runbook_page(RunState(attached={"runbook": digest}), tmp_path, file, "A.one").name == "runbook.yaml"
    (tmp_path / "attachments" / digest).unlink()
    with pytest.raises(EnvironmentLacks, match="cannot be read any more"):
        runbook_page(RunState(attached={"runbook": digest}), tmp_path, file, "A.one")


def test_a_file_that_is_no_yaml_any_more_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "runbook.yaml").write_bytes(os.urandom(64))
    with pytest.raises(EnvironmentLacks):
        runbook_page(RunState(), tmp_path, tmp_path / "runbook.yaml", "A")
