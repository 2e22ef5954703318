"""What was done in a run, in order and with the time, as lines for people: the events again, in words.

The panels of the screens and the line mode show the same lines. They come from the events as they are taken, and in a
run that goes on from the journal, which is read then anyway.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from runbook.event import Event
from runbook.ran import CommandRan
from runbook.record import events as ev
from runbook.record.gate_events import ApprovalGiven, PeopleNamed, WindowSet, WitnessJoined
from runbook.record.people_lines import second_person_said
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.site import LOCAL
from runbook.text import clean_line
from runbook.touched import Touched

KEPT = 5_000
"""Lines kept for showing; the record has all of them."""

UNFOLDED = frozenset({CommandRan.type})
"""Types of which only the lines tell: neither `follow` nor the state takes anything from them, and they are most of a
long journal.
"""


class Act(StrEnum):
    """What a line tells of."""

    RUN = "run"
    STEP = "step"
    COMMAND = "command"
    PIN = "PIN"
    TOKEN = "token"  # noqa: S105 - the word that is shown
    HOST = "host"
    FILE = "file"
    PROBE = "probe"
    FACT = "fact"
    INPUT = "input"
    ANSWER = "answer"
    WINDOW = "window"
    PEOPLE = "people"
    NOTE = "note"
    SHELL = "shell"
    DEVIATION = "deviation"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done."""

    at: str
    """When it was recorded, RFC 3339 in UTC."""
    act: Act
    step: str
    """Empty: it belongs to the run."""
    text: str
    """One line; of a command, the command itself as it would be typed."""
    end: str = ""
    """How it ended, and of a command also where it ran."""

    @property
    def clock(self) -> str:
        """The time of day in UTC, `09:10:04`."""
        return self.at[11:19]

    @property
    def plain(self) -> str:
        """All of it on one line."""
        where = f"{self.step}  " if self.step else ""
        return f"{self.clock}  {self.act.value:<9}  {where}{self.text}" + (f"  ({self.end})" if self.end else "")


class Told:
    """The lines of a run so far, and when what came to hold did so."""

    def __init__(self, kept: int = KEPT) -> None:
        self.lines: deque[Line] = deque(maxlen=kept)
        self.dropped = 0
        """How many lines at the beginning are only in the record by now; of a long one that was read back, records."""
        self.since: dict[str, str] = {}
        """By fact: when it was established."""
        self.began = ""
        """When this sitting of the run began: its start, or when it went on."""
        self.step_began = ""
        """When the attempt that is under way began; empty between two."""
        self.driver = ""
        """Who drives: by the name of the site profile, or, where it names nobody, the account."""
        self.witnesses: dict[str, None] = {}
        """Who follows the run as a witness, or has approved something, in order."""
        self._accounts: Mapping[str, str] = {}

    def take(self, event: Event, at: str) -> int:
        """One more event, recorded at that time (RFC 3339 in UTC); returns how many lines it gave."""
        self.follow(event, at)
        return self.tell(event, at)

    def tell(self, event: Event, at: str) -> int:
        """The lines of one more event; returns how many they are."""
        new = tuple(lines(event, at))
        self.dropped += max(0, len(self.lines) + len(new) - (self.lines.maxlen or 0))
        self.lines.extend(new)
        return len(new)

    def follow(self, event: Event, at: str) -> None:
        """What one more event says of people, times and facts."""
        match event:
            case ev.RunStarted() | ev.RunResumed():
                self.began, self.step_began = at, ""
                self.driver = event.driver or event.operator
                self.witnesses.clear()
            case PeopleNamed():
                self.driver, self._accounts = event.driver or self.driver, event.accounts
            case WitnessJoined():
                self.witnesses[self._accounts.get(event.account, event.account)] = None
            case ApprovalGiven():
                self.witnesses[event.witness] = None
            case ev.StepStarted():
                self.step_began = at
            case ev.StepFinished() | ev.StepSkipped() | ev.StepNotHere() | ev.RunFinished():
                self.step_began = ""
            case ev.FactEstablished():
                self.since[event.fact] = at

    @property
    def first(self) -> int:
        """The number of the first line that is kept, from 0."""
        return self.dropped


def lines(event: Event, at: str) -> Iterator[Line]:
    """What the event says; some say nothing, and hosts that are reached say how in several lines."""
    step = getattr(event, "step", "")
    for act, text, end in _said(event):
        yield Line(at, act, step, clean_line(text, _LONGEST), end)


_LONGEST = 8_200

_Said = tuple[Act, str, str]


def _said(event: Event) -> Iterator[_Said]:
    yield from _of_run(event)
    yield from _of_step(event)
    yield from _of_surroundings(event)
    yield from _of_deviation(event)
    if said := second_person_said(event):
        yield Act.PEOPLE, said, ""


def _of_run(event: Event) -> Iterator[_Said]:
    match event:
        case ev.RunStarted():
            kind = "a rehearsal" if event.rehearsal else f"site {event.site}"
            yield Act.RUN, f"started: {event.runbook_title}", f"{kind}, {event.operator} on {event.host}"
        case ev.RunResumed():
            yield Act.RUN, "goes on after it was left", f"{event.operator} on {event.host}"
        case ev.StageStarted():
            yield Act.RUN, f"stage {event.stage} begins", ""
        case ev.StageFinished():
            yield Act.RUN, f"stage {event.stage} ends", "green" if event.green else "not green"
        case ev.InputGiven():
            shown = "not shown" if event.value is None else event.value
            yield Act.INPUT, f"{event.name} = {shown}", event.source
        case ev.NoteAdded():
            yield Act.NOTE, event.text, f"by {event.by}" if event.by else ""
        case ShellOpened():
            yield Act.SHELL, f"opened: {event.program}", f"in {event.folder}"
        case ShellEnded():
            yield Act.SHELL, "ended", "with the run" if event.status is None else f"exit {event.status}"
        case WindowSet():
            yield Act.WINDOW, f"stage {event.stage}: {event.opens} to {event.closes}", event.reason
        case ev.DeviationsAcknowledged():
            yield Act.DEVIATION, f"{event.count} acknowledged", event.note
        case ev.RunFinished():
            yield Act.RUN, f"over: {event.state}", event.reason


def _of_step(event: Event) -> Iterator[_Said]:
    match event:
        case ev.StepStarted():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            yield Act.STEP, f"begins: {event.kind}{again}", ""
        case CommandRan():
            yield Act.COMMAND, event.command, _ended(event)
        case ev.StepFinished():
            outcome = event.outcome
            yield Act.STEP, f"{outcome.verdict.value}: {outcome.summary}", f"{event.seconds:.1f} s"
        case ev.StepBlocked():
            yield Act.STEP, f"cannot start: {'; '.join(event.unmet)}", ""
        case ev.StepNotHere():
            yield Act.STEP, f"not rehearsed: {event.reason}", ""
        case ev.StepProbed():
            yield Act.PROBE, f"is it done already? {event.answer}", event.outcome.summary
        case ev.PromptShown(prompt="terminal"):
            yield Act.COMMAND, event.question, "it has the terminal now"
        case ev.PromptShown():
            yield Act.ANSWER, f"asked: {event.question}", ""
        case ev.PromptAnswered(prompt="terminal"):
            pass  # the command tells how it ended
        case ev.PromptAnswered():
            yield Act.ANSWER, "answered" if event.answer is None else f"answered: {event.answer}", ""
        case ev.FactEstablished():
            yield Act.FACT, f"holds: {event.fact}", ""


def _of_surroundings(event: Event) -> Iterator[_Said]:
    match event:
        case ev.PinAttempt():
            left = "an unknown number of attempts" if event.tries_left is None else f"{event.tries_left} attempts"
            yield Act.PIN, f"the {event.who} of {event.token} is sent", f"{left} left before it"
        case ev.PinResult():
            said = {True: "accepted", False: "REFUSED", None: "sent, and the answer never came"}[event.accepted]
            left = "" if event.tries_left is None else f"{event.tries_left} attempts left"
            yield Act.PIN, f"the {event.who} of {event.token} was {said}", left
        case ev.TokenNoticed():
            yield Act.TOKEN, f"{event.token} was {event.state}", event.detail
        case ev.HostReached():
            yield Act.HOST, f"{event.host} is reached", ""
            for line in event.how:
                yield Act.HOST, f"  {line}", ""
        case Touched():
            yield Act.FILE, f"{event.what} {event.name} {event.how}", "" if event.on == LOCAL else f"on {event.on}"
        case ev.Attached():
            yield Act.FILE, f"kept with the record: {event.name}, {event.size} bytes", event.sha256[:16]


def _of_deviation(event: Event) -> Iterator[_Said]:
    match event:
        case ev.StepSkipped():
            yield Act.DEVIATION, f"skipped: {event.reason}", ""
        case ev.StepRetried():
            yield Act.DEVIATION, "tried again" + (f": {event.reason}" if event.reason else ""), ""
        case ev.StepSettled():
            yield Act.DEVIATION, f"taken as {event.settled_as}: {event.reason}", ""
        case ev.GuardOverridden():
            yield Act.DEVIATION, f"overrode {event.guard}: {event.reason}", ""
        case ev.RunResumed():
            for change in event.changes:
                yield Act.DEVIATION, f"went on although this changed: {change}", ""


def _ended(ran: CommandRan) -> str:
    where = [] if ran.on == LOCAL else [f"on {ran.on}"]
    where += ["as root"] if ran.as_root else []
    where += [f"in {ran.cwd}"] if ran.cwd else []
    if ran.ended_by == "kept open":
        how = "kept open"
    elif ran.ended_by:
        how = f"ended by {ran.ended_by} after {ran.seconds:.1f} s"
    else:
        how = f"exit {'unknown' if ran.exit_code is None else ran.exit_code} after {ran.seconds:.1f} s"
    settings = [f"{name}={shlex.quote(value)}" for name, value in ran.env.items()]
    return ", ".join([how, *where, *([f"with {' '.join(settings)}"] if settings else [])])
