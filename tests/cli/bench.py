"""The command line in a process of its own: plain, and on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUNBOOK = """\
runbook: 1
id: small
title: A small walk
inputs:
  word: {type: string, ask: 'Which word?', source: paper, pattern: '[a-z]+'}
  folder: {type: directory, ask: 'Which folder?', source: site}
facts:
  somebody: Somebody is here
stages:
  - id: A
    title: First
    steps:
      - id: A.people
        title: People
        attest: [Somebody is here, The door is closed]
        establishes: [somebody]
      - id: A.look
        title: Look
        check: command
        run: [echo, 'the word is {{ word }}']
        cwd: '{{ folder }}'
        expect: {stdout: [hello]}
        requires: [somebody]
        hints:
          - likely: The paper says something else
            try: Read it again
  - id: B
    title: Second
    steps:
      - id: B.wait
        title: Wait
        check: command
        run: [sleep, '{{ seconds }}']
        gate: {after: [A], confirm: 'Wait {{ seconds }} seconds?'}
"""

SITE = "site: 1\nname: here\ninputs:\n  folder: /tmp\n  seconds: 0\n"

ANSWERS = "answers: 1\ninputs: {word: hello}\nattest: all\nconfirm: {B.wait: yes}\n"


@dataclass
class Bench:
    """A folder with a runbook, a site profile and answers, and a state folder."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        runbook = RUNBOOK.replace(
            "facts:\n", "  seconds: {type: integer, ask: 'How long?', source: site, minimum: 0}\nfacts:\n"
        )
        (self.folder / "runbook.yaml").write_text(runbook)
        (self.folder / "site.yaml").write_text(SITE)
        (self.folder / "answers.yaml").write_text(ANSWERS)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        config = str(self.folder / "config")
        self.env = {**kept, "XDG_STATE_HOME": str(self.state), "XDG_CONFIG_HOME": config, "TERM": "xterm", **self.env}

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def journals(self) -> list[Path]:
        return sorted(self.state.glob("hsm-runbook/runs/*/journal.jsonl"))

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "runbook", *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In the background, with pipes."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *arguments: str) -> Terminal:
        """On a pseudo-terminal."""
        return Terminal(self.command(*arguments), self.folder, self.env)


class Terminal:
    """A program on a pseudo-terminal, driven as a person would; use it in a `with` statement."""

    def __init__(self, argv: Sequence[str], folder: Path, env: dict[str, str]) -> None:
        self._ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self.theirs, (24, 80))
        self.before = termios.tcgetattr(self.theirs)
        self.shown = ""
        self._seen = 0

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            argv,
            cwd=folder,
            env=env,
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - the tests start no thread before it
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)

    def until(self, text: str, seconds: float = 60.0) -> str:
        """Read until the text was shown after what was waited for before; what was shown up to it."""
        deadline = time.monotonic() + seconds
        while (place := self.shown.find(text, self._seen)) < 0:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"`{text}` did not appear:\n{self.shown[self._seen :]}")
        part = self.shown[self._seen : place + len(text)]
        self._seen = place + len(text)
        return part

    def until_prompt(self, seconds: float = 60.0) -> str:
        """Read until the last thing shown is a prompt, and give what was shown up to it."""
        deadline = time.monotonic() + seconds
        while not re.search(r"(\)|\]|Number): \Z", self.shown[self._seen :]):
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"no prompt appeared:\n{self.shown[self._seen :]}")
        part = self.shown[self._seen :]
        self._seen = len(self.shown)
        return part

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def answer(self, prompt: str, text: str) -> None:
        """Type the line once the prompt is shown."""
        self.until(prompt)
        self.type(text + "\n")

    def by_hand(self, text: str) -> None:
        """Type letter by letter, the next one when the last one is shown."""
        for letter in text:
            self.type(letter)
            self.until(letter)

    def end(self, seconds: float = 60.0) -> int:
        """The exit status; all that was shown is in `shown` then."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not end:\n{self.shown}")
            self._read(0.02)
        while self._read(0.0):
            pass
        return self.process.returncode

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _read(self, seconds: float) -> bool:
        if seconds < 0 or not select.select([self._ours], [], [], max(seconds, 0.0))[0]:
            return False
        data = os.read(self._ours, 65536)
        self.shown += re.sub(r"\r\n", "\n", data.decode(errors="replace"))
        return bool(data)
