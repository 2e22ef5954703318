"""A real terminal: a tmux session of its own, with people who attach to it and leave."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CONTROL = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\([AB0])")

DEADLINE = 60.0
"""Seconds that anything awaited may take."""


class Terminal:
    """A tmux session of its own with one program in it; its files are in `folder`."""

    def __init__(self, folder: Path, size: tuple[int, int] = (80, 24)) -> None:
        self.folder = folder
        self.bytes = folder / "bytes"
        self._size = size
        self._command = ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null"]

    def tmux(self, *arguments: str) -> str:
        # Nothing of the tests' own environment: pytest tells programs a size of the terminal that never changes.
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
        done = subprocess.run([*self._command, *arguments], check=True, capture_output=True, text=True, env=kept)
        return done.stdout

    def run(self, command: str, **environment: str) -> None:
        """Run the shell's command in the folder, on a screen that shows nothing else."""
        places = "".join(f"export {name}={shlex.quote(value)}; " for name, value in environment.items())
        width, height = map(str, self._size)
        self.tmux("new-session", "-d", "-x", width, "-y", height, "sh", "-c", "sleep infinity")
        self.tmux("set-option", "-g", "remain-on-exit", "on")
        self.tmux("set-option", "-g", "status", "off")
        self.tmux("pipe-pane", "-o", f"cat > {self.bytes}")
        self.tmux("respawn-pane", "-k", "sh", "-c", f"cd {self.folder}; {places}{command}; cat")

    def start(self, play: str, **environment: str) -> None:
        """Run the sample runbook with that play."""
        self.run(f"{sys.executable} -m tests.screens.shown {play}", PYTHONPATH=str(ROOT), **environment)

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    @property
    def last_shown(self) -> str:
        """What is shown, where the terminal is there still."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return self.screen
        return ""

    def wait(self, what: str, found: Callable[[], bool] | None = None) -> None:
        end = time.monotonic() + DEADLINE
        while not (found() if found else what in self.screen):
            assert time.monotonic() < end, f"`{what}` did not come:\n{self.last_shown}"
            time.sleep(0.05)

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        """As somebody does who drags the window's corner."""
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def size(self) -> tuple[int, int]:
        """What the program is told of the terminal's size."""
        width, height = self.tmux("display-message", "-p", "#{pane_width} #{pane_height}").split()
        return int(width), int(height)

    def close(self) -> None:
        """The terminal goes away, with all that it holds; nothing, where it has gone already."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.tmux("kill-server")

    @contextlib.contextmanager
    def attached(self, width: int, height: int) -> Iterator[Person]:
        """Somebody attaches from a terminal of that size, and has left it at the end."""
        with Person([*self._command, "attach"], width, height) as person:
            yield person
            self.tmux("detach-client")
            person.left()


class Person:
    """Somebody at a terminal of their own."""

    def __init__(self, argv: Sequence[str], width: int, height: int) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self._process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(theirs)
        self._drawn = b""

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def sees(self, text: str) -> None:
        """Wait until this was drawn on their terminal since they were asked last."""
        end = time.monotonic() + DEADLINE
        while text not in (shown := _CONTROL.sub("", self._drawn.decode(errors="replace"))):
            assert time.monotonic() < end, f"`{text}` was not drawn:\n{shown}"
            self._read()
        self._drawn = b""

    def left(self) -> None:
        """Wait until they have left."""
        end = time.monotonic() + DEADLINE
        while self._process.poll() is None:
            assert time.monotonic() < end, "they are attached still"
            self._read()

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):  # the far end is closed
                self._drawn += os.read(self._ours, 65536)
