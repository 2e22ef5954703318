"""Every kind of step with the line cut in its middle: never green, an action is in doubt, nothing left, repeatable."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.hosts.command import CommandAction, CommandCheck
from checks.hosts.copy import CopiedCheck, Copy
from checks.hosts.errors import HostError
from checks.hosts.file import FileCheck
from checks.hosts.port import Port
from checks.hosts.secret_file import SecretFile
from checks.hosts.systemd import Stop, SystemdCheck
from checks.hosts.usb import Usb
from runbook.kind import Kind
from runbook.model import Role
from runbook.outcome import Outcome, Verdict
from tests.hosts.reaching import Reaching, Transport, reaching
from tests.ssh_lab.host import Host
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.namespaces import SEARCH

MARK = "86399"
SECRET = "a value nobody shows"

UNIT = {"Id": "one.service", "LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "UnitFileState": ""}


@dataclass(frozen=True)
class Case:
    """A step, and what on the host is to hang so that the line can be cut in its middle."""

    kind: type[Kind[Any]]
    params: Mapping[str, Any]
    hangs: str
    """The program that hangs; `usb`: the kernel's list of devices does."""
    typed: str = ""
    sudo: bool = True
    """Whether it knows `sudo`."""
    ended: bool = True
    """Whether the far side ends the program; one that only reads, and speaks through the channel itself, ends when
    its input or its output does, which a program that hangs does not notice.
    """

    @property
    def mark(self) -> str:
        return "idVendor idProduct" if self.hangs == "usb" else f"sleep {MARK}"


FOLDER = "/srv/steps"
CASES = {
    "command": Case(CommandCheck, {"run": ["look"], "expect": {"stdout": "seen"}}, "look"),
    "command, action": Case(CommandAction, {"run": ["look"]}, "look"),
    "systemd": Case(SystemdCheck, {"unit": "one.service", "expect": {"active": False}}, "systemctl"),
    "systemd, action": Case(Stop, {"unit": "one.service"}, "systemctl"),
    "file": Case(FileCheck, {"path": f"{FOLDER}/file", "expect": {"present": True}}, "stat"),
    "copy": Case(Copy, {"source": "source", "target": f"{FOLDER}/target"}, "sha256sum"),
    "copied": Case(CopiedCheck, {"source": "source", "target": f"{FOLDER}/target"}, "stat"),
    "port": Case(Port, {"address": "127.0.0.1", "port": 22}, "python3", sudo=False),
    "secret_file": Case(SecretFile, {"path": f"{FOLDER}/file", "ask": "Which?"}, "cat", typed=SECRET, ended=False),
    "usb": Case(Usb, {"device": "20a0:4230"}, "usb", sudo=False),
}


@pytest.fixture
def beta(ssh_lab: Lab) -> Iterator[Host]:
    """With everything that the steps look for."""
    host = ssh_lab.beta
    host.run("install", "-d", "-m", "777", FOLDER)
    host.write(f"{FOLDER}/file", SECRET, mode=0o644)
    host.unit("one.service", **UNIT)
    host.write("/usr/local/bin/look", "#!/bin/sh\necho seen\n", mode=0o755)
    # A machine without a USB port has no such folder, and nothing can be made in its sysfs.
    host.run("mount", "-t", "tmpfs", "usb", "/sys")
    for name, value in {"idVendor": "20a0", "idProduct": "4230", "busnum": "1", "devnum": "1"}.items():
        host.write(f"/sys/bus/usb/devices/1-1/{name}", f"{value}\n")
    host.run("chmod", "-R", "a+rX", "/sys/bus")
    yield host
    host.run("umount", "/sys")
    for path in (FOLDER, "/run/lab/units/one.service", "/usr/local/bin/look"):
        host.remove(path)


@contextlib.contextmanager
def hanging(host: Host, what: str) -> Iterator[None]:
    """A program that stands before the real one in the path, and sleeps."""
    path, kept = f"/usr/local/bin/{what}", f"/usr/local/share/{what}.kept"
    if what == "usb":
        path, kept = "/sys/bus/usb/devices/1-1/idVendor", "/sys/idVendor.kept"
    there = host.exists(path)
    if there:
        host.run("mv", path, kept)
    if what == "usb":
        host.run("mkfifo", "-m", "666", path)
    else:
        host.write(path, f"#!/bin/sh\nPATH={SEARCH} exec /bin/sleep {MARK}\n", mode=0o755)
    try:
        yield
    finally:
        host.run("rm", path)
        if there:
            host.run("mv", kept, path)


async def step(reached: Reaching, case: Case, *, on: str, sudo: bool) -> Outcome:
    """As the engine would judge it."""
    params = {**case.params, "on": on, **({"sudo": sudo} if case.sudo else {})}
    kind = case.kind(case.kind.Params.model_validate(params))
    try:
        outcome = await kind.run(reached.context)
    except HostError as error:
        judge = Outcome.in_doubt if error.in_doubt and kind.role is Role.ACTION else Outcome.errored
        outcome = judge(str(error), symptom=error.symptom)
    assert outcome.verdict.green or outcome.symptom in kind.symptoms, "hints could not match it"
    return outcome


def until_no_half_copy(host: Host) -> None:
    deadline = time.monotonic() + 20
    while set(host.run("ls", "-A", FOLDER).split()) - {"file", "target"}:
        assert time.monotonic() < deadline, host.run("ls", "-lA", FOLDER)
        time.sleep(0.05)


async def cut_in_the_middle(
    reached: Reaching, host: Host, case: Case, trouble: contextlib.AbstractContextManager[object], *, sudo: bool
) -> None:
    """The step fails as it should, its process on the host goes, and the step succeeds when all is well again."""
    reached.person.secrets = [case.typed] * 2
    reached.context.folder.joinpath("source").write_text("a file to copy\n")
    on = "beta-ops"
    await reached.connection(on)
    with hanging(host, case.hangs):
        running = asyncio.create_task(step(reached, case, on=on, sudo=sudo))
        hung = asyncio.create_task(asyncio.to_thread(host.until, case.mark, running=True))
        await asyncio.wait((running, hung), return_when=asyncio.FIRST_COMPLETED)
        assert not running.done(), running.result()
        await hung
        with trouble:
            async with asyncio.timeout(45):
                outcome = await running
        if not case.ended:
            host.run("kill", *map(str, host.running(case.mark)))
        await asyncio.to_thread(host.until, case.mark, running=False)
    in_doubt = case.kind.role is Role.ACTION
    assert outcome.verdict is (Verdict.IN_DOUBT if in_doubt else Verdict.ERRORED), outcome
    assert outcome.symptom == "line lost"
    await asyncio.to_thread(until_no_half_copy, host)
    if case.kind is CopiedCheck:
        await step(reached, CASES["copy"], on=on, sudo=sudo)
    again = await step(reached, case, on=on, sudo=sudo)
    if case.kind is not Stop:  # the stand-in for systemctl only shows
        assert again.verdict is Verdict.PASSED, again


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
@pytest.mark.parametrize("name", CASES)
async def test_sshd_killed_in_the_middle(
    ssh_lab: Lab, beta: Host, tmp_path: Path, transport: Transport, name: str
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport, sudo="free") as reached:
        await cut_in_the_middle(reached, beta, CASES[name], beta.sshd_killed(), sudo=True)


@pytest.mark.usefixtures("attentive")
@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
@pytest.mark.parametrize("name", CASES)
async def test_the_cable_pulled_in_the_middle(
    ssh_lab: Lab, beta: Host, tmp_path: Path, transport: Transport, name: str
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        await cut_in_the_middle(reached, beta, CASES[name], ssh_lab.jump.cut(), sudo=False)
