"""`python -m rehearsal.card --state FILE`: the card of this state file in a virtual reader."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from rehearsal.card import control
from rehearsal.card.machine import Machine
from rehearsal.card.transport import Slot
from runbook.errors import RunbookError

DEFAULT_PORT = 35963
"""Where the reader of Debian's vsmartcard-vpcd listens (0x8C7B)."""

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status is an ExitCode."""
    options = _parser().parse_args(arguments)
    if options.parent and not _dies_with(options.parent):
        return 0
    state = options.state.resolve()
    try:
        asyncio.run(_run(state, options.control or control.socket_of(state), options.host, options.port))
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


async def _run(state: Path, socket_path: Path, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    machine = Machine(state)
    try:
        slot = Slot(machine, host, port)
        async with control.serving(socket_path, machine, slot):
            serving = asyncio.create_task(slot.run())
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, serving.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await serving
    finally:
        machine.close()


def _dies_with(parent: int) -> bool:
    """Whether the parent still lives; if so, this process is killed when it dies (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.card", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the card's state file")
    parser.add_argument("--host", default="127.0.0.1", help="where the virtual reader listens")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--control", type=Path, help="the control socket; beside the state file by default")
    parser.add_argument("--parent", type=int, help="the process to live as long as, this one's parent")
    return parser


if __name__ == "__main__":
    sys.exit(main())
