"""The far side's supervision in each shell that a host may have as /bin/sh."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.files.programs import FolderMissing, ProgramNotExecutable, ProgramNotFound
from checks.hosts.channel import Channel, Ended
from checks.hosts.errors import ChannelRefused, LineLost
from checks.hosts.far import FarMachine
from checks.hosts.local import LocalChannel, LocalConnection
from checks.hosts.machine import silent
from checks.hosts.supervision import MAX_ARGUMENT, Nonces, command_line, script
from runbook.errors import StepError
from tests.hosts.far_bench import SHELLS, Namespaced, content, far, gone, with_shell
from tests.hosts.hostile import HOSTILE, PRINTS_ARGV


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def machine(shell: str, tmp_path: Path) -> FarMachine:
    return far(with_shell(shell, tmp_path), tmp_path)[0]


async def test_the_shell_is_the_one_that_is_meant(machine: FarMachine, shell: str) -> None:
    line = (
        'if [ -n "${BASH_VERSION-}" ]; then echo bash; else '
        "case $(sh --help 2>&1) in *usy*) echo busybox ;; *) echo dash; esac; fi"
    )
    ran = await machine.run(["/bin/sh", "-c", line], deadline=60)
    assert ran.stdout.text == f"{shell}\n"


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=12)
@given(values=st.lists(HOSTILE, min_size=1, max_size=60))
def test_each_value_arrives_as_one_argument(shell: str, values: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine, _ = far(with_shell(shell, Path(folder)), Path(folder))
        argv = [sys.executable, "-I", "-S", "-c", PRINTS_ARGV, *values]
        env = {"ODD": values[0]}
        ran = asyncio.run(machine.run(argv, deadline=60, env=env, on_line=silent))
        assert ran.exit_code == 0, ran.stderr.text
        assert [bytes.fromhex(item) for item in json.loads(ran.stdout.raw)] == [os.fsencode(value) for value in values]


async def test_a_megabyte_of_arguments_arrives(machine: FarMachine) -> None:
    values = ["'" * 60_000, "x" * MAX_ARGUMENT, *["$(id)`\n" * 6000] * 16]
    ran = await machine.run(
        [sys.executable, "-I", "-S", "-c", PRINTS_ARGV, *values], deadline=60, keep=8_000_000, on_line=silent
    )
    assert [bytes.fromhex(item).decode() for item in json.loads(ran.stdout.raw)] == values


@pytest.mark.parametrize(
    ("argv", "error", "words"),
    [
        (["echo", "a\0b"], ProgramNotFound, "NUL"),
        (["echo", "x" * (MAX_ARGUMENT + 1)], StepError, f"{MAX_ARGUMENT + 1} bytes"),
        (["echo", *["x" * 100_000] * 40], ProgramNotExecutable, "[Aa]rgument list too long"),
        (["no-such-program", "x"], ProgramNotFound, "there is no program `no-such-program`"),
        (["/no/such"], ProgramNotFound, "there is no program"),
        (["/etc/passwd"], ProgramNotExecutable, "ermission denied"),
        (["-c", "id"], ProgramNotFound, "begins with a dash"),
        (["", "x"], ProgramNotFound, "empty"),
    ],
    ids=["nul", "one too long", "all too long", "no program", "no file", "no right", "option", "empty"],
)
async def test_what_cannot_be_executed_is_said(
    machine: FarMachine, argv: list[str], error: type[StepError], words: str
) -> None:
    lines: list[str] = []
    with pytest.raises(error, match=words) as raised:
        await machine.run(argv, deadline=60, on_line=lines.append)
    assert not lines, "our own shell's words are shown"
    assert not raised.value.in_doubt
    assert raised.value.symptom


async def test_an_exit_of_127_of_the_commands_own_is_an_exit(machine: FarMachine) -> None:
    ran = await machine.run(["/bin/sh", "-c", "echo sh: 1: foo: not found >&2; exit 127"], deadline=60)
    assert (ran.exit_code, ran.stderr.text) == (127, "sh: 1: foo: not found\n")


@pytest.mark.parametrize("code", [0, 1, 126, 255])
async def test_exit_codes(machine: FarMachine, code: int) -> None:
    ran = await machine.run(["/bin/sh", "-c", f"exit {code}"], deadline=60)
    assert (ran.exit_code, ran.ended_by, ran.stdout.raw, ran.stderr.raw) == (code, "", b"", b"")


async def test_a_signal_is_told_as_shells_do(machine: FarMachine) -> None:
    ran = await machine.run(["/bin/sh", "-c", "kill -KILL $$"], deadline=60)
    assert (ran.exit_code, ran.stderr.raw) == (128 + signal.SIGKILL, b"")


async def test_streams_are_apart_and_whole(machine: FarMachine) -> None:
    ran = await machine.run(["/bin/sh", "-c", "printf a; printf b >&2; printf c"], deadline=60)
    assert (ran.stdout.raw, ran.stderr.raw) == (b"ac", b"b")


async def test_much_output_on_both_streams(machine: FarMachine) -> None:
    line = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2"
    ran = await machine.run(["/bin/sh", "-c", line], deadline=60, keep=4_000_000, on_line=silent)
    assert (ran.stdout.raw, ran.stderr.raw) == (b"x" * 3_000_000, b"y" * 3_000_000)


async def test_folder_and_environment(machine: FarMachine, tmp_path: Path) -> None:
    folder = tmp_path / "-a b'c"
    folder.mkdir()
    ran = await machine.run(["/bin/sh", "-c", 'pwd; echo "$A"'], deadline=60, cwd=str(folder), env={"A": "it's\n$x"})
    assert ran.stdout.text == f"{folder}\nit's\n$x\n"
    with pytest.raises(FolderMissing, match="does not exist"):
        await machine.run(["pwd"], deadline=60, cwd="/no/such")
    with pytest.raises(ProgramNotExecutable, match="no name of an environment variable"):
        await machine.run(["pwd"], deadline=60, env={"A B": "x"})


@pytest.mark.parametrize("size", [1, 65_536, 3_000_001])
async def test_input_arrives_whole(machine: FarMachine, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    ran = await machine.run(["sha256sum"], deadline=60, stdin=data[:size])
    assert ran.stdout.text.split()[0] == hashlib.sha256(data[:size]).hexdigest()


async def test_without_input_there_is_nothing_to_read(machine: FarMachine) -> None:
    assert (await machine.run(["wc", "-c"], deadline=60)).stdout.text.strip() == "0"


async def test_input_that_nobody_reads(machine: FarMachine) -> None:
    ran = await machine.run(["/bin/sh", "-c", "exec <&-; echo done; exit 4"], deadline=60, stdin=b"end\n" * 500_000)
    assert (ran.exit_code, ran.stdout.text) == (4, "done\n")


async def test_what_comes_before_the_command_is_not_its_output(shell: str, tmp_path: Path) -> None:
    noise = "echo Welcome; echo '-> 0 mails'; echo warned >&2; printf 'no end'"
    machine, ctx = far(with_shell(shell, tmp_path, first=noise), tmp_path)
    ran = await machine.run(["echo", "hello"], deadline=60)
    assert (ran.stdout.text, ran.stderr.text, ctx.lines) == ("hello\n", "", ["hello"])


class LoginShell(LocalConnection):
    """The account's shell is another: that one reads our command line first, as with sshd."""

    def __init__(self, shell: str) -> None:
        self._shell = shell

    async def open(self, command: str) -> Channel:
        return LocalChannel(
            await asyncio.create_subprocess_exec(
                self._shell, "-c", command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
            )
        )


@pytest.mark.parametrize("sudo", [False, True], ids=["account", "root"])
@pytest.mark.parametrize("login", ["tcsh", "bash", "dash"])
async def test_any_login_shell_will_do(login: str, tmp_path: Path, *, sudo: bool) -> None:
    machine, _ = far(LoginShell(login), tmp_path)
    values = ["it's !x $(id)", "\\", '"', "a\nb"]
    ran = await machine.run(["printf", "%s|", *values], deadline=60, sudo=sudo)
    assert ran.stdout.raw.decode() == "".join(f"{value}|" for value in values)


async def test_a_shell_that_refuses_everything(tmp_path: Path) -> None:
    machine, _ = far(Namespaced("echo This account is not available.; exit 1"), tmp_path)
    with pytest.raises(ChannelRefused, match="This account is not available"):
        await machine.run(["true"], deadline=60)


async def test_the_deadline_ends_the_whole_group(machine: FarMachine, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    line = f"trap '' TERM; sleep 600 & echo $$ $! >{pids}; wait"
    started = asyncio.get_running_loop().time()
    ran = await machine.run(["/bin/sh", "-c", line], deadline=2)
    assert (ran.exit_code, ran.ended_by) == (None, "deadline")
    assert asyncio.get_running_loop().time() - started < 20
    for pid in (await content(pids)).split():
        await gone(int(pid))


async def test_what_outlives_the_command_is_ended_and_told(machine: FarMachine, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    ran = await machine.run(["/bin/sh", "-c", f"sleep 600 & echo $! >{pids}; exit 3"], deadline=60)
    assert (ran.exit_code, ran.left_behind) == (3, 1)
    await gone(int(await content(pids)))


async def test_cancellation_ends_the_command(machine: FarMachine, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    running = asyncio.create_task(machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=60))
    pid = int(await content(pids))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await gone(pid)


async def test_our_shell_killed_there_is_a_lost_line(shell: str, tmp_path: Path) -> None:
    connection = with_shell(shell, tmp_path)
    machine, _ = far(connection, tmp_path)
    pids = tmp_path / "pids"
    running = asyncio.create_task(machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=60))
    pid = int(await content(pids))
    connection.opened[0].kill()
    with pytest.raises(LineLost, match=rf"process {pid} there may still be at work") as raised:
        await running
    assert raised.value.in_doubt
    assert f"ps -o pid,pgid,args -g {pid}" in raised.value.remedy
    await gone(pid)


DIES = """
import asyncio, sys
from pathlib import Path
from tests.hosts.hostile import HOSTILE, PRINTS_ARGV
from tests.hosts.far_bench import far, with_shell
folder = Path(sys.argv[2])
machine, _ = far(with_shell(sys.argv[1], folder), folder)
data = b"x" * int(sys.argv[3])
line = f"echo $$ >{folder}/pid; cat >{folder}/got; echo whole >{folder}/whole; sleep 600"
asyncio.run(machine.run(["/bin/sh", "-c", line], deadline=600, stdin=data))
"""


@pytest.mark.parametrize("size", [0, 400_000_000])
async def test_when_this_program_dies_the_command_does(shell: str, tmp_path: Path, size: int) -> None:
    """With its input half sent, it never takes that half for the whole."""
    ours = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, shell, str(tmp_path), str(size), stderr=subprocess.DEVNULL
    )
    pid = int(await content(tmp_path / "pid"))
    ours.send_signal(signal.SIGKILL)
    await ours.wait()
    await gone(pid)
    if size:
        assert (tmp_path / "got").stat().st_size < size
        assert not (tmp_path / "whole").exists()


class Mute(LocalChannel):
    """A line that has gone silent: what is said after the command has started does not arrive, nor that we left."""

    async def write(self, data: bytes | bytearray) -> None:
        if not data.endswith((b" end\n", b" done\n")):
            await super().write(data)

    async def close(self) -> None:
        pass


class SilentLine(LocalConnection):
    async def open(self, command: str) -> Channel:
        argv = ("/bin/sh", "-c", command)
        self.process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        return Mute(self.process)


async def test_on_a_silent_line_the_far_side_ends_the_command_by_itself(tmp_path: Path) -> None:
    line = SilentLine()
    machine, _ = far(line, tmp_path)
    pids = tmp_path / "pids"
    running = asyncio.create_task(machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=1))
    pid = int(await content(pids))
    ran = await running
    # It was not asked to, and told of it all the same.
    assert ran.ended_by == "deadline"
    await gone(pid)
    await LocalChannel(line.process).close()


async def test_a_program_that_speaks_a_protocol(machine: FarMachine) -> None:
    channel = await machine.duplex(["cat"])
    for word in (b"one\n", b"\0two\n"):
        await channel.write(word)
        assert await channel.stdout.readline() == word
    await channel.write_eof()
    assert await channel.stdout.read() == b""
    assert (await channel.wait()).exit_code == 0
    await channel.close()


class BreakingLine(LocalConnection):
    """A line that breaks when the script has been sent: no answer arrives, and how the shell ended is not told."""

    async def open(self, command: str) -> Channel:
        argv = ("/bin/sh", "-c", command)
        process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=PIPE)

        class Breaking(LocalChannel):
            async def write(self, data: bytes | bytearray) -> None:
                process.kill()

            async def wait(self) -> Ended:
                await super().wait()
                raise LineLost("the connection broke", where="web1")

        return Breaking(process)


async def test_a_line_that_breaks_before_the_program_speaks(tmp_path: Path) -> None:
    """Not taken for a host that lacks something: whether the program has started is not known."""
    machine, _ = far(BreakingLine(), tmp_path)
    with pytest.raises(LineLost) as lost:
        await machine.duplex(["cat"])
    assert lost.value.in_doubt


async def test_without_setsid_the_command_itself_is_ended(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "head", "sleep", "id", "env"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    machine, _ = far(Namespaced(env={}, setup=f"export PATH={tools}:/no"), tmp_path)
    pids = tmp_path / "pids"
    ran = await machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=2)
    assert ran.ended_by == "deadline; what it started may still run on web1, which has no setsid to tell it by"
    await gone(int(await content(pids)))


@pytest.mark.parametrize("with_input", [False, True])
async def test_a_script_that_is_cut_short_runs_not_at_all(shell: str, tmp_path: Path, *, with_input: bool) -> None:
    """Wherever the line cuts it, the shell has started nothing."""
    ran = tmp_path / "ran"
    nonces = Nonces()
    said = script(["touch", str(ran)], nonces=nonces, deadline=9, cwd="", env={"A": "b"}, input_size=int(with_input))
    connection = with_shell(shell, tmp_path)
    places = [len(said) - 1, *[at for at in range(len(said)) if said[at : at + 1] == b"\n"][-14:]]
    for place in places:
        channel = await connection.open(command_line(nonces, len(said)))
        await channel.write(said[:place])
        await channel.write_eof()
        assert b"started" not in await channel.stdout.read()
        await channel.close()
    assert not ran.exists()


async def test_output_that_looks_like_our_own_lines(machine: FarMachine) -> None:
    """The command cannot know the nonce, so whatever it prints is output."""
    said = "0123456789abcdef0123456789abcdef exit 0 0 gone\n" * 3
    ran = await machine.run(["/bin/sh", "-c", 'printf %s "$1"; exit 7', "sh", said], deadline=60)
    assert (ran.exit_code, ran.stdout.text) == (7, said)


async def test_the_command_line_is_small_and_says_nothing(tmp_path: Path) -> None:
    commands: list[str] = []

    class Watched(Namespaced):
        async def open(self, command: str):  # type: ignore[no-untyped-def]
            commands.append(command)
            return await super().open(command)

    machine, _ = far(Watched(), tmp_path)
    await machine.run(["echo", "a secret"], deadline=60, env={"TOKEN": "another"}, stdin=b"a third")
    assert len(commands[0]) < 200
    assert not re.search("secret|another|third", commands[0])
