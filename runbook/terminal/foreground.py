"""An interactive command that is given the whole terminal, and gives it back."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from runbook.children import start, unbroken
from runbook.errors import StepError
from runbook.operator import TerminalRequest
from runbook.terminal.leftovers import MARK
from runbook.terminal.lent import lent, take
from runbook.terminal.sweeper import Sweeper

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl
_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""

_LOOK = 0.1
"""Seconds between two looks whether the command was stopped."""


async def run_in_foreground(request: TerminalRequest, fd: int) -> int:
    """The command's exit status, or 128 and its signal; `fd` is the terminal.

    The command is its own process group in the foreground, as a shell does it, so that ctrl-c is for it alone; it
    dies with this program (prctl(2)). Stopped with ctrl-z it goes on at once, for there is no shell to come back from.
    What it leaves running in the background is ended, also when this program is killed meanwhile. Raises StepError
    when it cannot be started.
    """
    with lent(fd):
        _say(fd, request.announced)
        sweeper = await _begun(request, Sweeper.start())
        try:
            process = await _begun(
                request,
                start(
                    *request.argv,
                    cwd=request.cwd or None,
                    env=_environment(request, sweeper.mark),
                    process_group=0,
                    preexec_fn=partial(_begin, os.getpid(), fd),
                ),
            )
            try:
                code = await _ended(process, fd)
            finally:
                if process.returncode is None:
                    await unbroken(_end(process))
        finally:
            # Whoever is in a hurry and calls this off once more would get the terminal with others still on it.
            left = await unbroken(sweeper.sweep())
    if left:
        _say(fd, (f"(ended with it: {left} {'process' if left == 1 else 'processes'} that it had left running)",))
    return code if code >= 0 else 128 - code


async def _begun(request: TerminalRequest, starting: Awaitable[T]) -> T:
    try:
        return await starting
    except OSError as error:
        raise StepError(f"{request.argv[0]} cannot be started: {error.strerror}") from error


def _environment(request: TerminalRequest, mark: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in request.withheld}
    return {**ours, **request.env, MARK: mark}


def _say(fd: int, lines: tuple[str, ...]) -> None:
    """Straight to the terminal, whose owner says nothing meanwhile."""
    if lines:
        with contextlib.suppress(OSError):
            os.write(fd, "".join(f"{line}\r\n" for line in lines).encode())


def _begin(parent: int, fd: int) -> None:
    """Runs in the child: in the foreground before it starts, or it would be stopped at its first look at the terminal.

    A program that asks for a passphrase then asks twice, and drops what was typed in between.
    """
    die_with(parent)
    take(fd, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)  # ignored while this is done, and that would outlive exec


def die_with(parent: int) -> None:
    """Runs in the child: the kernel kills it when `parent` dies (prctl(2)), whatever it ignores."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


async def _ended(process: asyncio.subprocess.Process, fd: int) -> int:
    """Its return code; whenever it is stopped meanwhile it is told to go on."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=_LOOK)
            _go_on(process.pid, fd)
        return waiting.result()
    finally:
        waiting.cancel()


def _go_on(pid: int, fd: int) -> None:
    """Where the command was stopped: in the foreground, so that it is not stopped at once for using the terminal."""
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        if os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is not None:
            group = os.getpgid(pid)
            take(fd, group)
            os.killpg(group, signal.SIGCONT)


async def _end(process: asyncio.subprocess.Process) -> None:
    """A shell takes no notice of SIGTERM, and passes SIGHUP on to its jobs; what is stopped hears nothing."""
    for numbers in ((signal.SIGTERM, signal.SIGHUP, signal.SIGCONT), (signal.SIGKILL,)):
        for number in numbers:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
            return
