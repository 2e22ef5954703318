"""Lines for a person on a plain terminal or in a log: written aside, so that a stopped terminal stops nothing."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator

from runbook.text import clean_line

STDERR = 2


class Narrator:
    """Writes lines in order from a thread of its own; a reader that went away is no error.

    A terminal that was stopped with ctrl-s, or a slow line, holds up this thread alone. It is a daemon, so that the
    program can end all the same.
    """

    def __init__(self, fd: int = STDERR) -> None:
        self._fd = fd
        self._lines: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._held: list[bytes] | None = None
        self._thread = threading.Thread(target=self._write, name="narrator", daemon=True)
        self._thread.start()

    def say(self, line: str = "") -> None:
        """One line; harmless characters only, whatever it holds."""
        self._put(clean_line(line).encode() + b"\n")

    def prompt(self, text: str) -> None:
        """Text that the answer stands behind."""
        self._put(clean_line(text).encode())

    def echo(self, text: str) -> None:
        """As it is: a typed letter that is printable, or what this program itself sends to the terminal."""
        self._put(text.encode())

    def _put(self, text: bytes) -> None:
        if self._held is None:
            self._lines.put(text)
        else:
            self._held.append(text)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is said within follows at its end: somebody else has the terminal."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            for text in held:
                self._lines.put(text)

    def flush(self, seconds: float = 2.0) -> None:
        """Wait until everything is written, but not longer than `seconds`."""
        written = threading.Event()
        self._lines.put(written)
        written.wait(seconds)

    def close(self, seconds: float = 2.0) -> None:
        """The same at the end."""
        self.flush(seconds)

    def _write(self) -> None:
        while True:
            item = self._lines.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            with contextlib.suppress(OSError):
                while item:
                    item = item[os.write(self._fd, item) :]
