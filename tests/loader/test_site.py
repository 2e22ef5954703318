"""The site profile: how it is found, and whether it fits the runbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.files.loader import check_site, load_runbook, load_site
from runbook.files.named import find_site
from runbook.files.problems import InvalidDocument, Problem
from runbook.kind import Registry, TokenName
from runbook.model import Role
from tests.loader.small_kinds import GOOD, KINDS, SITE, Slots, SlotsParams

Write = Callable[..., Path]
Check = Callable[[str, str], list[Problem]]


@pytest.fixture
def check(write: Write, registry: Registry) -> Check:
    """The problems of a runbook and a site profile together."""

    def check(runbook: str, site: str) -> list[Problem]:
        loaded = load_runbook(write(runbook), registry)
        return list(check_site(loaded, load_site(write(site, "site.yaml")), registry))

    return check


def test_a_site_that_fits(check: Check) -> None:
    assert check(GOOD, SITE) == []


def test_a_token_that_the_site_lacks(check: Check) -> None:
    site = SITE.replace("  intermediate:", "  intermediat:")
    problems = check(GOOD, site)
    assert [(p.path.name, p.line, p.column) for p in problems] == [("runbook.yaml", 23, 16), ("runbook.yaml", 50, 38)]
    assert all("has no token `intermediate`" in p.message for p in problems)
    assert all("`intermediat`" in p.suggestion for p in problems)


@pytest.mark.parametrize("missing", ["two_people", "a witness"])
def test_two_people_need_a_site_that_names_them(check: Check, missing: str) -> None:
    start, end = SITE.index("two_people:"), SITE.index("inputs:")
    if missing == "two_people":
        site = SITE[:start] + SITE[end:]
    else:
        site = SITE.replace("principal: ben@here", "principal: ben@here, may: [drive]")
    (problem,) = check(GOOD, site)
    assert (problem.path.name, problem.line, problem.column) == ("runbook.yaml", 49, 57)
    assert "names nobody who may approve" in problem.message
    assert "`two_people`" in problem.suggestion
    assert check(GOOD.replace("two_person: true", "two_person: false"), site) == [], "nobody is needed then"


def test_tokens_in_lists_are_looked_up_too(check: Check) -> None:
    runbook = GOOD.replace("volume: ca-data", "volume: ca-data\n        tokens: [intermediate, root]")
    assert [(p.line, p.column) for p in check(runbook, SITE)] == [(48, 32)]


def test_a_token_that_a_kind_names_by_default(write: Write) -> None:
    class Params(SlotsParams):
        token: TokenName = "spare"

    registry = Registry({**KINDS, (Role.CHECK, "slots"): type("Defaulting", (Slots,), {"Params": Params})})
    loaded = load_runbook(write(GOOD.replace("        token: intermediate\n", "", 1)), registry)
    (problem,) = check_site(loaded, load_site(write(SITE, "site.yaml")), registry)
    assert "has no token `spare`" in problem.message
    assert (problem.line, problem.column) == (22, 16)


@pytest.mark.parametrize(
    ("value", "message", "severity"),
    [
        ("  mount: [a]\n", "expected one value", "error"),
        ("  mount: 1.5\n", "expected text", "error"),
        ("  mount: ''\n", "does not fit the input `mount`", "error"),
        ("  mount: /mnt\n  fingerprint: abc\n", "comes from paper", "error"),
        ("  mount: /mnt\n  other: x\n", "no input `other`", "warning"),
    ],
)
def test_values_that_do_not_fit(check: Check, value: str, message: str, severity: str) -> None:
    (problem,) = check(GOOD, SITE.replace("  mount: /mnt/usb\n", value))
    assert (problem.path.name, problem.severity) == ("site.yaml", severity)
    assert message in problem.message


def test_a_value_that_the_site_must_give(check: Check, write: Write, registry: Registry) -> None:
    site = SITE.replace("inputs:\n  mount: /mnt/usb\n", "")
    (problem,) = check(GOOD, site)
    assert (problem.path.name, problem.line, problem.column) == ("runbook.yaml", 8, 3)
    assert "does not give the input `mount`" in problem.message
    loaded, profile = load_runbook(write(GOOD), registry), load_site(write(site, "site.yaml"))
    assert check_site(loaded, profile, registry, given={"mount"}) == ()


def test_a_secret_in_the_site_profile_is_refused_and_not_shown(check: Check) -> None:
    runbook = GOOD.replace("inputs:\n", "inputs:\n  pass: {type: secret, ask: Password}\n")
    problems = check(runbook, SITE + "  pass: geheim7719\n")
    assert ["must not be stored" in p.message for p in problems] == [True]
    assert "7719" not in "".join(str(p) for p in problems)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("name: Here", "name: Here\nhost: x", (3, 1), "`host` is not known"),
        ("label: ccat, serial: DENK0100001", "label: ccat, uri: 'pkcs11:x'", (4, 17), "not both"),
        ("label: ccat, serial: DENK0100001", "env: {}", (4, 17), "say which token"),
        ("label: ccat,", "label: 5,", (4, 48), "expected text, found a number"),
        ("module: /usr/lib/x.so, ", "", (4, 17), "`module` is missing in `intermediate`"),
        ("site: 1", "site: 2", (1, 7), "newer schema version 2"),
        ("site: 1\n", "runbook: 1\n", (1, 1), "this is a runbook, not a site profile"),
    ],
)
def test_faults_of_the_profile_itself(write: Write, old: str, new: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_site(write(SITE.replace(old, new), "site.yaml"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == place, str(problem)
    assert message in problem.message


@pytest.mark.parametrize(
    ("given", "meant"),
    [("x.so", "{}/x.so"), ("lib/x.so", "{}/lib/x.so"), ("~/x.so", "/home/someone/x.so"), ("/usr/x.so", "/usr/x.so")],
)
def test_a_relative_module_lies_beside_the_profile(
    write: Write, monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    """The dynamic loader would look for a bare name wherever it likes."""
    monkeypatch.setenv("HOME", "/home/someone")
    path = write(SITE.replace("/usr/lib/x.so", given), "site.yaml")
    monkeypatch.chdir(path.parent)
    assert load_site(Path(path.name)).model.tokens["intermediate"].module == meant.format(path.parent)


def test_where_the_site_profile_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config" / "hsm-runbook" / "site.yaml"
    beside = tmp_path / "work" / "site.yaml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    runbook = tmp_path / "work" / "runbook.yaml"
    assert find_site(None, runbook) is None
    for path in (config, beside):
        path.parent.mkdir(parents=True)
        path.write_text(SITE)
        assert find_site(None, runbook) == path
    assert find_site(Path("named.yaml"), runbook) == Path("named.yaml")
