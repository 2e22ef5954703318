"""Getting into the namespaces of a process of the lab (nsenter(1))."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where the packages of this project are."""

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


ADMIN = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Without /usr/local, where tests put programs that hang."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Those of the process `pid`, a number of the tests' own process namespace."""

    pid: int
    environment: Mapping[str, str] = field(
        default_factory=lambda: {"PATH": ADMIN, "HOME": "/root", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    )

    def enter(self) -> list[str]:
        """The beginning of an argument list that runs the rest in there."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            [*self.enter(), *argv], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    @staticmethod
    def python(module: str) -> list[str]:
        """Only where the file system is the tests' own."""
        return [sys.executable, "-m", module]


def children(pid: int) -> list[int]:
    """The child processes, of every thread (proc(5)); a thread may end while it is being looked at."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += task.read_text().split()
    return [int(word) for word in found]


def command_line(pid: int) -> list[str]:
    """Empty for a process that has gone."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        line = b""
    return os.fsdecode(line).rstrip("\0").split("\0")
