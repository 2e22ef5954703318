"""Events of every type, and a journal that holds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from checks.evidence.files import CommandOutput
from checks.evidence.fingerprints import FingerprintPair, PaperFingerprint
from runbook.event import Event
from runbook.outcome import Outcome
from runbook.ran import CommandRan
from runbook.record import events as ev
from runbook.record import gate_events as gate
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.touched import Touched

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
    ev.HostReached("ca", ("input-b:22 as op, by paramiko", "its key is SHA256:abc, in known_hosts:3")),
    ev.StepRetried("A1"),
    ev.StepSkipped("A2", "no time"),
    ev.StepNotHere("B2.engine", "the lab has no Docker engine"),
    ev.FactEstablished("x", "A1"),
    CommandRan("A1", "ls 'a b'", "ca", True, "/src", 2, {"LC_ALL": "C"}, "", 0.125),
    Touched("A1", "file", "/etc/x", "local", "written"),
    ev.NoteAdded("A1", "a note"),
    ShellOpened("A1", "/bin/bash", "/home/op"),
    ShellEnded("A1", 0),
    ev.StepStarted("A3", 1, "docker.volume.recreate", {}),
    ev.RunResumed("p 2", "3" * 64, "0" * 64, "1" * 64, "host", "op", "anna", "3F9A 07C1 52DE 88B0 41A6", 17, ("A3",)),
    ev.StepProbed(
        "A3",
        "done",
        Outcome.warned("it is empty", CommandOutput(argv=("ls",), cwd="/", exit_code=0, stdout="", stderr="")),
    ),
    ev.StepSettled("A3", "done", "the volume is there and empty"),
    ev.Attached("A1", "stdout", "4" * 64, 12),
    gate.WindowSet("B", "2026-11-21T22:00:00+01:00", "2026-11-22T02:00:00+01:00"),
    gate.PeopleNamed("anna", "account", {"anna": "a@x", "ben": "b@x"}, {"op": "anna"}, ("ben",), "5" * 64),
    gate.WitnessJoined("ben", "host"),
    gate.ApprovalAsked(
        "B1", "5" * 64, "6" * 64, "7" * 32, "2026-11-21T21:00:00Z", "2026-11-21T21:10:00Z", ("rm -r /x",)
    ),
    gate.ApprovalRefused("B1", "ben", "the window is not open", True),
    gate.ApprovalGiven("B1", "ben", "SHA256:abc", False, "statement", "-----BEGIN SSH SIGNATURE-----"),
    ev.DeviationsAcknowledged(4, "seen"),
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
