"""Local commands: what they end with, what is kept of them, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.files.process import run
from checks.files.programs import FolderMissing, ProgramNotExecutable, ProgramNotFound
from runbook.secrets import Redactor, Secret


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def until(holds: Callable[[], bool], within: float = 20.0) -> bool:
    """Whether it comes to hold."""
    give_up = time.monotonic() + within
    while not holds():
        if time.monotonic() > give_up:
            return False
        await asyncio.sleep(0.02)
    return True


async def gone(*pids: int) -> bool:
    """Whether all of them end."""
    return await until(lambda: not any(alive(pid) for pid in pids))


async def pids_in(path: Path, count: int) -> list[int]:
    """The process ids that the command wrote down, once there are as many."""

    def written() -> list[int]:
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    assert await until(lambda: len(written()) >= count)
    return written()


STUBBORN = """
trap '' TERM HUP INT
echo $$ >> "$1"
sh -c 'trap "" TERM HUP INT; echo $$ >> "$1"; while :; do sleep 600; done' sh "$1" &
setsid sh -c 'trap "" TERM HUP INT; echo $$ >> "$1"; while :; do sleep 600; done' sh "$1" &
while :; do sleep 600; done
"""
"""Ignores SIGTERM, as do its child and another child that has moved to a session of its own."""


PROGRAM = """
import asyncio, sys
from checks.files.process import run
asyncio.run(run(["sh", "-c", sys.argv[1], "sh", sys.argv[2]], deadline=600))
"""
"""A program that runs a shell script of its first argument and can be killed."""


async def test_exit_code_and_both_streams() -> None:
    finished = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], deadline=20)
    assert (finished.exit_code, finished.ended_by) == (3, "")
    assert finished.stdout.text == "out\n"
    assert finished.stderr.text == "err\n"


async def test_arguments_arrive_as_they_are() -> None:
    argv = ["printf", "%s\n", "a b", "$HOME", "*", "'", '"', "", "--", "日本", "-n"]
    finished = await run(argv, deadline=20)
    assert finished.stdout.raw.decode() == "".join(f"{argument}\n" for argument in argv[2:])


async def test_stdin_is_sent_and_closed() -> None:
    finished = await run(["sha256sum"], stdin=b"abc", deadline=20)
    assert finished.stdout.text.startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


async def test_no_stdin_is_an_end_of_file() -> None:
    assert (await run(["cat"], deadline=20)).exit_code == 0


async def test_a_command_that_does_not_read_its_stdin() -> None:
    assert (await run(["true"], stdin=b"x" * 1_000_000, deadline=20)).exit_code == 0


async def test_no_terminal_and_no_file_of_ours(tmp_path: Path) -> None:
    secret = (tmp_path / "open").open("w")
    os.set_inheritable(secret.fileno(), True)
    listing = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1]); open('/dev/tty')"
    finished = await run([sys.executable, "-c", listing], deadline=20)
    secret.close()
    assert finished.stdout.text == "[0, 1, 2]\n"
    assert "No such device or address" in finished.stderr.text


async def test_signals_are_as_a_program_expects_them() -> None:
    status = await run(["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"], deadline=20)
    masks = {name: int(mask, 16) for name, mask in (line.split() for line in status.stdout.text.splitlines())}
    assert masks.keys() == {"SigBlk:", "SigIgn:"}
    # The C library keeps two signals for itself that no program can set; they are not among these.
    known = {number for number in signal.valid_signals() if number < signal.SIGRTMIN}
    for name, mask in masks.items():
        assert not {number for number in known if mask >> (number - 1) & 1}, name


async def test_environment_and_folder(tmp_path: Path) -> None:
    finished = await run(["/bin/sh", "-c", "pwd; env"], cwd=tmp_path, env={"ONLY": "this"}, deadline=20)
    lines = finished.stdout.text.splitlines()
    assert lines[0] == str(tmp_path)
    assert "ONLY=this" in lines
    assert not [line for line in lines if line.startswith(("HOME=", "PATH="))]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_killed_by_a_signal(number: signal.Signals) -> None:
    finished = await run(["sh", "-c", f"kill -{int(number)} $$"], deadline=20)
    assert (finished.exit_code, finished.ended_by) == (None, number.name)


async def test_programs_that_cannot_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    lost = tmp_path / "lost"
    lost.write_text("#!/no/such/interpreter\n")
    lost.chmod(0o755)
    no_program = tmp_path / "no_program"
    no_program.write_bytes(b"\x00\x01\x02")
    no_program.chmod(0o755)
    for argv, kind, words in (
        (["no-such-program-here"], ProgramNotFound, "no program `no-such-program-here`"),
        (["./nothing"], ProgramNotFound, "no file"),
        ([str(plain)], ProgramNotExecutable, "not executable"),
        ([str(tmp_path)], ProgramNotExecutable, "is a folder"),
        ([str(lost)], ProgramNotFound, "interpreter"),
        ([str(no_program)], ProgramNotExecutable, "no program"),
        ([""], ProgramNotFound, "empty"),
        (["echo", "a\0b"], ProgramNotFound, "NUL"),
    ):
        with pytest.raises(kind, match=words):
            await run(argv, cwd=tmp_path, deadline=20)
    with pytest.raises(FolderMissing):
        await run(["true"], cwd=tmp_path / "absent", deadline=20)


async def test_a_program_is_looked_for_in_the_given_path(tmp_path: Path) -> None:
    tool = tmp_path / "my-tool"
    tool.write_text("#!/bin/sh\necho mine\n")
    tool.chmod(0o755)
    finished = await run(["my-tool"], env={"PATH": str(tmp_path)}, deadline=20)
    assert finished.stdout.text == "mine\n"


async def test_deadline_ends_everything_that_is_stubborn(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    running = asyncio.create_task(run(["sh", "-c", STUBBORN, "sh", str(pids)], deadline=1.5))
    family = await pids_in(pids, 3)
    assert all(alive(pid) for pid in family)
    finished = await running
    assert (finished.exit_code, finished.ended_by) == (None, "deadline")
    assert not [pid for pid in family if alive(pid)]
    assert time.monotonic() - started < 8


async def test_cancellation_ends_everything_before_it_is_passed_on(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    running = asyncio.create_task(run(["sh", "-c", STUBBORN, "sh", str(pids)], deadline=60))
    family = await pids_in(pids, 3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [pid for pid in family if alive(pid)]


async def test_a_polite_command_may_tidy_up(tmp_path: Path) -> None:
    tidied, ready = tmp_path / "tidied", tmp_path / "ready"
    script = 'trap "echo yes > $1; exit 0" TERM; echo 1 > "$2"; while :; do sleep 0.05; done'
    running = asyncio.create_task(run(["sh", "-c", script, "sh", str(tidied), str(ready)], deadline=60))
    await pids_in(ready, 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tidied.read_text() == "yes\n"


async def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = (
        'setsid sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1" & while ! [ -s "$1" ]; do sleep 0.02; done; echo done'
    )
    finished = await run(["sh", "-c", script, "sh", str(pids)], deadline=20)
    assert (finished.exit_code, finished.stdout.text, finished.left_behind) == (0, "done\n", 1)
    assert not alive((await pids_in(pids, 1))[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
async def test_nothing_is_left_when_the_program_dies(tmp_path: Path, number: signal.Signals) -> None:
    pids = tmp_path / "pids"
    ours = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, STUBBORN, str(pids))
    family = await pids_in(pids, 3)
    os.kill(ours.pid, number)
    await ours.wait()
    assert await gone(*family)


async def test_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = 'sh -c \'echo $$ $PPID >> "$1"; exec sleep 600\' sh "$1" & wait'
    running = asyncio.create_task(run(["sh", "-c", script, "sh", str(pids)], deadline=15))
    grandchild, child = await pids_in(pids, 2)
    supervisor = parent_of(child)
    assert parent_of(supervisor) == os.getpid()
    os.kill(supervisor, signal.SIGKILL)
    finished = await running
    assert finished.exit_code is None
    assert "supervisor" in finished.ended_by
    assert await gone(child, grandchild)


async def test_program_and_supervisor_are_both_killed(tmp_path: Path) -> None:
    """The program cannot act any more, so it is the kernel that ends the command."""
    pids = tmp_path / "pids"
    script = 'echo $$ >> "$1"; kill -STOP $$'
    ours = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, script, str(pids))
    (child,) = await pids_in(pids, 1)
    supervisor = parent_of(child)
    os.kill(ours.pid, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    assert await gone(child)
    os.kill(ours.pid, signal.SIGKILL)
    await ours.wait()


async def test_a_flood_is_read_in_bounded_memory() -> None:
    lines: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    finished = await run(
        ["sh", "-c", "echo first; yes 0123456789abcdef | head -c 100000000; echo last"],
        deadline=60,
        on_line=lines.append,
    )
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} KiB more than before"
    assert finished.exit_code == 0
    text = finished.stdout.text
    assert text.startswith("first\n")
    assert text.endswith("last\n")
    assert "bytes left out" in text
    assert len(text) < 200_000
    kept = sum(len(line) + 1 for line in text.splitlines() if "left out" not in line)
    left_out = int(text.split("… [")[1].split(" ")[0])
    assert kept + left_out == 100_000_000 + len("first\nlast\n")
    assert len(lines) < 5_000
    assert any("more lines]" in line for line in lines)


async def test_a_flood_without_line_ends() -> None:
    lines: list[str] = []
    finished = await run(["head", "-c", "20000000", "/dev/zero"], deadline=60, on_line=lines.append)
    assert len(finished.stdout.text) < 200_000
    assert max(len(line) for line in lines) < 3_000


async def test_lines_come_while_the_command_runs(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    seen = asyncio.Event()
    lines: list[str] = []

    def take(line: str) -> None:
        lines.append(line)
        seen.set()

    script = 'printf "one\\ntwo"; while ! [ -e "$1" ]; do sleep 0.02; done'
    running = asyncio.create_task(run(["sh", "-c", script, "sh", str(stop)], deadline=60, on_line=take))
    async with asyncio.timeout(20):
        await seen.wait()
    assert lines == ["one"]
    stop.touch()
    await running
    assert lines == ["one", "two"]


async def test_escape_sequences_and_secrets_do_not_pass() -> None:
    redactor = Redactor()
    redactor.learn(Secret(b"482913"))
    lines: list[str] = []
    said = b"\033]52;c;aGk=\007\033[2J\302\233 PIN 482913 \342\200\256gnp\n"
    finished = await run(["tee", "/dev/stderr"], stdin=said, deadline=20, on_line=lines.append, redactor=redactor)
    for text in (finished.stdout.text, finished.stderr.text, *lines):
        assert not [char for char in text if not char.isprintable() and char != "\n"]
        assert "␛]52;c" in text
        assert "482913" not in text
    assert "482913" not in finished.stdout.plain
    assert len(lines) == 2
    assert "482913" not in repr(finished)


async def test_many_at_once() -> None:
    results = await asyncio.gather(*(run(["sh", "-c", f"echo {n}; exit {n}"], deadline=60) for n in range(12)))
    assert [(r.exit_code, r.stdout.text) for r in results] == [(n, f"{n}\n") for n in range(12)]


async def test_no_descriptor_is_lost() -> None:
    await run(["true"], deadline=20)
    before = open_descriptors()
    for _ in range(5):
        await run(["true"], deadline=20)
        with pytest.raises(ProgramNotExecutable):
            await run(["/etc/hostname"], deadline=20)
    await run(["sleep", "60"], deadline=0.2)
    assert open_descriptors() == before


def test_the_supervisor_needs_nothing_but_the_interpreter() -> None:
    code = (
        "import runpy, sys; runpy.run_path('checks/files/supervise.py', run_name='x');"
        "print([name for name in sys.modules if name.startswith(('runbook', 'checks'))])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
