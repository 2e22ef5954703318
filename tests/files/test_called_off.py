"""Commands that are called off at any moment of their beginning: that ends, and nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from checks.files.process import run
from runbook.children import let_go, start
from tests.files.test_process import gone, parent_of, pids_in, until

MOMENTS = range(12)
"""Turns of the event loop after which it is called off; more than a start takes."""

OUTLIVES = 'trap "" TERM; tail -f "$0"; true'
"""A child of it outlives it and holds its output open; both have the file to follow among their arguments."""

ENDS = 30.0
"""Seconds."""


def followed(folder: Path) -> str:
    """A file of which nothing ever comes; its path marks the processes of one test."""
    (folder / "mark").touch()
    return str(folder / "mark")


def marked(mark: str) -> list[int]:
    """Processes that have the mark among their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark.encode() in arguments:
            found.append(int(process.name))
    return found


async def called_off(work: Coroutine[Any, Any, Any], turns: int) -> None:
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    _, pending = await asyncio.wait([task], timeout=ENDS)
    assert not pending, "it does not end"
    assert task.cancelled()


@pytest.mark.parametrize("turns", MOMENTS)
async def test_a_command(tmp_path: Path, turns: int) -> None:
    mark = followed(tmp_path)
    await called_off(run(["sh", "-c", OUTLIVES, mark], deadline=600), turns)
    assert await until(lambda: not marked(mark))


@pytest.mark.parametrize("turns", MOMENTS)
async def test_another_child(tmp_path: Path, turns: int) -> None:
    """The child itself is ended; what it has started is not, and holds its output open."""
    mark = followed(tmp_path)
    output = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    before = set(threading.enumerate())

    async def work() -> None:
        child = await start("sh", "-c", OUTLIVES, mark, **output)
        try:
            await asyncio.sleep(600)
        finally:
            let_go(child)

    try:
        await called_off(work(), turns)
    finally:
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert await until(lambda: not any("waitpid" in thread.name for thread in {*threading.enumerate()} - before))
    for _ in MOMENTS:
        await asyncio.sleep(0)  # asyncio's own last words about the child


async def test_a_supervisor_that_does_not_answer_is_not_waited_for_and_ends_it_later(tmp_path: Path) -> None:
    listed = tmp_path / "pids"
    working = asyncio.create_task(run(["sh", "-c", 'echo $$ >> "$0"; exec sleep 1000', str(listed)], deadline=5))
    (pid,) = await pids_in(listed, 1)
    supervisor = parent_of(pid)
    os.kill(supervisor, signal.SIGSTOP)
    finished = await asyncio.wait_for(working, ENDS)
    assert finished.ended_by == "deadline"
    assert await gone(pid, supervisor)
