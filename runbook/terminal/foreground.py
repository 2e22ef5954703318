"""An interactive command that is given the whole terminal, and gives it back."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import termios
from collections.abc import Iterator
from functools import partial

from runbook.children import start
from runbook.errors import StepError
from runbook.operator import TerminalRequest

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl
_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


async def run_in_foreground(request: TerminalRequest, fd: int) -> int:
    """The command's exit status, or 128 and its signal; `fd` is the terminal.

    The command is its own process group in the foreground, as a shell does it, so that ctrl-c is for it alone; it
    dies with this program (prctl(2)). Raises StepError when it cannot be started.
    """
    with _lent(fd):
        try:
            process = await start(
                *request.argv,
                cwd=request.cwd,
                env={**os.environ, **request.env},
                process_group=0,
                preexec_fn=partial(_begin, os.getpid(), fd),
            )
        except OSError as error:
            raise StepError(f"{request.argv[0]} cannot be started: {error.strerror}") from error
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                await _end(process)
    return code if code >= 0 else 128 - code


def _begin(parent: int, fd: int) -> None:
    """Runs in the child: in the foreground before it starts, or it would be stopped at its first look at the terminal.

    A program that asks for a passphrase then asks twice, and drops what was typed in between.
    """
    die_with(parent)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(fd, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)  # ignored while this is done, and that would outlive exec


def die_with(parent: int) -> None:
    """Runs in the child: the kernel kills it when `parent` dies (prctl(2)), whatever it ignores."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
            return


@contextlib.contextmanager
def _lent(fd: int) -> Iterator[None]:
    """The terminal's modes and foreground group as they were, whatever the command did to them."""
    modes = termios.tcgetattr(fd)
    # A background process that takes the terminal back would be stopped by this signal (tcsetpgrp(3)).
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, termios.error):
            os.tcsetpgrp(fd, os.getpgrp())
            termios.tcsetattr(fd, termios.TCSANOW, modes)
        signal.signal(signal.SIGTTOU, before)
