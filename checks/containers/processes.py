"""The processes of a container, as its own `/proc` tells them (proc(5)).

`docker top` gives the numbers that processes have on the engine's host, where this program may be no root; within the
container they have others. So its `/proc` is listed by `ls` and read by `cat`, with neither `ps` nor a shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from checks.containers.engine import Engine
from checks.containers.inside import Spoken, Unreadable, run_inside
from runbook.text import clean_line

_AT_A_TIME: Final = 400
"""Files named to one `cat`."""

_MOST: Final = 4000
"""Processes that are looked through."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a container."""

    pid: int
    """In the container."""
    name: str
    """At most 15 bytes (TASK_COMM_LEN)."""
    uid: int
    """Effective."""
    gid: int

    def __str__(self) -> str:
        return f"{self.name} ({self.pid}, user {self.uid}:{self.gid})"


async def processes(engine: Engine, container: str) -> tuple[Process, ...]:
    """All of them. Raises Unreadable, where the image has neither `ls` nor `cat`, and EngineError."""
    listed = _must(await run_inside(engine, container, ("ls", "/proc")), engine, "ls", "/proc")
    pids = [int(name) for name in listed.out.decode("ascii", "replace").split() if re.fullmatch("[0-9]{1,9}", name)]
    if len(pids) > _MOST:
        raise Unreadable(f"{len(pids)} processes are in the container; at most {_MOST} are looked through")
    found: list[Process] = []
    for first in range(0, len(pids), _AT_A_TIME):
        paths = tuple(f"/proc/{pid}/status" for pid in pids[first : first + _AT_A_TIME])
        said = await run_inside(engine, container, ("cat", *paths))  # those that have ended since are not there
        found += _statuses(said.out.decode("utf-8", "replace"))
    if not found:
        _must(said, engine, "cat", "/proc")
        raise Unreadable("no process was found in the container's /proc", where=engine.where)
    return tuple(found)


async def arguments(engine: Engine, container: str, process: Process) -> tuple[str, ...]:
    """How it was started. Raises Unreadable."""
    path = f"/proc/{process.pid}/cmdline"
    said = _must(await run_inside(engine, container, ("cat", path)), engine, "cat", path)
    return tuple(part.decode("utf-8", "replace") for part in said.out.split(b"\0") if part)


async def private_of(engine: Engine, container: str, process: Process, *argv: str) -> tuple[str, bool]:
    """What a reading program says of a process's private part of `/proc`; whether it needed privileges.

    The kernel lets the same user look (ptrace(2), access mode checking), so that the program runs as that user first.
    A process that got capabilities from its file may be looked at with CAP_SYS_PTRACE alone, which no user of a
    container has as a rule: then, and only then, the engine is asked for it. Raises Unreadable.
    """
    own = await run_inside(engine, container, argv, user=f"{process.uid}:{process.gid}")
    if own.exit_code == 0 or not (b"denied" in own.err or b"not permitted" in own.err):
        return _must(own, engine, argv[0], argv[-1]).out.decode("utf-8", "replace"), False
    said = await run_inside(engine, container, argv, user="0:0", privileged=True)
    if said.exit_code != 0:
        words = clean_line((said.err or said.out).decode("utf-8", "replace"), 200)
        raise Unreadable(
            f"{argv[-1]} cannot be read: the kernel does not show it to its own user ({process}), and the engine's "
            f"privileges do not help ({words})",
            where=engine.where,
            remedy="Look whether its program has capabilities of its own: `getcap FILE`.",
        )
    return _must(said, engine, argv[0], argv[-1]).out.decode("utf-8", "replace"), True


def _must(said: Spoken, engine: Engine, program: str, path: str) -> Spoken:
    if said.exit_code in (126, 127):
        words = clean_line(said.out.decode("utf-8", "replace"), 200)
        raise Unreadable(
            f"the container has no `{program}` that runs, by which its /proc is read ({words})", where=engine.where
        )
    if said.exit_code != 0:
        words = clean_line(said.err.decode("utf-8", "replace"), 200)
        raise Unreadable(f"{path} cannot be read in the container: {words}", where=engine.where)
    if said.cut:
        raise Unreadable(f"{path} says far too much", where=engine.where)
    return said


def _statuses(text: str) -> Iterator[Process]:
    """The processes whose `status` files stand one after the other; the kernel escapes line ends in names."""
    for block in re.split(r"(?m)^(?=Name:\t)", text):
        fields = dict(line.split(":\t", 1) for line in block.splitlines() if ":\t" in line)
        try:
            uid, gid = int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1])
            yield Process(int(fields["Pid"]), fields["Name"], uid, gid)
        except (KeyError, IndexError, ValueError):  # one that ended in the middle of it
            continue
