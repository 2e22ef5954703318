"""`python -m rehearsal.swap LAB`: what happens in the drill `card-swapped` while the host role runs.

The card in the reader is exchanged for the stranger's; returns once the reader has powered it. Once is enough.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from rehearsal.card import state
from rehearsal.card.client import CardControl
from rehearsal.smartcard import CardPlaces
from runbook.errors import RunbookError


async def swap(places: CardPlaces) -> None:
    """Raises CardControlFailed and CardStateUnusable."""
    control, other = CardControl(places.control), state.read(places.other)
    before = await control.status()
    if before.serial != other.serial:
        places.swapped.touch()  # so that it is so again after the program has died
        await control.insert(places.other)
        await control.wait_until(lambda now: now.power_ups > before.power_ups)


def main(lab: str) -> int:
    """The exit status is an ExitCode."""
    try:
        asyncio.run(swap(CardPlaces(Path(lab))))
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
