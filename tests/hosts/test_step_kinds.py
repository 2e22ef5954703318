"""The kinds of steps that run on machines: on this one, and on another reached like any host."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.files import CommandOutput
from checks.evidence.machines import Copied, FileState, PortState, SecretCompared, SystemdUnit, UsbDevices
from checks.hosts import usb
from checks.hosts.command import CommandAction, CommandCheck
from checks.hosts.copy import CopiedCheck, Copy
from checks.hosts.errors import UnknownHost
from checks.hosts.file import FileCheck
from checks.hosts.port import Port
from checks.hosts.secret_file import SecretFile
from checks.hosts.systemd import Mask, Stop, SystemdCheck
from checks.hosts.usb import Usb
from runbook.errors import StepError
from runbook.kind import Kind, Registry
from runbook.outcome import Outcome, Verdict
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import fleet
from tests.stand_in import StandIn


@pytest.fixture
def step(tmp_path: Path) -> StandIn:
    return fleet(tmp_path, "web1", "web2")[0]


WHERE = pytest.mark.parametrize("on", ["local", "web1"])


async def does(step: StandIn, kind: type[Kind[Any]], evidence: type[Any], **params: Any) -> tuple[Outcome, Any]:
    """The outcome and its first evidence; a symptom is one that the kind declares."""
    outcome = await step.run(kind, **params)
    assert outcome.symptom in {"", *kind.symptoms}
    assert isinstance(outcome.evidence[0], evidence)
    assert list(outcome.evidence[0].plain())
    assert type(outcome.evidence[0]) in kind.evidence
    return outcome, outcome.evidence[0]


def test_all_are_installed() -> None:
    names = Registry().names()
    assert {"command", "systemd", "usb", "file", "copy", "copied", "port", "secret_file", "systemd.mask"} <= set(names)


def test_each_says_where_and_as_whom() -> None:
    for kind, params in (
        (CommandCheck, {"run": ["id"]}),
        (SystemdCheck, {"unit": "a", "expect": {"active": True}}),
        (Mask, {"unit": "a"}),
        (FileCheck, {"path": "/etc/x"}),
        (Copy, {"source": "a", "target": "/b"}),
        (SecretFile, {"path": "/etc/x", "ask": "PIN"}),
    ):
        planned = "\n".join(kind(kind.Params(**params, on="web1", sudo=True)).plan())  # type: ignore[arg-type]
        assert "on web1, as root by sudo" in planned, planned
        assert "this machine" in "\n".join(kind(kind.Params(**params)).plan())  # type: ignore[arg-type]


# command


async def test_a_command_on_a_host_says_so(step: StandIn) -> None:
    outcome, said = await does(step, CommandCheck, CommandOutput, run=["printenv", "HOST"], on="web2")
    assert (outcome.verdict, said.on, said.stdout) == (Verdict.PASSED, "web2", "web2\n")
    assert step.lines == ["web2"]


@WHERE
async def test_a_shell_line_gets_values_as_arguments(step: StandIn, on: str) -> None:
    run = ['echo "$1" | tr a-z A-Z; echo $#', "it's $(id)", "b"]
    _, said = await does(step, CommandCheck, CommandOutput, on=on, **{"run": run, "shell": True})
    assert said.stdout == "IT'S $(ID)\n2\n"


@WHERE
async def test_a_late_action_is_in_doubt(step: StandIn, on: str) -> None:
    step.seconds_left = 2.0
    outcome, said = await does(step, CommandAction, CommandOutput, run=["sleep", "600"], on=on)
    assert (outcome.verdict, outcome.symptom, said.exit_code) == (Verdict.IN_DOUBT, "deadline", None)


async def test_an_action_runs_on_one_host(step: StandIn) -> None:
    with pytest.raises(UnknownHost, match="is a group"):
        await step.run(CommandAction, run=["id"], on="all")


# systemd

SYSTEMCTL = """#!/bin/sh
# A unit is a file of NAME=VALUE lines; the verbs change them.
echo "$*" >>"$UNITS/said"
while [ $# -gt 0 ]; do case $1 in --) shift; break ;; -*) shift ;; *) verb=$1; shift ;; esac; done
first=
for unit; do
  case $unit in *.*) ;; *) unit=$unit.service ;; esac
  f=$UNITS/$unit
  case $verb in
    show)
      [ -z "$first" ] || echo
      first=no
      if [ -e "$f" ]; then cat "$f"; else printf 'Id=%s\\nLoadState=not-found\\nActiveState=inactive\\n' "$unit"; fi ;;
    stop) sed -i 's/^ActiveState=.*/ActiveState=inactive/' "$f" ;;
    mask)
      grep -q stubborn "$f" ||
        sed -i 's/^LoadState=.*/LoadState=masked/; s/^UnitFileState=.*/UnitFileState=masked/' "$f" ;;
    *) echo "Failed to $verb $unit: Access denied" >&2; exit 4 ;;
  esac
done
"""


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "systemctl").write_text(SYSTEMCTL)
    (folder / "systemctl").chmod(0o755)
    monkeypatch.setenv("UNITS", str(folder))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    unit(folder, "pcscd.service", UnitFileState="indirect", TriggeredBy="pcscd.socket", MainPID="4711")
    unit(folder, "pcscd.socket", SubState="listening")
    return folder


def unit(folder: Path, name: str, **properties: str) -> None:
    said = {
        "Id": name,
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        **properties,
    }
    (folder / name).write_text("".join(f"{key}={value}\n" for key, value in said.items()))


BOTH = ["pcscd.service", "pcscd.socket"]


@pytest.mark.parametrize(
    ("names", "expect", "verdict", "symptom"),
    [
        (BOTH, {"active": True}, Verdict.PASSED, ""),
        ("pcscd", {"active": True, "masked": False, "enabled": False}, Verdict.PASSED, ""),
        ("pcscd.socket", {"enabled": True, "present": True}, Verdict.PASSED, ""),
        (BOTH, {"enabled": True}, Verdict.FAILED, "enablement"),
        (BOTH, {"active": False}, Verdict.FAILED, "active"),
        (BOTH, {"masked": True}, Verdict.FAILED, "masking"),
        ("pscd.service", {"active": False}, Verdict.FAILED, "no such unit"),
        ("pscd.service", {"present": False}, Verdict.PASSED, ""),
        ("pcscd.service", {"present": False}, Verdict.FAILED, "active"),
        ("gone.service", {"masked": True}, Verdict.PASSED, ""),
        ("soon.service", {"masked": True}, Verdict.WARNED, "masked until boot"),
        ("going.service", {"active": True}, Verdict.FAILED, "not active"),
        ("going.service", {"active": False}, Verdict.FAILED, "active"),
        ("broken.service", {"active": False}, Verdict.PASSED, ""),
    ],
)
async def test_units(
    step: StandIn, *, units: Path, names: str, expect: dict[str, bool], verdict: Verdict, symptom: str
) -> None:
    unit(units, "gone.service", LoadState="masked", ActiveState="inactive", UnitFileState="masked")
    unit(units, "soon.service", LoadState="masked", ActiveState="inactive", UnitFileState="masked-runtime")
    unit(units, "going.service", ActiveState="deactivating")
    unit(units, "broken.service", ActiveState="failed")
    outcome, _ = await does(step, SystemdCheck, SystemdUnit, unit=names, expect=expect, on="web1")
    assert (outcome.verdict, outcome.symptom) == (verdict, symptom)


async def test_what_starts_a_unit_again_is_told(step: StandIn, units: Path) -> None:
    outcome, said = await does(step, SystemdCheck, SystemdUnit, unit="pcscd", expect={"active": False})
    assert outcome.remedy == "What starts it again: pcscd.socket."
    assert (said.main_pid, said.active) == (4711, "active (running)")


async def test_units_are_stopped_and_masked(step: StandIn, *, units: Path) -> None:
    for kind in (Stop, Mask):
        outcome, _ = await does(step, kind, SystemdUnit, unit=BOTH, on="web1", sudo=False)
        assert outcome.verdict is Verdict.PASSED
    gone = {"active": False, "masked": True}
    assert (await step.run(SystemdCheck, unit=BOTH, expect=gone)).verdict is Verdict.PASSED
    assert "--no-ask-password mask -- pcscd.service pcscd.socket" in (units / "said").read_text()


async def test_an_action_that_changed_nothing_is_not_green(step: StandIn, units: Path) -> None:
    unit(units, "stubborn.service", Description="stubborn")
    outcome, _ = await does(step, Mask, SystemdUnit, unit="stubborn", sudo=False)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "masking")


async def test_systemctl_that_refuses(step: StandIn, units: Path) -> None:
    from checks.hosts.systemd import Start

    outcome, _ = await does(step, Start, SystemdUnit, unit="pcscd", sudo=False)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "refused")
    assert "Access denied" in outcome.summary


@WHERE
async def test_a_verb_that_takes_too_long_is_in_doubt(
    step: StandIn, *, on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    step.seconds_left = 2.0
    with pytest.raises(StepError, match="systemctl did not end within 1 seconds") as raised:
        await step.run(Stop, unit="a", sudo=False, on=on)
    assert raised.value.in_doubt
    assert raised.value.symptom == "deadline"


async def test_a_machine_without_systemd(step: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho 'System has not been booted with systemd' >&2; exit 1\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(StepError, match="not been booted") as raised:
        await step.run(SystemdCheck, unit="a", expect={"active": True})
    assert raised.value.symptom == "no systemd"


# usb


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    monkeypatch.setattr(usb, "SYSFS", str(folder))
    plug(folder, "1-1", idVendor="1d6b", idProduct="0002", serial="x", product="hub")
    (folder / "1-1:1.0").mkdir()
    return folder


def plug(folder: Path, port: str, **said: str) -> None:
    (folder / port).mkdir()
    for name, value in {"busnum": "1", "devnum": "7", **said}.items():
        (folder / port / name).write_text(f"{value}\n")


NITROKEY = {"idVendor": "20a0", "idProduct": "4230", "manufacturer": "Nitrokey", "product": "Nitrokey HSM"}


@WHERE
async def test_exactly_one_device(step: StandIn, sysfs: Path, on: str) -> None:
    plug(sysfs, "1-4.2", **NITROKEY, serial="DENK0400001")
    outcome, said = await does(step, Usb, UsbDevices, device="20A0:4230", on=on)
    assert outcome.verdict is Verdict.PASSED
    device = said.found[0]
    assert (device.port, device.serial, device.name) == ("1-4.2", "DENK0400001", "Nitrokey Nitrokey HSM")
    assert (device.bus, device.number, said.others) == ("1", "7", 1)


@pytest.mark.parametrize(
    ("plugged", "params", "symptom"),
    [
        (0, {}, "no device"),
        (2, {}, "too many devices"),
        (1, {"count": 2}, "too few devices"),
        (1, {"serial": "DENK9"}, "another serial"),
        (0, {"count": 0}, ""),
        (1, {"serial": "DENK0"}, ""),
        (2, {"count": 2}, ""),
    ],
)
async def test_devices_are_counted(
    step: StandIn, *, sysfs: Path, plugged: int, params: dict[str, Any], symptom: str
) -> None:
    for number in range(plugged):
        plug(sysfs, f"1-{number + 2}", **NITROKEY, serial=f"DENK{number}")
    outcome, _ = await does(step, Usb, UsbDevices, device="20a0:4230", on="web1", **params)
    assert outcome.symptom == symptom
    assert (outcome.verdict is Verdict.PASSED) == (not symptom)


async def test_a_machine_without_usb(step: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb, "SYSFS", "/no/such/folder")
    with pytest.raises(StepError, match="there is no /no/such/folder") as raised:
        await step.run(Usb, device="20a0:4230")
    assert raised.value.symptom == "no usb"


# file


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "plain").write_text("alpha\nSTEP_CA=1\n")
    (folder / "plain").chmod(0o640)
    (folder / "link").symlink_to("plain")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "old").write_text("")
    os.utime(folder / "old", (1, 1))
    return folder


SHA = hashlib.sha256(b"alpha\nSTEP_CA=1\n").hexdigest()


@WHERE
@pytest.mark.parametrize(
    ("name", "params", "symptom"),
    [
        ("plain", {}, ""),
        ("nothing", {}, "missing"),
        ("plain/below", {}, "missing"),
        ("nothing", {"expect": {"present": False}}, ""),
        ("plain", {"expect": {"present": False}}, "there"),
        ("dangling", {"expect": {"present": False}}, "there"),
        ("dangling", {"follow": True}, "missing"),
        ("plain", {"expect": {"type": "file", "mode": "640", "owner": "root", "group": "root", "sha256": SHA}}, ""),
        ("plain", {"expect": {"mode": "0600"}}, "mode"),
        ("plain", {"expect": {"owner": "nobody"}}, "owner"),
        ("plain", {"expect": {"sha256": "0" * 64}}, "content"),
        (".", {"expect": {"type": "directory"}}, ""),
        (".", {"expect": {"type": "file"}}, "type"),
        ("link", {"expect": {"type": "symlink"}}, ""),
        ("link", {"follow": True, "expect": {"type": "file", "mode": "0640"}}, ""),
        ("plain", {"expect": {"contains": ["^alpha$", "^STEP_CA="], "forbidden": "beta"}}, ""),
        ("plain", {"expect": {"contains": "beta"}}, "content"),
        ("plain", {"expect": {"forbidden": "^alpha"}}, "content"),
        ("plain", {"expect": {"newer_than": "files/old"}}, ""),
        ("old", {"expect": {"newer_than": "files/plain"}}, "older"),
    ],
)
async def test_files(
    step: StandIn,
    *,
    files: Path,
    name: str,
    params: dict[str, Any],
    symptom: str,
    on: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(files.parent)  # where an account's relative paths begin
    outcome, said = await does(step, FileCheck, FileState, path=f"files/{name}", on=on, **params)
    assert outcome.symptom == symptom, outcome.summary
    assert (outcome.verdict is Verdict.PASSED) == (not symptom)
    assert said.on == on
    assert not step.lines, "the file's content was shown"


async def test_a_file_with_an_odd_name(step: StandIn, files: Path) -> None:
    odd = "-rf $(id)\n'x' *"
    (files / odd).symlink_to("a\nmode 0000")
    _, said = await does(step, FileCheck, FileState, path=str(files / odd), on="web1")
    assert said.found == "symbolic link"
    assert said.mode == "0777"


def test_a_file_that_is_not_to_be_there_has_no_properties() -> None:
    with pytest.raises(ValidationError, match="can have no other property"):
        FileCheck.Params(path="x", expect={"present": False, "mode": "0600"})  # type: ignore[call-arg]


# copy


@pytest.mark.parametrize(
    ("source_on", "on"), [("local", "web1"), ("web1", "local"), ("local", "local"), ("web1", "web2")]
)
async def test_a_copy_is_the_same(step: StandIn, tmp_path: Path, source_on: str, on: str) -> None:
    data = bytes(range(256)) * 3000
    (tmp_path / "source").write_bytes(data)
    target = tmp_path / "it's a\ncopy"
    target.write_text("before")
    params = {"from": source_on, "on": on, "source": str(tmp_path / "source"), "target": str(target), "mode": "0640"}
    before, _ = await does(step, CopiedCheck, Copied, **params)
    assert (before.verdict, before.symptom) == (Verdict.FAILED, "content")
    outcome, said = await does(step, Copy, Copied, **params)
    assert outcome.verdict is Verdict.PASSED
    assert target.read_bytes() == data
    assert target.stat().st_mode & 0o7777 == 0o640
    assert said.target_sha256 == hashlib.sha256(data).hexdigest()
    assert (await step.run(CopiedCheck, **params)).verdict is Verdict.PASSED
    assert not leftovers(tmp_path)
    assert not step.lines, "the content was shown"


def leftovers(folder: Path) -> list[Path]:
    """Copies that are not in their place."""
    return list(folder.glob("*.runbook-*"))


async def test_an_empty_file_is_copied(step: StandIn, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    outcome = await step.run(Copy, source="empty", target=str(tmp_path / "copy"), on="web1")
    assert outcome.verdict is Verdict.PASSED
    assert (tmp_path / "copy").stat().st_size == 0


async def test_owner_and_group_of_a_copy(step: StandIn, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("x")
    params = {"source": "source", "target": str(tmp_path / "copy"), "on": "web1", "owner": "nobody", "group": "daemon"}
    assert (await step.run(Copy, **params)).verdict is Verdict.PASSED
    assert ((tmp_path / "copy").owner(), (tmp_path / "copy").group()) == ("nobody", "daemon")
    os.chown(tmp_path / "copy", 0, 0)
    assert (await step.run(CopiedCheck, **params)).symptom == "owner"
    (tmp_path / "copy").unlink()
    assert (await step.run(CopiedCheck, **params)).symptom == "missing"


@pytest.mark.parametrize(
    ("source", "target", "symptom"),
    [
        ("nothing", "copy", "missing"),
        (".", "copy", "type"),
        ("source", "folder", "not written"),
        ("source", "no/such/folder", "not written"),
    ],
)
async def test_what_cannot_be_copied(step: StandIn, tmp_path: Path, source: str, target: str, symptom: str) -> None:
    (tmp_path / "source").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StepError) as raised:
        await step.run(Copy, source=source, target=str(tmp_path / target), on="web1")
    assert raised.value.symptom == symptom
    assert symptom in Copy.symptoms
    assert list((tmp_path / "folder").iterdir()) == []


async def test_a_symbolic_link_is_replaced_not_followed(step: StandIn, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / "other").write_text("other")
    (tmp_path / "copy").symlink_to("other")
    assert (await step.run(Copy, source="source", target=str(tmp_path / "copy"), on="web1")).verdict is Verdict.PASSED
    assert (tmp_path / "other").read_text() == "other"
    assert not (tmp_path / "copy").is_symlink()


# port


@WHERE
async def test_an_open_and_a_closed_port(step: StandIn, on: str) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outcome, said = await does(step, Port, PortState, address="127.0.0.1", port=port, on=on)
    assert (outcome.verdict, said.state) == (Verdict.PASSED, "open")
    outcome = await step.run(Port, address="127.0.0.1", port=port, expect="closed", on=on)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "open")
    server.close()
    await server.wait_closed()
    outcome, said = await does(step, Port, PortState, address="127.0.0.1", port=port, on=on)
    assert (outcome.verdict, outcome.symptom, said.state) == (Verdict.FAILED, "closed", "refused")
    assert (await step.run(Port, address="127.0.0.1", port=port, expect="closed", on=on)).verdict is Verdict.PASSED


@pytest.mark.parametrize("tools", [("python3",), ("bash", "timeout")], ids=lambda tools: tools[0])
async def test_a_port_is_tried_with_what_is_there(
    step: StandIn, *, tmp_path: Path, tools: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in ("sh", "head", "sleep", "id", "env", "setsid", *tools):
        (folder / tool).symlink_to(f"/usr/bin/{tool}")
    monkeypatch.setenv("PATH", str(folder))
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    outcome, said = await does(step, Port, PortState, address="127.0.0.1", port=port, on="web1")
    assert outcome.verdict is Verdict.PASSED
    assert said.by == tools[0]
    server.close()
    outcome, said = await does(step, Port, PortState, address="127.0.0.1", port=port, on="web1")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "closed")


@pytest.mark.parametrize(
    ("nc", "symptom"),
    [
        ("exit 0", ""),
        ("exit 1", "closed"),
        ("echo 'nc: invalid option -- z' >&2; exit 1", "missing there"),
        ("", "missing there"),
    ],
    ids=["open", "closed", "an nc without -z", "no nc"],
)
async def test_a_port_tried_with_nc(
    step: StandIn, *, tmp_path: Path, nc: str, symptom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("sh", "head", "sleep", "id", "env", "setsid"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    if nc:
        (tmp_path / "nc").write_text(f"#!/bin/sh\n{nc}\n")
        (tmp_path / "nc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if symptom == "missing there":
        with pytest.raises(StepError) as raised:
            await step.run(Port, address="127.0.0.1", port=9, expect="closed", on="web1")
        assert raised.value.symptom == symptom
    else:
        assert (await step.run(Port, address="127.0.0.1", port=9, on="web1")).symptom == symptom


@WHERE
async def test_a_name_that_is_not_known_is_no_closed_port(step: StandIn, on: str) -> None:
    with pytest.raises(StepError) as raised:
        await step.run(Port, address="no-such-host.invalid", port=22, expect="closed", on=on)
    assert raised.value.symptom == "no address"


# secret_file

PIN = "s3cret-PIN-6482"


def typing(step: StandIn, *secrets: str) -> ScriptedPins:
    step.operator = ScriptedPins()
    step.operator.secrets = list(secrets)
    return step.operator


@WHERE
@pytest.mark.parametrize(
    ("content", "variable", "symptom"),
    [
        (f"A=1\nSTEP_CA_HSM_PIN={PIN}\nB=2\n", "STEP_CA_HSM_PIN", ""),
        (f"export STEP_CA_HSM_PIN = '{PIN}'\r\n", "STEP_CA_HSM_PIN", ""),
        (f'STEP_CA_HSM_PIN="{PIN}"', "STEP_CA_HSM_PIN", ""),
        (f"{PIN}\n", "", ""),
        (f"STEP_CA_HSM_PIN={PIN}x\n", "STEP_CA_HSM_PIN", "another value"),
        (f"{PIN}\n\n", "", "another value"),
    ],
)
async def test_a_secret_is_compared(
    step: StandIn, *, tmp_path: Path, content: str, variable: str, symptom: str, on: str
) -> None:
    (tmp_path / "env").write_text(content)
    operator = typing(step, PIN)
    params = {"path": str(tmp_path / "env"), "variable": variable, "ask": "The user PIN", "on": on}
    outcome, said = await does(step, SecretFile, SecretCompared, **params)
    assert (outcome.symptom, said.same) == (symptom, not symptom)
    assert len(operator.given[0]) == 0, "what was typed is not wiped"
    shown = f"{outcome} {step.lines} {step.events} {SecretFile(SecretFile.Params.model_validate(params)).plan()}"
    assert PIN not in shown
    assert hashlib.sha256(PIN.encode()).hexdigest() not in shown


@pytest.mark.parametrize(
    ("content", "symptom"),
    [
        ("PINX=1\nXPIN=2\n# PIN=3\n", "no value"),
        ("PIN=\n", "no value"),
        ("PIN=''\n", "no value"),
        (f"PIN={PIN}\nPIN={PIN}\n", "several values"),
        ("x" * (1024 * 1024 + 1), "too large"),
        (None, "unreadable"),
    ],
)
@WHERE
async def test_nobody_types_where_there_is_nothing_to_compare(
    step: StandIn, *, tmp_path: Path, content: str | None, symptom: str, on: str
) -> None:
    if content is not None:
        (tmp_path / "env").write_text(content)
    typing(step)
    with pytest.raises(StepError) as raised:
        await step.run(SecretFile, path=str(tmp_path / "env"), variable="PIN", ask="The PIN", on=on)
    assert raised.value.symptom == symptom
    assert symptom in SecretFile.symptoms
    assert PIN not in str(raised.value)
