"""The real program on a pseudo-terminal of any size; every byte that it writes there is kept."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 20.0
"""Seconds until what is waited for has come."""

_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")


class OnPty:
    """`python -m MODULE …` with a terminal of its own as its session's."""

    def __init__(
        self,
        *arguments: str | Path,
        size: tuple[int, int] = (100, 30),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        module: str = "runbook",
    ) -> None:
        self.fd, other = pty.openpty()
        self.resize(*size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=cwd,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", **(env or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - there are no threads here
        )
        os.close(other)
        self.written = bytearray()
        """All that the program wrote."""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for pid in [*descendants(self.process.pid), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        os.close(self.fd)

    @property
    def pid(self) -> int:
        return self.process.pid

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, keys: str | bytes) -> None:
        """All of it in one write; nothing is looked for that was shown before."""
        self.read(0)
        self._seen = len(self.written)
        os.write(self.fd, keys.encode() if isinstance(keys, str) else keys)

    def read(self, seconds: float) -> bool:
        """What comes within so many seconds; false at the end."""
        until = time.monotonic() + seconds
        while select.select([self.fd], [], [], max(0.0, until - time.monotonic()))[0]:
            try:
                chunk = os.read(self.fd, 65_536)
            except OSError:  # Linux says EIO when the other side has gone
                return False
            if not chunk:
                return False
            self.written += chunk
        return True

    def settle(self) -> None:
        """Until nothing more comes: the screen is painted."""
        at = -1
        while at != len(self.written):
            at = len(self.written)
            self.read(0.4)

    @property
    def shown(self) -> str:
        """What was painted since something was last typed, without what places and colours it."""
        return _CONTROL.sub(b"", bytes(self.written[self._seen :])).decode(errors="replace")

    def wait(self, what: str | Callable[[], bool]) -> None:
        """Until it is painted, or so."""
        until = time.monotonic() + PATIENCE
        while not (what in self.shown if isinstance(what, str) else what()):
            assert time.monotonic() < until, f"`{what}` did not come:\n{self.shown[-4000:]}"
            assert self.read(0.05) or self.process.poll() is None, f"it ended before `{what}`:\n{self.shown[-4000:]}"


def descendants(pid: int) -> list[int]:
    """Every process below this one, the nearest first."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, left = [], [pid]
    while left:
        below = parents.get(left.pop(0), [])
        found += below
        left += below
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
