"""Supervised commands over both ways of SSH, through a real sshd and the account's login shell."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from checks.hosts.errors import LineLost
from checks.hosts.far import FarMachine
from checks.hosts.machine import silent
from checks.hosts.sudo import SudoPasswords
from runbook.site import HostProfile
from tests.hosts.conftest import OpenHosts
from tests.hosts.far_bench import content, gone
from tests.hosts.hostile import PRINTS_ARGV
from tests.hosts.ssh_bench import Bench
from tests.stand_in import StandIn

Reach = Callable[[], Awaitable[FarMachine]]


@pytest.fixture(params=["paramiko", "openssh"])
def reach(request: pytest.FixtureRequest, bench: Bench, open_hosts: OpenHosts, tmp_path: Path) -> Reach:
    async def machine() -> FarMachine:
        bench.sshd("a")
        connection = await open_hosts(bench.site(transport=request.param)).connection("a")
        return FarMachine("a", connection, HostProfile(), StandIn(tmp_path), SudoPasswords())

    return machine


async def test_arguments_arrive_as_they_are(reach: Reach) -> None:
    machine = await reach()
    values = ["", "it's", "$(id)\n`id`", "-n", "--", "!x", "\\", "日本\x01\x7f", "\udcff", "'" * 50_000, "~", "*"]
    ran = await machine.run([sys.executable, "-I", "-S", "-c", PRINTS_ARGV, *values], deadline=60, on_line=silent)
    assert [bytes.fromhex(item) for item in json.loads(ran.stdout.raw)] == [os.fsencode(value) for value in values]


async def test_input_and_output_are_whole(reach: Reach) -> None:
    machine = await reach()
    data = bytes(range(256)) * 12_000
    ran = await machine.run(["tee", "/dev/stderr"], deadline=60, stdin=data, keep=8_000_000, on_line=silent)
    sums = {hashlib.sha256(stream.raw).digest() for stream in (ran.stdout, ran.stderr)}
    assert sums == {hashlib.sha256(data).digest()}


async def test_many_at_once_on_one_connection(reach: Reach) -> None:
    machine = await reach()
    ran = await asyncio.gather(*(machine.run(["/bin/sh", "-c", f"exit {code}"], deadline=60) for code in range(8)))
    assert [one.exit_code for one in ran] == list(range(8))


async def test_the_deadline_and_what_is_left_behind(reach: Reach, tmp_path: Path) -> None:
    machine = await reach()
    late, left = tmp_path / "late", tmp_path / "left"
    ran = await machine.run(["/bin/sh", "-c", f"echo $$ >{late}; sleep 600"], deadline=2)
    assert (ran.exit_code, ran.ended_by) == (None, "deadline")
    ran = await machine.run(["/bin/sh", "-c", f"sleep 600 & echo $! >{left}"], deadline=60)
    assert (ran.exit_code, ran.left_behind) == (0, 1)
    for pids in (late, left):
        await gone(int(await content(pids)))


async def test_a_cancelled_command_is_ended_there(reach: Reach, tmp_path: Path) -> None:
    machine = await reach()
    pids = tmp_path / "pids"
    running = asyncio.create_task(machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=60))
    pid = int(await content(pids))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await gone(pid)


async def test_a_connection_that_goes_away_leaves_nothing(reach: Reach, tmp_path: Path) -> None:
    machine = await reach()
    pids = tmp_path / "pids"
    running = asyncio.create_task(machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=60))
    pid = int(await content(pids))
    await machine._connection.close()
    with pytest.raises(LineLost, match=f"process {pid}") as raised:
        await running
    assert raised.value.in_doubt
    await gone(pid)


async def test_a_protocol(reach: Reach) -> None:
    machine = await reach()
    channel = await machine.duplex(["cat"])
    data = bytes(range(256)) * 100
    await channel.write(data)
    assert await channel.stdout.readexactly(len(data)) == data
    await channel.write_eof()
    assert await channel.stdout.read() == b""
    assert (await channel.wait()).exit_code == 0
    await channel.close()
