"""`python -m rehearsal.full.systemctl SOCKET …`: systemctl(1) as the commands of a full lab's hosts find it.

What it is asked goes to the lab's keeper, which runs the services (`rehearsal.full.services`); what comes back is what
systemd 252 would say.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import msgspec

_DEADLINE = 60.0
"""Seconds for a service to come up or to end; each takes about one."""

_NO_SYSTEMD = (
    "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    "Failed to connect to bus: Host is down\n"
)


class Asked(msgspec.Struct, frozen=True):
    """One call."""

    arguments: list[str]


class Said(msgspec.Struct, frozen=True):
    """What came of it."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


def ask(place: Path, arguments: list[str]) -> Said:
    """The keeper's answer; where nothing answers, what systemctl says on a machine without systemd."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_DEADLINE)
            line.connect(str(place))
            line.sendall(msgspec.json.encode(Asked(arguments)) + b"\n")
            with line.makefile("rb") as answer:
                return msgspec.json.decode(answer.readline(), type=Said)
    except (OSError, msgspec.DecodeError):
        return Said(1, stderr=_NO_SYSTEMD)


def main(place: str, *arguments: str) -> int:
    """The exit status of systemctl(1)."""
    said = ask(Path(place), list(arguments))
    sys.stdout.write(said.stdout)
    sys.stdout.flush()
    sys.stderr.write(said.stderr)
    return said.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
