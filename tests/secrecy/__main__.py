"""Copies of what is typed, by process: while it stands at the prompt, and a second after it was used. As root.

python -m tests.secrecy
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.secrecy.cases import CASES, Case, Places, Ready
from tests.secrecy.on_pty import OnPty, command_line, descendants
from tests.secrecy.scan import copies
from tests.ssh_lab.lab import Lab

KINDS = {
    "runbook run": "draws the screens",
    "checks.hsm.worker": "token worker",
    "supervise.py": "supervisor",
    "ssh ": "ssh",
    "ansible_child": "Ansible's keeper",
}


def kind(pid: int) -> str:
    line = command_line(pid)
    return next((name for part, name in KINDS.items() if part in line), line[:40])


def counted(program: OnPty, ready: Ready) -> dict[str, int]:
    found: dict[str, int] = {}
    for pid in (program.pid, *descendants(program.pid)):
        found[kind(pid)] = found.get(kind(pid), 0) + len(copies(pid, ready.secret, ready.run))
    return found


def measure(case: Case, places: Places) -> None:
    with case.prepare(places) as ready, OnPty("run", cwd=ready.folder, env=ready.env) as program:
        program.wait("your turn")
        program.type("r")
        program.wait(case.asks)
        program.wait("·" * 8)
        program.type(ready.secret)
        program.wait("•" * 8)
        program.read(0.5)
        typed = counted(program, ready)
        program.type("\r")
        program.wait(case.then)
        program.read(1.0)
        sys.stdout.write(f"{case.name:26} typed {typed}  a second after use {counted(program, ready)}\n")
        sys.stdout.flush()


def main() -> int:
    with Lab() as lab:
        for case in CASES:
            with tempfile.TemporaryDirectory() as folder:
                measure(case, Places(Path(folder), lab))
    return 0


if __name__ == "__main__":
    sys.exit(main())
