"""The fault of a drill put right, as a person would: the card put back, pcscd started, the other program ended."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from rehearsal.smartcard import CardPlaces
from runbook.errors import EnvironmentLacks, UsageError

_DEADLINE = 15.0
_POLL = 0.05


def put_right(lab: Path) -> None:
    """Ask the keeper of the lab's reader, and wait until it is done.

    A counter that was spent stays spent: that is for the SO-PIN. Raises UsageError where no card of that lab is in a
    reader, EnvironmentLacks where it was not done within 15 s.
    """
    places = CardPlaces(lab.resolve())
    try:
        pid = int(places.keeper.read_text())
        os.kill(pid, signal.SIGUSR1)
    except (OSError, ValueError):
        raise UsageError(
            "no card of this lab is in a reader now",
            where=str(lab),
            remedy="Name the folder of the lab of a drill that is going on; it says so at its start.",
        ) from None
    end = time.monotonic() + _DEADLINE
    while not places.mended.exists():
        if time.monotonic() > end:
            raise EnvironmentLacks(
                f"it was not put right within {_DEADLINE:g} s", where=str(places.reader), remedy="Start a new drill."
            )
        time.sleep(_POLL)
