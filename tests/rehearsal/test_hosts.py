"""The lab's hosts, judged by the system's own ssh."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

import pytest

from rehearsal.hosts import HOSTS, make_hosts
from rehearsal.lab import make_lab
from runbook.files.loader import check_site, load_runbook, load_site
from runbook.files.problems import Severity
from runbook.kind import Registry
from runbook.site import Site

RUNBOOK = Path(__file__).parents[2] / "runbook.yaml"


@pytest.fixture(params=["lab", "a lab at 100%h"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / request.param
    folder.mkdir()
    return folder


def ssh(lab: Path, host: str, *command: str) -> subprocess.CompletedProcess[str]:
    argv = ["ssh", "-F", str(lab / "hosts" / "ssh_config"), "-o", "StrictHostKeyChecking=yes", host, *command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def test_each_host_is_let_in_to_and_has_the_environment_of_the_lab(lab: Path) -> None:
    made = make_hosts(lab, getpass.getuser(), {"SOFTHSM2_CONF": "/a b/softhsm2.conf"})
    for host in HOSTS.values():
        done = ssh(lab, host, 'id -un; printf "%s\\n" "$SOFTHSM2_CONF"')
        assert (done.returncode, done.stdout) == (0, f"{getpass.getuser()}\n/a b/softhsm2.conf\n"), done.stderr
    site = Site.model_validate({"site": 1, "name": "lab", **made})
    assert {host.ssh for host in site.hosts.values()} == set(HOSTS.values())
    assert set(site.groups["staging"]) | set(site.groups["production"]) == set(site.hosts)


def test_without_an_sshd_what_needs_hosts_is_not_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("hosts", "lacking"):
        monkeypatch.setattr(f"rehearsal.{module}.find_sshd", lambda: None)
    registry = Registry()
    runbook = load_runbook(RUNBOOK, registry)
    made = make_lab(tmp_path / "lab", runbook=runbook.model)
    site = load_site(made.site)
    assert [problem for problem in check_site(runbook, site, registry) if problem.severity is Severity.ERROR] == []
    mark = site.model.rehearsal
    assert mark is not None
    elsewhere = {step.id for _, step in runbook.model.steps() if step.params.get("on") or step.kind == "ansible"}
    assert elsewhere
    assert elsewhere <= mark.lacks.keys()


def test_another_host_and_another_key_are_refused(lab: Path) -> None:
    make_hosts(lab, getpass.getuser(), {})
    known = lab / "hosts" / "known_hosts"
    other = (lab / "hosts" / "operator.pub").read_text().split()[:2]
    known.write_text(f"input-b {' '.join(other)}\n")
    stranger = ssh(lab, "input-a", "true")
    assert (stranger.returncode, "Host key verification failed" in stranger.stderr) == (255, True)
    changed = ssh(lab, "input-b", "true")
    assert (changed.returncode, "HAS CHANGED" in changed.stderr) == (255, True)
