"""The hosts of a full lab as steps and people find them: services, the USB bus, commands, users' certificates."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from checks.evidence.machines import SystemdUnit, UsbDevices
from checks.hosts.systemd import Disable, Enable, Mask, Restart, Start, Stop, SystemdCheck, Unmask
from checks.hosts.usb import Usb
from rehearsal.card.client import CardControl
from rehearsal.faults import Fault
from rehearsal.full.machines import TRUSTED_USER_CA_KEYS, commands
from rehearsal.smartcard import CardPlaces
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.rehearsal.ca_host_bench import DEADLINE, Bench, bench
from tests.stand_in import StandIn

BOTH = ["pcscd.service", "pcscd.socket"]


@pytest.fixture
def made() -> Iterator[Bench]:
    with bench() as each:
        yield each


@pytest.fixture
async def step(made: Bench, tmp_path: Path) -> AsyncIterator[StandIn]:
    """A step that reaches the hosts of the lab while they run."""
    async with made.host():
        each = StandIn(tmp_path, site=made.site)
        yield each
        for resource in each.resources.values():
            await resource.close()


def units(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(each.unit, each.active, each.file) for each in outcome.evidence if isinstance(each, SystemdUnit)]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


async def test_the_steps_of_the_cutover_find_stop_and_mask_the_services(step: StandIn) -> None:
    active = {"active": True, "masked": False}
    found = await step.run(SystemdCheck, on="ca", unit=BOTH, expect=active)
    assert found.verdict is Verdict.PASSED
    assert units(found) == [
        ("pcscd.service", "active (running)", "indirect"),
        ("pcscd.socket", "active (listening)", "enabled"),
    ]
    service = found.evidence[0]
    assert isinstance(service, SystemdUnit)
    assert "pcscd --foreground" in command_line(service.main_pid)
    assert service.triggered_by == ("pcscd.socket",)

    alone = await step.run(Stop, on="ca", unit="pcscd.service")
    assert alone.verdict is Verdict.PASSED
    stopped = await step.run(Stop, on="ca", unit=BOTH)
    assert (stopped.verdict, [state for _, state, _ in units(stopped)]) == (Verdict.PASSED, ["inactive (dead)"] * 2)
    again = await step.run(Stop, on="ca", unit=BOTH)
    assert again.verdict is Verdict.PASSED
    not_yet = await step.run(SystemdCheck, on="ca", unit=BOTH, expect={"active": False, "masked": True})
    assert (not_yet.verdict, not_yet.symptom) == (Verdict.FAILED, "masking")
    masked = await step.run(Mask, on="ca", unit=BOTH)
    assert (masked.verdict, [file for _, _, file in units(masked)]) == (Verdict.PASSED, ["masked"] * 2)
    assert (await step.run(SystemdCheck, on="ca", unit=BOTH, expect={"masked": True})).verdict is Verdict.PASSED
    refused = await step.run(Start, on="ca", unit="pcscd.socket")
    assert (refused.symptom, "is masked" in refused.summary) == ("refused", True)

    assert (await step.run(Unmask, on="ca", unit=BOTH)).verdict is Verdict.PASSED
    assert (await step.run(Start, on="ca", unit="pcscd.socket")).verdict is Verdict.PASSED
    assert (await step.run(Restart, on="ca", unit="pcscd.service")).verdict is Verdict.PASSED
    assert (await step.run(Disable, on="ca", unit="pcscd.socket")).verdict is Verdict.PASSED
    assert (await step.run(Enable, on="ca", unit="pcscd.socket")).verdict is Verdict.PASSED


async def test_what_is_not_there_is_said_as_systemd_says_it(step: StandIn, made: Bench) -> None:
    assert (await step.run(SystemdCheck, on="ca", unit="ntpd", expect={"present": False})).verdict is Verdict.PASSED
    assert (await step.run(Stop, on="ca", unit="ntpd")).symptom == "refused"
    with pytest.raises(StepError, match="Host is down") as raised:
        await step.run(SystemdCheck, on="input_a", unit=BOTH, expect={"active": True})
    assert raised.value.symptom == "no systemd"
    odd = await made.ssh("systemctl frobnicate pcscd; systemctl --user show pcscd")
    assert (odd.code, odd.out) == (
        1,
        "Unknown command verb frobnicate.\nsystemctl: unrecognized option '--user'\n",
    )


async def test_the_dongle_is_on_the_bus_of_one_host(step: StandIn) -> None:
    found = await step.run(Usb, on="ca", device="20a0:4230")
    assert found.verdict is Verdict.PASSED
    (devices,) = found.evidence
    assert isinstance(devices, UsbDevices)
    assert [(each.port, each.name) for each in devices.found] == [("1-3", "Nitrokey Nitrokey HSM")]
    none = await step.run(Usb, on="input_a", device="20a0:4230")
    assert (none.verdict, none.symptom) == (Verdict.FAILED, "no device")


async def test_a_host_finds_its_own_commands_first(made: Bench) -> None:
    own = commands(made.lab, "ca")
    (own / "true").write_text("#!/bin/sh\necho the lab\n")
    (own / "true").chmod(0o755)
    assert (await made.ssh("/usr/bin/env true")).out == "the lab\n"
    assert (await made.ssh("/usr/bin/env true", "input-a")).out == ""
    assert (await made.ssh("command -v systemctl", "input-a")).out == f"{commands(made.lab, 'input_a')}/systemctl\n"


async def test_the_ca_s_host_is_in_the_network_of_its_containers(made: Bench) -> None:
    look = "readlink /proc/self/ns/net; ip -o link | wc -l"
    here, theirs = (await made.ssh(look)).out, await made.ssh(f"readlink /proc/{made.network}/ns/net")
    async with made.host():
        there = (await made.ssh(look)).out
        assert there.split() == [theirs.out.strip(), "1"]
        assert (await made.ssh(look, "input-a")).out == here != there


def sign(folder: Path, ca: str, principal: str) -> list[str]:
    """A certificate of this CA for a fresh key; the options that log in with it, and it alone."""
    if not (folder / ca).exists():
        _keygen("-t", "ecdsa", "-b", "384", "-f", str(folder / ca), "-N", "")
    key = folder / f"{ca}-{principal}"
    _keygen("-t", "ed25519", "-f", str(key), "-N", "")
    _keygen("-s", str(folder / ca), "-I", "a test", "-n", principal, "-V", "+5m", f"{key}.pub")
    return ["-o", f"IdentityFile={key}", "-o", f"CertificateFile={key}-cert.pub"]


def _keygen(*arguments: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *arguments], check=True, stdin=subprocess.DEVNULL)


async def test_certificates_of_the_ca_are_taken_once_its_key_has_been_distributed(made: Bench, tmp_path: Path) -> None:
    account = getpass.getuser()
    (made.lab / "hosts" / "operator.pub").write_text("")  # from now on certificates alone
    ours, nobodys = sign(tmp_path, "ca", account), sign(tmp_path, "ca", "nobody")
    stranger = sign(tmp_path, "other", account)
    assert (await made.ssh("true", "input-a", *ours)).code == 255, "before it is distributed"
    for host in ("input-a", "input-a-staging"):
        place = made.lab / "hosts" / host / TRUSTED_USER_CA_KEYS
        place.parent.mkdir(parents=True)
        place.write_bytes((tmp_path / "ca.pub").read_bytes())
        taken = await made.ssh("id -un", host, *ours)
        assert (taken.code, taken.out) == (0, f"{account}\n")
        assert (await made.ssh("true", host, *stranger)).code == 255
        assert (await made.ssh("true", host, *nobodys)).code == 255, "a certificate names the account"
    assert (await made.ssh("true", "input-b", *ours)).code == 255


async def test_a_reader_that_is_missing_in_a_drill_is_started_as_on_a_host_and_stays(made: Bench) -> None:
    for again in (False, True):
        async with made.host() as host, host.drilling(Fault.READER_MISSING):
            found = (await made.ssh("systemctl is-active pcscd.socket")).out
            assert found == ("active\n" if again else "inactive\n")
            assert (await made.ssh("systemctl start pcscd.socket && opensc-tool -n")).code == 0


async def test_what_a_person_would_put_right_is_put_right(made: Bench) -> None:
    card = CardPlaces(made.lab).state
    async with made.host() as host:
        async with host.drilling(Fault.READER_MISSING):
            assert (await made.ssh("opensc-tool -n")).code
        await host.mend(Fault.READER_MISSING, card)
        assert (await made.ssh("opensc-tool -n")).code == 0
        control = CardControl(CardPlaces(made.lab).control)
        await control.pull()
        await host.mend(Fault.VOLUME_IN_USE, card)
        assert not (await control.status()).inserted, "another fault is none of the card's"
        await host.mend(Fault.CARD_PULLED, card)
        await control.wait_until(lambda now: now.connected, deadline=DEADLINE)
