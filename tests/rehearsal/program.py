"""The program as a person calls it, and what it leaves."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def runbook(*arguments: str | Path, cwd: Path | None = None, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runbook", *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def sheet_of(lab: Path) -> dict[str, Any]:
    sheet: dict[str, Any] = yaml.safe_load((lab / "paper-sheet.yaml").read_text())
    return sheet


def pin_of(sheet: Path) -> str:
    pin: str = yaml.safe_load(sheet.read_text())["pins"]["intermediate"]
    return pin


def so_pin_of(sheet: Path) -> str:
    lines = sheet.read_text().splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("# SO-PIN"))
    return lines[place + 2].strip("# ")


def journals(home: Path) -> list[Path]:
    return sorted((home / "state").rglob("journal.jsonl"))


def events(journal: Path, kind: str) -> list[dict[str, Any]]:
    """The fields of all records of that kind."""
    records = map(json.loads, journal.read_text().splitlines())
    return [
        {name: opened["value"] for name, opened in record["open"].items()}
        for record in records
        if record["type"] == kind
    ]


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes with this home in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(home) in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended meanwhile
    return found


class Terminal:
    """The program on a pseudo-terminal, read until something is shown."""

    def __init__(self, *arguments: str) -> None:
        self.fd, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runbook", *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(other)
        self.shown = b""

    def wait_for(self, text: bytes) -> None:
        while text not in self.shown:
            assert select.select([self.fd], [], [], 30)[0], self.shown
            try:
                chunk = os.read(self.fd, 4096)
            except OSError:  # Linux says EIO when the other side has gone
                chunk = b""
            assert chunk, self.shown
            self.shown += chunk

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def read(self) -> bool:
        """Read what there is to read, for a moment, so that the program never waits for us; false at the end."""
        if not select.select([self.fd], [], [], 0.02)[0]:
            return True
        try:
            chunk = os.read(self.fd, 4096)
        except OSError:
            return False
        self.shown += chunk
        return bool(chunk)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)
