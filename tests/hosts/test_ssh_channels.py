"""Commands over both transports: their streams, their end, many of them, and readers that take their time."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from checks.hosts.channel import Connection, Ended
from checks.hosts.errors import ChannelRefused, LineLost
from tests.files.test_process import gone, pids_in, until
from tests.hosts.conftest import OpenHosts
from tests.hosts.ssh_bench import Bench, eventually

TRANSPORTS = ("paramiko", "openssh")

Connect = Callable[[Bench], Awaitable[Connection]]


@pytest.fixture(params=TRANSPORTS)
def connect(request: pytest.FixtureRequest, open_hosts: OpenHosts) -> Connect:
    async def make(bench: Bench) -> Connection:
        return await open_hosts(bench.site(transport=request.param)).connection("a")

    return make


async def outcome(connection: Connection, command: str, stdin: bytes = b"") -> tuple[bytes, bytes, Ended]:
    async with asyncio.timeout(60):
        channel = await connection.open(command)
        try:
            reading = asyncio.gather(channel.stdout.read(), channel.stderr.read())
            await channel.write(stdin)
            await channel.write_eof()
            stdout, stderr = await reading
            return stdout, stderr, await channel.wait()
        finally:
            await channel.close()


async def test_streams_are_apart_and_whole(bench: Bench, connect: Connect) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    given = bytes(range(256)) * 4096
    stdout, stderr, ended = await outcome(connection, "cat; echo only here >&2; exit 7", given)
    assert stdout == given
    assert stderr == b"only here\n"
    assert ended == Ended(7)


@pytest.mark.parametrize("command", ["-V", "--", "exit 0 # -o ProxyCommand=x"])
async def test_a_command_is_never_an_option(bench: Bench, connect: Connect, command: str) -> None:
    bench.sshd("a")
    stdout, stderr, _ = await outcome(await connect(bench), command)
    assert b"OpenSSH_" not in stdout + stderr


async def test_an_exit_status_of_255_is_no_lost_line(bench: Bench, connect: Connect) -> None:
    bench.sshd("a")
    assert (await outcome(await connect(bench), "exit 255"))[2] == Ended(255)


async def test_the_signal_that_ended_a_command(bench: Bench, open_hosts: OpenHosts) -> None:
    bench.sshd("a")
    connection = await open_hosts(bench.site(transport="paramiko")).connection("a")
    assert (await outcome(connection, "kill -TERM $$"))[2] == Ended(None, "SIGTERM")


async def test_what_is_written_after_the_end_goes_nowhere(bench: Bench, connect: Connect) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    async with asyncio.timeout(60):
        channel = await connection.open("exit 3")
        assert await channel.wait() == Ended(3)
        await channel.write(b"x" * 100_000)
        await channel.write_eof()
        await channel.close()
    assert connection.alive


async def test_fifty_commands_at_a_time(bench: Bench, connect: Connect) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    # Each waits for its own input, so all of them are there at once.
    channels = await asyncio.gather(*(connection.open(f"read word; echo {number} $word") for number in range(50)))
    for number, channel in enumerate(channels):
        await channel.write(f"w{number}\n".encode())
    async with asyncio.timeout(60):
        said = [await channel.stdout.read() for channel in channels]
        ends = [await channel.wait() for channel in channels]
    assert said == [f"{number} w{number}\n".encode() for number in range(50)]
    assert set(ends) == {Ended(0)}
    for channel in channels:
        await channel.close()


async def test_a_slow_reader_stops_the_sender(bench: Bench, connect: Connect, tmp_path: Path) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    count, pieces = tmp_path / "count", 640
    channel = await connection.open(
        f"i=0; while [ $i -lt {pieces} ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i > {count}; done"
    )
    async with asyncio.timeout(60):
        seen, still = 0, 0
        while still < 25:
            await asyncio.sleep(0.02)
            now = int(count.read_text().strip() or 0) if count.exists() else 0
            seen, still = now, still + 1 if now == seen and now else 0
        assert seen < 200, "it went on although nobody read"
        # The connection is free for others meanwhile.
        assert (await outcome(connection, "echo still here"))[0] == b"still here\n"
        got = 0
        while chunk := await channel.stdout.read(1 << 16):
            got += len(chunk)
        assert got == pieces * 65536
        assert await channel.wait() == Ended(0)
    await channel.close()


async def test_a_far_side_that_does_not_read_stops_us(bench: Bench, connect: Connect) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    channel = await connection.open("read go; wc -c")
    await channel.write(b"go\n")
    stuck = await connection.open("exec sleep 600")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await stuck.write(b"x" * 50_000_000)
    await stuck.close()
    await channel.write(b"x" * 5_000_000)
    await channel.write_eof()
    async with asyncio.timeout(60):
        assert (await channel.stdout.read()).strip() == b"5000000"
    await channel.close()


async def test_one_command_more_than_the_host_allows(bench: Bench, connect: Connect) -> None:
    bench.sshd("a", MaxSessions=1)
    connection = await connect(bench)
    first = await connection.open("cat")
    with pytest.raises(ChannelRefused) as refused:
        await connection.open("echo second")
    assert "MaxSessions" in refused.value.remedy
    await first.write(b"goes on")
    await first.write_eof()
    assert await first.stdout.read() == b"goes on"
    assert await first.wait() == Ended(0)
    await first.close()
    assert (await outcome(connection, "echo third"))[0] == b"third\n"


async def test_closing_a_command_ends_it_there(bench: Bench, connect: Connect, tmp_path: Path) -> None:
    bench.sshd("a")
    connection = await connect(bench)
    mark = tmp_path / "ended"
    channel = await connection.open(f"trap 'echo > {mark}' EXIT; cat; exit 0")
    await channel.write(b"x")
    assert await channel.stdout.read(1) == b"x"
    await channel.close()
    await eventually(mark.exists, "the command is ended")


async def test_a_connection_that_is_killed(bench: Bench, connect: Connect) -> None:
    sshd = bench.sshd("a")
    connection = await connect(bench)
    channel = await connection.open("echo begun; exec sleep 600")
    assert await channel.stdout.readline() == b"begun\n"
    sshd.kill_sessions()
    async with asyncio.timeout(60):
        assert await channel.stdout.read() == b""
        with pytest.raises(LineLost) as lost:
            await channel.wait()
        assert lost.value.in_doubt
        await channel.close()
        await eventually(lambda: not connection.alive, "the connection is known to be lost")
        with pytest.raises(LineLost):
            await connection.open("true")


async def test_keys_of_the_session_are_renewed_under_way(bench: Bench, connect: Connect) -> None:
    sshd = bench.sshd("a", RekeyLimit="1M")
    stdout, _, ended = await outcome(await connect(bench), "head -c 8000000 /dev/zero")
    assert len(stdout) == 8_000_000
    assert ended == Ended(0)
    assert sshd.log.count("SSH2_MSG_NEWKEYS sent") > 3


async def test_a_command_whose_driver_is_killed_before_ssh_has_begun_does_not_stay(tmp_path: Path) -> None:
    slow = tmp_path / "ssh"
    slow.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\nkill -STOP $$\nexec {shutil.which("ssh")} "$@"\n')
    slow.chmod(0o755)
    opens = f"""if True:
        import asyncio, pathlib
        from checks.hosts.openssh_channel import open_channel
        asyncio.run(open_channel(pathlib.Path({str(tmp_path / "control")!r}), "true", "a host"))
    """
    driver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", opens), env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )
    (pid,) = await pids_in(tmp_path / "pid", 1)
    assert await until(lambda: Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    driver.kill()
    await driver.wait()
    os.kill(pid, signal.SIGCONT)

    assert await gone(pid)
