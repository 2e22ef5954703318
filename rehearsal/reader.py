"""The lab's card in its reader, as long as the program needs it."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
from pathlib import Path

import msgspec

from rehearsal.faults import Fault
from rehearsal.keeper import Ready, Request
from runbook.errors import EnvironmentLacks

_START_DEADLINE = 60.0
"""Seconds for the card to be in its reader; it takes about one, and each of its parts has a deadline of 10."""

_END_DEADLINE = 15.0
"""Seconds for the reader to end; it takes a tenth of one."""

_WITH_ENGINE = 120.0
"""Seconds for either where an engine starts and stops containers; each takes one or two."""


class CardReader:
    """A context manager: inside, the lab's card is in a reader. Raises EnvironmentLacks.

    The reader ends with this process, however it ends. With `standing`, others who want this card in a reader meanwhile
    use this one. `full`: the lab's engine runs too.
    """

    def __init__(self, lab: Path, fault: Fault | None = None, *, standing: bool = False, full: bool = False) -> None:
        self._request = Request(str(lab), fault, standing, full)
        self._log = lab / "reader.log"
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> CardReader:
        with self._log.open("ab") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-m", "rehearsal.keeper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=0,  # ctrl-c at the terminal is for the program
            )
        try:
            self._start(self._keeper)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end()

    def _start(self, keeper: subprocess.Popen[bytes]) -> None:
        if keeper.stdin is None or keeper.stdout is None:
            raise RuntimeError("the keeper has no pipes")
        keeper.stdin.write(msgspec.json.encode(self._request) + b"\n")
        keeper.stdin.flush()
        line = b""
        if select.select([keeper.stdout], [], [], self._bound(_START_DEADLINE))[0]:
            line = keeper.stdout.readline()
        if not line:
            raise EnvironmentLacks("the card's reader did not start", where=str(self._log))
        ready = msgspec.json.decode(line, type=Ready)
        if ready.error:
            raise EnvironmentLacks(ready.error, where=ready.where, remedy=ready.remedy)

    def _bound(self, seconds: float) -> float:
        return _WITH_ENGINE if self._request.full else seconds

    def _end(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        for pipe in (keeper.stdin, keeper.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()  # it waits for this
        try:
            keeper.wait(self._bound(_END_DEADLINE))
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
