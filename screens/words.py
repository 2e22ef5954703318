"""How each state looks: a sign and a word, so that no state is told by colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.content import Content

from runbook.standing import Answer, Status

GOOD = "$text-success"
DOUBT = "$text-warning"
BAD = "$text-error"
CALM = "$text-primary"
QUIET = "$quiet"


@dataclass(frozen=True, slots=True)
class Look:
    """A sign one cell wide and the style of sign and word."""

    sign: str
    style: str


LOOKS: Mapping[Status, Look] = {
    Status.WAITING: Look("○", QUIET),
    Status.BLOCKED: Look("■", DOUBT),
    Status.RUNNING: Look("▶", f"bold {CALM}"),
    Status.NEEDS_YOU: Look("◆", f"bold {DOUBT}"),
    Status.PASSED: Look("✓", GOOD),
    Status.WARNED: Look("▲", DOUBT),
    Status.FAILED: Look("✗", f"bold {BAD}"),
    Status.ERRORED: Look("!", f"bold {BAD}"),
    Status.SKIPPED: Look("↷", DOUBT),
    Status.NOT_HERE: Look("·", QUIET),
    Status.IN_DOUBT: Look("?", f"bold {DOUBT}"),
}

ANSWERS: Mapping[Answer, Look] = {
    Answer.DONE: Look("✓", f"bold {GOOD}"),
    Answer.NOT_DONE: Look("○", "bold"),
    Answer.PARTLY: Look("▲", f"bold {DOUBT}"),
    Answer.CANNOT_TELL: Look("?", f"bold {DOUBT}"),
}
"""What a probe answers to: is it done already?"""

WIDEST = max(len(status.value) for status in Status)
"""Cells of the longest word."""

WIDE = 38
"""Cells from which a list of steps shows titles beside the ids."""

LONGEST_ID = 18
"""Cells to which the ids are padded there, so that the titles stand in a column."""


def sign(status: Status) -> Content:
    """The sign of a state."""
    look = LOOKS[status]
    return Content.styled(look.sign, look.style)


def badge(status: Status) -> Content:
    """Sign and word of a state."""
    look = LOOKS[status]
    return Content.styled(f"{look.sign} {status.value}", look.style)


def probe_badge(answer: Answer) -> Content:
    """Sign and word of a probe's answer."""
    look = ANSWERS[answer]
    return Content.styled(f"{look.sign} {answer.value}", look.style)


def verdict(good: bool, yes: str, no: str) -> Content:
    """`yes` with a tick or `no` with a cross."""
    return Content.styled(f"✓ {yes}", GOOD) if good else Content.styled(f"✗ {no}", f"bold {BAD}")
