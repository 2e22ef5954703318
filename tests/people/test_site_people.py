"""`two_people` of a site profile: what is wrong is told at its place, before anything starts."""

from __future__ import annotations

import grp
from pathlib import Path

import pytest

from runbook.files.loader import load_site
from runbook.files.people_checks import people_problems
from runbook.files.problems import Problem
from tests.people.keys import Keys

SITE = """\
site: 1
name: here
two_people:
  allowed_signers: keys/allowed_signers
  people:
    anna: {principal: anna@example.org, accounts: [anna], may: [drive]}
    ben: {principal: ben@example.org, accounts: [ben]}
"""


def problems(tmp_path: Path, old: str = "", new: str = "") -> list[Problem]:
    assert old in SITE
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace(old, new, 1) if old else SITE)
    loaded = load_site(path)
    return list(people_problems(loaded.document, loaded.model))


def test_people_that_fit(tmp_path: Path, keys: Keys) -> None:
    assert problems(tmp_path) == []


def test_files_lie_beside_the_profile(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    problems(tmp_path, "  people:", "  revoked_keys: gone\n  people:")
    monkeypatch.chdir("/")
    two = load_site(tmp_path / "site.yaml").model.two_people
    assert two is not None
    assert (two.allowed_signers, two.revoked_keys) == (str(keys.allowed), str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("keys/allowed_signers", "keys/none", 4, "cannot be read: No such file"),
        ("  people:", "  revoked_keys: keys/none\n  people:", 5, "cannot be read: No such file"),
        ("ben@example.org", "anna@example.org", 7, "ben has the same principal as anna"),
        ("[ben]", "[anna]", 7, "the account `anna` is anna's already"),
        ("ben@example.org", "dora@example.org", 4, "no line of this file is for ben (`dora@example.org`)"),
        ("  people:", "  group: no-such-group\n  people:", 5, "no group `no-such-group`"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_people_that_do_not_fit(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    (problem,) = problems(tmp_path, old, new)
    assert message in problem.message
    assert problem.line == line


def test_a_line_for_everybody(tmp_path: Path, keys: Keys) -> None:
    keys.lines.clear()
    keys.allow("*@example.org,!eve@example.org", "ben", "cert-authority")
    assert problems(tmp_path) == []
    keys.lines.clear()
    keys.allow("*@example.org,!ben@example.org", "ben", "cert-authority")
    (problem,) = problems(tmp_path)
    assert "no line of this file is for ben" in problem.message


def test_a_group_that_cannot_get_there(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    group = grp.getgrgid(1).gr_name
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(closed / "state"))
    tmp_path.parent.parent.chmod(0o755)
    (problem,) = problems(tmp_path, "  people:", f"  group: {group}\n  people:")
    assert "does not let it pass" in problem.message
    assert (problem.severity, problem.line) == ("warning", 5)
