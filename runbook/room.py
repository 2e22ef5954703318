"""Whether a limit on this process's memory leaves room for a run (setrlimit(2), `ulimit -v`)."""

from __future__ import annotations

import resource
from pathlib import Path

from runbook.errors import EnvironmentLacks

MEBIBYTE = 1024 * 1024

ROOM = 640
"""MiB of address space beside what is taken at the start.

A run has about eight threads, and the C library reserves 64 MiB for each of them beside its stack (malloc(3), arenas).
Most of it is never used; but whoever asks next may get nothing.
"""


def require_room() -> None:
    """Raise EnvironmentLacks where the address space is limited and too little of it is left."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    if limit - taken < ROOM * MEBIBYTE:
        raise EnvironmentLacks(
            f"the memory that this program may use is limited to {limit // MEBIBYTE} MiB, and a run could end for want "
            f"of it at any step: {taken // MEBIBYTE + ROOM} MiB are needed",
            remedy="Raise the limit (`ulimit -v`, in KiB; `ulimit -v unlimited` where that is allowed). Nothing was "
            "done.",
        )
