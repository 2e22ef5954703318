"""The dongle of a full lab: in the host's reader or a container's, with real tools and a real pcscd on either side."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator

import pytest

from rehearsal.card.client import CardControl
from rehearsal.smartcard import CardPlaces
from tests.rehearsal.ca_host_bench import DEADLINE, MODULE, PIN, Bench, Container, bench

COUNTER = "sc-hsm-tool | grep -o 'User PIN tries left.*'"
LOGIN = f"pkcs11-tool --module {MODULE} --login --pin {{}} --list-objects --type privkey"
SERIAL = f"pkcs11-tool --module {MODULE} --list-token-slots | grep 'serial num'"
BOTH = "pcscd.service pcscd.socket"


@pytest.fixture
def made() -> Iterator[Bench]:
    with bench() as each:
        yield each


async def sees_card(side: Container) -> bool:
    """Until its pcscd shows the card; it looks every 0.4 s."""
    async with asyncio.timeout(DEADLINE):
        while "Yes" not in (await side.run("opensc-tool --list-readers")).out:  # noqa: ASYNC110 - pcscd is the event
            await asyncio.sleep(0.05)
    return True


async def test_the_card_goes_to_the_container_and_comes_back_and_counts_its_tries(made: Bench) -> None:
    async with made.host():
        seen = await made.ssh("opensc-tool -n -a")
        assert (seen.code, "SmartCard-HSM version" in seen.out) == (0, True), seen.out
        serial = (await made.ssh(SERIAL)).out
        assert "DENK" in serial
        assert (await made.ssh(LOGIN.format("000000"))).code
        assert (await made.ssh(COUNTER)).out.split()[-1] == "2"

        assert (await made.ssh(f"systemctl stop {BOTH}")).code == 0
        assert "No smart card readers" in (await made.ssh("opensc-tool -n -a")).out
        for left in ("1", "1"):
            # A container that is started again has a new pcscd.
            async with made.container() as container:
                assert await sees_card(container)
                assert (await container.run(SERIAL)).out == serial
                if (await container.run(COUNTER)).out.split()[-1] == "2":
                    assert (await container.run(LOGIN.format("000000"))).code
                assert (await container.run(COUNTER)).out.split()[-1] == left

        assert (await made.ssh("systemctl start pcscd.socket")).code == 0
        assert (await made.ssh(SERIAL)).out == serial
        assert (await made.ssh(COUNTER)).out.split()[-1] == "1"
        assert (await made.ssh(LOGIN.format(PIN))).code == 0
        assert (await made.ssh(COUNTER)).out.split()[-1] == "3"


async def test_whoever_has_claimed_the_dongle_keeps_it(made: Bench) -> None:
    async with made.host():
        async with made.container() as late:
            assert "Yes" in (await made.ssh("opensc-tool --list-readers")).out
            assert "Yes" not in (await late.run("opensc-tool --list-readers")).out
            await made.ssh(f"systemctl stop {BOTH}")
            assert await sees_card(late)
            assert (await made.ssh("systemctl start pcscd.service")).code == 0
            assert "Yes" not in (await made.ssh("opensc-tool --list-readers")).out
            assert "Yes" in (await late.run("opensc-tool --list-readers")).out
        assert "Yes" not in (await made.ssh("opensc-tool --list-readers")).out, "pcscd looks for devices at its start"
        assert (await made.ssh("systemctl restart pcscd.service")).code == 0
        assert "Yes" in (await made.ssh("opensc-tool --list-readers")).out


async def test_a_client_at_the_socket_wakes_the_service_and_it_comes_back_after_a_crash(made: Bench) -> None:
    async with made.host() as host:
        stopped = await made.ssh("systemctl stop pcscd")
        assert (stopped.code, "can still be activated by:\n  pcscd.socket" in stopped.out) == (0, True)
        assert (await made.ssh("systemctl is-active pcscd.service pcscd.socket")).out == "inactive\nactive\n"
        assert (await made.ssh("opensc-tool --list-readers")).code == 0
        assert (await made.ssh("systemctl is-active pcscd")).out == "active\n"

        pid = re.search("Main PID: ([0-9]+)", (await made.ssh("systemctl status pcscd")).out)
        assert pid
        os.kill(int(pid[1]), signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            while (await host.services.call(["is-active", "pcscd"])).stdout == "active\n":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await made.ssh("opensc-tool --list-readers")).code == 0
        assert (await made.ssh("systemctl is-active pcscd")).out == "active\n"


async def test_what_the_host_was_asked_to_be_it_is_after_a_kill(made: Bench) -> None:
    argv = [sys.executable, "-m", "tests.rehearsal.ca_host_bench", str(made.lab), str(made.network)]
    places = CardPlaces(made.lab)
    keeper = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    try:
        assert keeper.stdout is not None
        assert await asyncio.wait_for(keeper.stdout.readline(), DEADLINE) == b"up\n"
        assert (await made.ssh(f"systemctl stop {BOTH} && systemctl mask {BOTH}")).code == 0
    finally:
        keeper.kill()
        await keeper.wait()
    gone = await made.ssh("systemctl is-active pcscd")
    assert (gone.code, "not been booted with systemd" in gone.out) == (1, True)
    shutil.rmtree(places.reader)  # as the keeper does at its start
    async with made.host():
        assert (await made.ssh(f"systemctl is-enabled {BOTH}")).out == "masked\nmasked\n"
        refused = await made.ssh("systemctl start pcscd")
        assert (refused.code, refused.out) == (1, "Failed to start pcscd.service: Unit pcscd.service is masked.\n")
        async with made.container() as container:
            assert await sees_card(container)
            assert (await CardControl(places.control).status()).connected
        assert (await made.ssh(f"systemctl unmask {BOTH} && systemctl start pcscd && opensc-tool -n")).code == 0
