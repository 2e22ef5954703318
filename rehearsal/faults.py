"""What can be wrong in a drill."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """One thing that is not as it should be; the runbook has to find it."""

    WRONG_DONGLE = "wrong-dongle"
    TAMPERED_EXPORT = "tampered-export"
    WRONG_PAPER = "wrong-paper"

    @property
    def story(self) -> str:
        """What has happened, for the person who runs the drill."""
        return _STORIES[self]


_STORIES = {
    Fault.WRONG_DONGLE: "somebody plugged another dongle in: the same label, another serial, other keys",
    Fault.TAMPERED_EXPORT: "the export stick was exchanged: its files agree with each other, its keys are a stranger's",
    Fault.WRONG_PAPER: "the fingerprint on paper differs from the real one in one character",
}


def change_one_character(fingerprint: str, position: int) -> str:
    """`fingerprint` (hex) with another digit at `position`."""
    other = "0123456789abcdef"[(int(fingerprint[position], 16) + 8) % 16]
    return fingerprint[:position] + other + fingerprint[position + 1 :]
