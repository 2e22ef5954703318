"""A look at the files by a child process, while this one imports what draws the screens.

The child shares nothing with this process but a pipe, reads and tells what the first screen shows, and ends. It is
forked where no thread runs yet. Whatever goes wrong in it, the files are read as if there had been no child.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import time
from dataclasses import astuple
from pathlib import Path

from runbook.glance import Glance

PATIENCE = 1.0
"""Seconds that the child is waited for."""

_CHUNK = 1 << 16


class Ahead:
    """Starts the child; ask for what it saw once."""

    def __init__(self, runbook: Path, site: Path | None) -> None:
        self._pipe, write = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            with contextlib.suppress(BaseException):
                os.close(self._pipe)
                _tell(write, _look(runbook, site))
            os._exit(0)
        os.close(write)

    def seen(self) -> Glance | None:
        """What the files look like; None where they cannot be shown yet: they are to be read properly first."""
        told = b""
        ends = time.monotonic() + PATIENCE
        try:
            while select.select([self._pipe], [], [], max(0.0, ends - time.monotonic()))[0]:
                chunk = os.read(self._pipe, _CHUNK)
                if not chunk:
                    return Glance(*marshal.loads(told)) if told else None  # noqa: S302 - of our own child
                told += chunk
            return None
        finally:
            os.close(self._pipe)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)


def _look(runbook: Path, site: Path | None) -> bytes:
    """Nothing where a run of the runbook was left: then there is a question to be asked before any screen."""
    from runbook import paths
    from runbook.files.glancing import glance
    from runbook.files.named import SITE_NAME, find_site

    profile = find_site(site, runbook)
    seen = glance(runbook, profile)
    runs = paths.runs_folder()
    if runs.is_dir() and any(runs.iterdir()):
        from runbook.record.runs import unfinished

        if unfinished(seen.id, profile or runbook.parent / SITE_NAME):
            return b""
    return marshal.dumps(astuple(seen))


def _tell(write: int, told: bytes) -> None:
    left = memoryview(told)
    while left:
        left = left[os.write(write, left) :]
