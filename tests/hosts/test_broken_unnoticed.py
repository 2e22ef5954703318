"""Connections that have broken and do not know it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.hosts.channel import Channel, Connection
from checks.hosts.errors import LineLost, Unreachable
from checks.hosts.far import FarMachine
from checks.hosts.paramiko_transport import SshTransport
from tests.hosts.reaching import TRANSPORTS, Reaching, Transport, reaching
from tests.ssh_lab.lab import Lab

both = pytest.mark.parametrize("transport", TRANSPORTS)


class Stale:
    """What a connection says between its line's end and the moment in which it hears of that."""

    alive = True

    def __init__(self, broken: Connection) -> None:
        self._broken = broken
        self.shown = broken.shown

    async def open(self, command: str) -> Channel:
        raise LineLost("the connection broke before the command was started", where="beta")

    async def close(self) -> None:
        await self._broken.close()


async def stale(reached: Reaching) -> Stale:
    """In the place of the connection to beta."""
    broken = Stale(await reached.connection("beta"))
    reached.hosts._reached["beta"].connection = broken
    return broken


def refuse(self: SshTransport, message: object) -> None:
    """As paramiko does where its socket refuses what is sent before its own thread has seen the end."""
    raise EOFError


@both
async def test_the_first_command_of_a_step_is_run_on_a_new_one(
    ssh_lab: Lab, tmp_path: Path, transport: Transport
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        broken = await stale(reached)
        first, second = await reached.machine("beta"), await reached.machine("beta")
        channel = await first.duplex(["cat"])
        await channel.close()
        assert (await second.run(["echo", "it"], deadline=30)).stdout.text == "it\n"
        now = await reached.connection("beta")
        assert now is not broken
        assert now.alive
        assert isinstance(first, FarMachine)
        assert isinstance(second, FarMachine)
        assert first._connection is second._connection is now, "made once for both"


@both
async def test_in_the_middle_of_a_step_nothing_is_made_anew(ssh_lab: Lab, tmp_path: Path, transport: Transport) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        await machine.run(["true"], deadline=30)
        assert isinstance(machine, FarMachine)
        machine._connection = await stale(reached)
        with pytest.raises(LineLost, match="before the command was started") as lost:
            await machine.run(["true"], deadline=30)
        assert lost.value.in_doubt, "the first command may have done something"


async def test_a_host_that_goes_while_a_code_is_typed_is_one_that_cannot_be_reached(
    ssh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, "paramiko", "123456", connect_seconds=8) as reached:
        reached.person.when_asked = lambda: monkeypatch.setattr(SshTransport, "_send_user_message", refuse)
        with pytest.raises(Unreachable, match="ended the connection"):
            await reached.connection("beta-otp")
        assert len(reached.person.asked) == 1


async def test_a_socket_that_refuses_a_command_is_a_lost_line(
    ssh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a host that runs no further command, although the connection still counts as one that stands."""
    async with reaching(ssh_lab.client(), tmp_path, "paramiko") as reached:
        connection = await reached.connection("beta")
        with monkeypatch.context() as patched:
            patched.setattr(SshTransport, "_send_user_message", refuse)
            with pytest.raises(LineLost):
                await connection.open("true")
        assert connection.alive
