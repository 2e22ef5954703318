"""A program in a pseudo-terminal, timed from its start to the moment a text is painted."""

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


def painted(argv: list[str], text: str, *, rows: int = 24, columns: int = 80, deadline: float = 30.0) -> float:
    """Seconds from exec until `text` was written to the terminal; the program is then killed.

    Raises TimeoutError when it does not come within `deadline` seconds.
    """
    started = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LINES=str(rows), COLUMNS=str(columns))
        os.execvp(argv[0], argv)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        seen = b""
        while text.encode() not in seen:
            left = deadline - (time.perf_counter() - started)
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise TimeoutError(f"{argv[0]} did not paint {text!r} within {deadline:g} s; it wrote {seen[-2000:]!r}")
            seen += os.read(fd, 65536)
        return time.perf_counter() - started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
