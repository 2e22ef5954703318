"""The exact PIN counters of a SmartCard-HSM, as OpenSC's `sc-hsm-tool` reads them without a login.

PKCS#11 only knows "low" and "final try". The tool's exit code says nothing (0 also without a card), so its text
decides, and what the text does not say is unknown, never a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from checks.evidence.slots import SlotInfo, TokenInfo
from checks.hosts.errors import LineLost, Unreachable
from checks.hsm.place import Place
from runbook.errors import StepError
from runbook.text import clean_line

USER_TRIES: Final = 3
"""The counter of a freshly initialised card, unless it was set up with another (`--pin-retry`)."""

SO_TRIES: Final = 15
"""The counter of the SO-PIN; it only ever goes down to 0, or back up when the SO-PIN is right."""

_DEADLINE: Final = 10.0
_DESCRIPTION_BYTES: Final = 64
"""CK_SLOT_INFO.slotDescription; a reader's name that fills it may have been cut."""

_USER = re.compile(r"^User PIN tries left\s*:\s*(\d+)\s*$", re.MULTILINE)
_USER_LOCKED = re.compile(r"^User PIN locked\s*$", re.MULTILINE)
_SO = re.compile(r"^SO-PIN tries left\s*:\s*(\d+)\s*$", re.MULTILINE)
_SO_LOCKED = re.compile(r"^SO-PIN locked\s*$", re.MULTILINE)
_VERSION = re.compile(r"^Version\s*:\s*(\d+\.\d+)\s*$", re.MULTILINE)
_READER = re.compile(r"^Using reader with a card: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counters:
    """What the tool said; None: unknown."""

    user_tries: int | None = None
    """0: locked."""
    so_tries: int | None = None
    version: str = ""
    so_reset_allowed: bool = False
    """Whether the user PIN can be reset with the SO-PIN."""
    source: str = "sc-hsm-tool"
    """Where the numbers come from, or why there are none."""


def unknown(why: str) -> Counters:
    """No numbers, and why."""
    return Counters(source=why)


def is_smartcard_hsm(token: TokenInfo) -> bool:
    """Whether OpenSC shows this token as a SmartCard-HSM (its maker is CardContact, whatever the dongle's brand)."""
    return "cardcontact" in token.manufacturer.lower() and token.model.startswith("PKCS#15")


def parse(stdout: str, stderr: str = "") -> Counters:
    """The counters in the tool's text."""
    if "has never been initialized" in stdout:
        return unknown("the card has never been initialised")
    user = 0 if _USER_LOCKED.search(stdout) else _number(_USER, stdout)
    so = 0 if _SO_LOCKED.search(stdout) else _number(_SO, stdout)
    version = _VERSION.search(stdout)
    if user is None and so is None:
        return unknown(f"sc-hsm-tool gave no counter: {_why(stdout, stderr)}")
    return Counters(
        user_tries=user,
        so_tries=so,
        version=version[1] if version else "",
        so_reset_allowed="User PIN reset with SO-PIN enabled" in stdout,
        source="sc-hsm-tool" if user is not None else f"sc-hsm-tool: {_why(stdout, stderr)}",
    )


async def counters(slot: SlotInfo, place: Place, *, deadline: float = _DEADLINE) -> Counters:
    """Read the card in that slot's reader, on the machine that it is in; what cannot be read is unknown.

    Raises the HostError where there is no way to that machine.
    """
    token = slot.token
    if token is None or not is_smartcard_hsm(token):
        return unknown("the token is not a SmartCard-HSM and PKCS#11 gives no number")
    whole_name = len(slot.description.encode()) < _DESCRIPTION_BYTES
    argv = ["sc-hsm-tool", *([f"--reader={slot.description}"] if whole_name else [])]
    try:
        finished = await place.tool(argv, deadline=deadline)
    except (LineLost, Unreachable):
        raise
    except StepError as error:
        return unknown(f"sc-hsm-tool could not be run: {error.what}")
    if finished.ended_by:
        return unknown(f"sc-hsm-tool was ended by {finished.ended_by}")
    reader = _READER.search(finished.stderr.text)
    if not whole_name and not (reader and reader[1].startswith(slot.description)):
        return unknown("sc-hsm-tool looked at another reader")
    return parse(finished.stdout.text, finished.stderr.text)


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None


def _why(stdout: str, stderr: str) -> str:
    """The tool's own words about what went wrong."""
    for mark in ("Public key authentication active", "Transport-PIN active"):
        if mark in stdout:
            return mark
    lines = [line for line in (*stderr.splitlines(), *stdout.splitlines()) if not _READER.match(line) and line.strip()]
    return clean_line(" / ".join(lines[:2]), 200) or "it said nothing"
