"""The real program on a pseudo-terminal that can go away, and what is left after it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runbook.event import Event
from runbook.record.events import StepFinished, StepStarted
from runbook.record.journal import read_events

DEADLINE = 60.0
"""Seconds that anything awaited may take."""

RUNBOOK = """\
runbook: 1
id: ending
title: A run that ends early
stages:
  - id: A
    title: Work
    steps:
      - id: A.first
        title: Something done
        check: command
        run: [echo, first]
      - id: A.work
        title: Long work
        {role}: command
        run: {run}
      - id: A.last
        title: Never reached
        check: command
        run: [echo, last]
"""

SITE = "site: 1\nname: here\n"

HANGS = """\
trap '' TERM HUP INT
( trap '' TERM HUP INT; setsid sh -c 'trap "" TERM HUP INT; echo $$ >> "$0"; exec sleep 1000' "$1" ) &
echo $$ >> "$1"
while true; do sleep 1000; done
"""
"""A command that ignores signals, and a grandchild in a session of its own that does so too; both write their ids."""

WAITS = """\
echo $$ > "$1"
until [ -e go ]; do sleep 0.02; done
printf '%9000s\\n' done
"""
"""A command that ends when there is a file `go`, and then says more than two pages of a disk hold."""


def until(found: Callable[[], Any], what: str) -> Any:
    """Wait for a fact."""
    end = time.monotonic() + DEADLINE
    while not (fact := found()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.01)
    return fact


def gone(pid: int) -> bool:
    """Ended, or dead and not yet collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Place:
    """A folder with a runbook whose second step works until it is ended."""

    def __init__(self, folder: Path, *, role: str = "action", script: str = HANGS) -> None:
        self.folder = folder
        self.pids = folder / "pids"
        self._count = script.count("echo $$")
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        (folder / "work.sh").write_text(script)
        run = f"[sh, {folder / 'work.sh'}, {self.pids}]"
        (folder / "runbook.yaml").write_text(RUNBOOK.format(role=role, run=run))
        (folder / "site.yaml").write_text(SITE)
        (folder / "answers.yaml").write_text("answers: 1\n")

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        places = {"HOME": self.folder, "XDG_STATE_HOME": self.state, "XDG_CONFIG_HOME": self.folder / "config"}
        return {**kept, **{name: str(place) for name, place in places.items()}, "TERM": "xterm-256color"}

    @staticmethod
    def argv(form: str) -> list[str]:
        more = {"screens": [], "plain": ["--plain"], "headless": ["--headless", "--answers", "answers.yaml"]}[form]
        return [sys.executable, "-m", "runbook", "run", *more]

    @staticmethod
    def argv_resume() -> list[str]:
        """`runbook resume` without a person."""
        return [sys.executable, "-m", "runbook", "resume", "--headless", "--answers", "answers.yaml"]

    def resume(self) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        return subprocess.run(
            self.argv_resume(),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    @property
    def journal(self) -> Path | None:
        return next(iter(self.state.glob("hsm-runbook/runs/*/journal.jsonl")), None)

    @property
    def events(self) -> list[Event]:
        return list(read_events(self.journal)) if self.journal else []

    def begun(self) -> bool:
        """Whether the second step is on record."""
        return any(isinstance(event, StepStarted) and event.step == "A.work" for event in self.events)

    def working(self) -> list[int]:
        """The command and its grandchild, where it makes one, once they are there."""
        found = [int(pid) for pid in self.pids.read_text().split()] if self.pids.exists() else []
        return found if len(found) == self._count else []


class Line:
    """The program at the far end of a line, as sshd would start it; use it in a `with` statement.

    `signalled`: whether the kernel tells the program when the line drops (it is its controlling terminal).
    """

    def __init__(
        self, argv: list[str], folder: Path, env: Mapping[str, str], *, signalled: bool = True, memory: int = 0
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.name = os.ttyname(theirs)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._modes = termios.tcgetattr(theirs)
        self._shell = os.open(self.name, os.O_RDWR | os.O_NOCTTY)  # as a shell, it stays when the program has gone
        self.shown = ""
        self._seen = 0

        def prepare() -> None:
            if signalled:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

        self.process = subprocess.Popen(
            argv,
            cwd=folder,
            env=dict(env),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - the tests start no thread before it
        )
        os.close(theirs)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.drop()

    def drop(self) -> None:
        """The connection is gone."""
        for fd in (self._ours, self._shell):
            if fd >= 0:
                os.close(fd)
        self._ours = self._shell = -1

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Read until this was shown after what was waited for before."""
        end = time.monotonic() + DEADLINE
        while not (found := re.compile(pattern).search(self.shown, self._seen)):
            assert time.monotonic() < end, f"`{pattern}` did not appear:\n{self.shown[self._seen :]!r}"
            self._read(0.1)
        self._seen = found.end()
        return found

    def reading(self, found: Callable[[], Any], what: str) -> Any:
        """Wait for a fact while the terminal shows what comes."""
        return until(lambda: self._read(0.0) or found(), what)

    def reach(self, place: Place, form: str) -> list[int]:
        """Have the second step at work; its processes."""
        self.begin(place, form)
        return self.reading(place.working, "the command")

    def begin(self, place: Place, form: str) -> None:
        """Have the second step begun."""
        if form == "plain":
            for step in ("A.first", "A.work"):
                self.until(rf"{step} is next[\s\S]*Number \(empty: 1\): ")
                self.type("\n")
        if form == "screens":
            self.until("your turn")
            self.type("r")
            self.reading(lambda: any(isinstance(event, StepFinished) for event in place.events), "the first step")
            self._press_until("r", place.begun)

    def _press_until(self, key: str, found: Callable[[], Any]) -> None:
        """A key that comes before the screen waits for it does nothing, and no fact on the terminal tells when."""
        pressed = 0.0

        def press() -> Any:
            nonlocal pressed
            if time.monotonic() - pressed > 0.5:
                pressed = time.monotonic()
                self.type(key)
            return found()

        self.reading(press, f"what the key {key} does")

    def insist(self, number: signal.Signals, seconds: float) -> None:
        """Send the signal each time so many seconds went by, until the program has ended."""
        sent = 0.0

        def send() -> bool:
            nonlocal sent
            if self.process.poll() is None and time.monotonic() - sent > seconds:
                sent = time.monotonic()
                self.process.send_signal(number)
            return self.process.poll() is not None

        self.reading(send, "the end")

    def end(self) -> int:
        """The exit status; negative: the signal that ended it."""
        until(lambda: self._read(0.0) or self.process.poll() is not None, "the end")
        while self._read(0.0) is None and self._more:
            pass
        return self.process.returncode

    _more = False

    def _read(self, seconds: float) -> None:
        self._more = self._ours >= 0 and bool(select.select([self._ours], [], [], seconds)[0])
        if self._more:
            self.shown += os.read(self._ours, 65536).decode(errors="replace").replace("\r\n", "\n")

    def restored(self) -> list[str]:
        """What is not as it was before the program."""
        wrong = []
        if termios.tcgetattr(self._shell) != self._modes:
            wrong.append("modes")
        for number, what, normal in (
            (1049, "alternate screen", "l"),
            (25, "cursor", "h"),
            (1000, "mouse", "l"),
            (1003, "mouse moves", "l"),
            (1006, "mouse coordinates", "l"),
            (2004, "bracketed paste", "l"),
            (1004, "focus reports", "l"),
            (7, "wrapping", "h"),
        ):
            set_to = re.findall(rf"\x1b\[\?(?:\d+;)*{number}(?:;\d+)*([hl])", self.shown)
            if set_to and set_to[-1] != normal:
                wrong.append(what)
        if self.shown.count("\x1b[>") > self.shown.count("\x1b[<u"):
            wrong.append("keyboard protocol")
        return wrong


@contextlib.contextmanager
def all_end(pids: list[int]) -> Iterator[None]:
    """None of these processes outlives what happens inside, nor the test."""
    try:
        yield
        until(lambda: all(gone(pid) for pid in pids), f"the end of {pids}")
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
