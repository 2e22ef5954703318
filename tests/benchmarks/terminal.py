"""A program in a pseudo-terminal: keys are written to it, and what it paints is waited for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

DEADLINE = 60.0
"""Seconds to wait for anything."""


class Terminal:
    """The program runs from the start of the `with` statement, and is killed at its end."""

    def __init__(self, argv: list[str], *, rows: int = 24, columns: int = 80) -> None:
        self._argv, self._rows, self._columns = argv, rows, columns
        self._pid = 0
        self._fd = -1
        self.exit_status: int | None = None
        """Once it has ended; negative: the signal that ended it."""

    def __enter__(self) -> Terminal:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.environ.update(TERM="xterm-256color", LINES=str(self._rows), COLUMNS=str(self._columns))
            os.execvp(self._argv[0], self._argv)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", self._rows, self._columns, 0, 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self.exit_status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._fd)

    def write(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def wait_for(self, text: str) -> None:
        """Until `text` was written, in one piece."""
        self.read_until(lambda written: text.encode() in written)

    def read_until(self, there: Callable[[bytes], bool]) -> None:
        """Until `there` is true of what was written from now on; raises TimeoutError."""
        ends = time.monotonic() + DEADLINE
        written = b""
        while not there(written):
            if not select.select([self._fd], [], [], max(0.0, ends - time.monotonic()))[0]:
                raise TimeoutError(f"{self._argv[0]} wrote {written[-2000:]!r}, and not what was waited for")
            try:
                written += os.read(self._fd, 65536)
            except OSError as error:
                raise TimeoutError(f"{self._argv[0]} ended; it wrote {written[-2000:]!r}") from error

    def rest(self) -> bytes:
        """All that is written until the program ends by itself; raises TimeoutError."""
        ends = time.monotonic() + DEADLINE
        written = b""
        while select.select([self._fd], [], [], max(0.0, ends - time.monotonic()))[0]:
            try:
                written += os.read(self._fd, 65536)
            except OSError:
                os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
                return written
        raise TimeoutError(f"{self._argv[0]} did not end; it wrote {written[-2000:]!r}")

    def drain(self, seconds: float) -> int:
        """Read for that long whatever is written; how many bytes it was."""
        ends = time.monotonic() + seconds
        size = 0
        while (left := ends - time.monotonic()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                size += len(os.read(self._fd, 65536))
        return size

    def settle(self) -> None:
        """Until nothing has been written for a fifth of a second."""
        while self.drain(0.2):
            pass

    @property
    def cpu(self) -> float:
        """Seconds of CPU time of all its threads (/proc/PID/task/TID/schedstat)."""
        threads = Path(f"/proc/{self._pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    @property
    def megabytes(self) -> float:
        """Memory in use (VmRSS of proc(5))."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def painted(argv: list[str], text: str, *, rows: int = 24, columns: int = 80) -> tuple[float, float]:
    """Seconds from exec until `text` was written to the terminal, and seconds of CPU time; the program is then killed.

    Raises TimeoutError.
    """
    started = time.perf_counter()
    with Terminal(argv, rows=rows, columns=columns) as terminal:
        terminal.wait_for(text)
        return time.perf_counter() - started, terminal.cpu
