"""Events of every type, and a journal that holds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from checks.evidence.files import CommandOutput
from checks.evidence.fingerprints import FingerprintPair, PaperFingerprint
from runbook import events as ev
from runbook.event import Event
from runbook.outcome import Outcome

PAIR = FingerprintPair(
    form="SHA-256", left_title="paper", left="ab" * 32, right_title="root_ca.crt", right="ab" * 31 + "ac"
)

EVENTS: tuple[Event, ...] = (
    ev.RunStarted("r1", "hsm", "Title", "0" * 64, "site", "1" * 64, "p 1", "host", "op", True, ("A", "B")),
    ev.InputGiven("usb", "/mnt/usb", "site"),
    ev.InputGiven("password", None, "typed"),
    ev.StageStarted("A"),
    ev.StepBlocked("A1", ("the fact `x` is not established",)),
    ev.StepStarted("A1", 1, "command", {"run": ["ls", "-l"], "deadline": 5, "deep": {"list": [1, None, True]}}),
    ev.PromptShown("A1", "pin", "PIN of the token"),
    ev.PinAttempt("A1", "token [1]", "user PIN", 3),
    ev.PinResult("A1", "token [1]", None, None),
    ev.PromptAnswered("A1", "pin", None),
    ev.StepFinished(
        "A1",
        1,
        Outcome.passed(
            "it said so",
            CommandOutput(argv=("ls", "-l"), cwd="/", exit_code=0, stdout="a\nb « é 😀", stderr=""),
            PaperFingerprint(file="root_ca.crt", subject="CN=Root", method="blind", pair=PAIR),
        ),
        seconds=0.125,
    ),
    ev.GuardOverridden("A1", "final PIN try of token [1]", "the spare is in the other building"),
    ev.TokenNoticed("intermediate", "swapped", "other [2]"),
    ev.StepRetried("A1"),
    ev.StepSkipped("A2", "no time"),
    ev.FactEstablished("x", "A1"),
    ev.NoteAdded("A1", "a note"),
    ev.StageFinished("A", False),
    ev.RunFinished("failed", "not green: A2"),
)


@dataclass(frozen=True)
class Written:
    """A journal on disk and its head."""

    path: Path
    head: str
    head_short: str

    @property
    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)


Write = Callable[..., Awaitable[Written]]
