"""A run as plain lines: for the console and for runs without a person, on stderr; the result on stdout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runbook.event import Event
from runbook.gates.window import TimeWindow, spoken
from runbook.model import Runbook
from runbook.record import events as ev
from runbook.record.chain import short_head
from runbook.record.gate_events import PeopleNamed, WindowSet
from runbook.record.people_lines import second_person_line
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.record.state import RunState, Status, apply
from runbook.run.session import Session
from runbook.terminal.narrator import Narrator


class Transcript:
    """Says each event as it comes and keeps the state of the run."""

    def __init__(self, runbook: Runbook | None, narrator: Narrator, history: RunState) -> None:
        """`runbook`: None where it cannot be read; its titles are left out then."""
        self._runbook = runbook
        self._say = narrator.say
        self.state = history
        """Of the run so far; at first, what it was when it was left."""
        self._due = ""
        """The stage under way whose heading follows once it is said again who the people are."""

    def show(self, event: Event) -> None:
        """Say what the event says to a person; some say nothing."""
        self.state = apply(self.state, event)
        if getattr(event, "step", ""):
            self._say_due()
        self._of_run(event)
        self._of_step(event)
        self._of_deviation(event)
        if line := second_person_line(event):
            self._say(f"   {line}")
        if isinstance(event, PeopleNamed):
            self._say_due()

    def _say_due(self) -> None:
        if self._due:
            self._stage(self._due)

    def _of_run(self, event: Event) -> None:
        match event:
            case ev.RunStarted():
                self._started(event)
            case ev.RunResumed():
                self._resumed(event)
            case ev.StageStarted():
                self._stage(event.stage)
            case ev.InputGiven():
                shown = "not shown" if event.value is None else event.value
                self._say(f"   input {event.name} = {shown} ({event.source})")
            case ev.NoteAdded():
                by = f" by {event.by}" if event.by else ""
                self._say(f"   note on {event.step or 'the run'}{by}: {event.text}")
            case ShellOpened():
                self._say(f"   a shell was opened: {event.program} in {event.folder}")
            case ShellEnded():
                how = "with the run" if event.status is None else f"with {event.status}"
                self._say(f"   the shell has ended {how}")
            case WindowSet():
                window = TimeWindow.of((event.opens, event.closes))
                why = f", a deviation: {event.reason}" if event.reason else ""
                self._say(f"   window of stage {event.stage}: {spoken(window.opens)} to {spoken(window.closes)}{why}")
            case ev.TokenNoticed():
                self._say(f"   token {event.token} was {event.state}" + (f": {event.detail}" if event.detail else ""))
            case ev.HostReached():
                self._say(f"   host {event.host} is reached:")
                self._indented(event.how)
            case ev.DeviationsAcknowledged():
                self._say(f"   {_count(event.count, 'deviation')} acknowledged")

    def _of_step(self, event: Event) -> None:
        match event:
            case ev.StepStarted():
                again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
                title = self._runbook.step(event.step).title if self._runbook else event.kind
                self._say(f"-- {event.step}  {title}{again}")
            case ev.StepProgress():
                self._say(f"   | {event.line}")
            case ev.StepFinished():
                self._finished(event)
            case ev.StepBlocked():
                self._say(f"-- {event.step}  BLOCKED")
                self._indented(event.unmet)
            case ev.StepProbed():
                self._say(f"   {event.step}  its probe says `{event.answer}`: {event.outcome.summary}")
                for evidence in event.outcome.evidence:
                    self._indented(evidence.plain())
            case ev.PinResult():
                self._pin(event)

    def _of_deviation(self, event: Event) -> None:
        match event:
            case ev.StepNotHere():
                self._say(f"-- {event.step}  NOT REHEARSED: {event.reason}")
            case ev.StepSkipped():
                self._say(f"   {event.step}  SKIPPED, a deviation: {event.reason}")
            case ev.StepRetried():
                why = f": {event.reason}" if event.reason else ""
                self._say(f"   {event.step}  is tried again, a deviation{why}")
            case ev.StepSettled():
                self._say(f"   {event.step}  is taken as {event.settled_as}, a deviation: {event.reason}")
            case ev.GuardOverridden():
                self._say(f"   {event.step}  OVERRODE {event.guard}, a deviation: {event.reason}")

    def _stage(self, stage_id: str) -> None:
        stages = self._runbook.stages if self._runbook else ()
        self._due = ""
        title = next((stage.title for stage in stages if stage.id == stage_id), "")
        self._say()
        self._say(f"== {stage_id}  {title}".rstrip())

    def _started(self, event: ev.RunStarted) -> None:
        mark = "REHEARSAL: " if event.rehearsal else ""
        self._say(f"{mark}{event.runbook_title}")
        self._say(f"run {event.run_id}, site {event.site}, {event.program}, {event.operator} on {event.host}")
        if event.rolls_back:
            self._say(f"   it rolls back the run {event.rolls_back}, whose head is {short_head(event.rolls_back_head)}")

    def _resumed(self, event: ev.RunResumed) -> None:
        state = self.state
        self._say(f"{'REHEARSAL: ' if state.rehearsal else ''}{self._runbook.title if self._runbook else state.run_id}")
        self._say(f"run {state.run_id} goes on, {event.program}, {event.operator} on {event.host}")
        done = Counter(step.status for step in state.steps.values() if step.over)
        self._say("   so far: " + (", ".join(f"{count} {status}" for status, count in done.items()) or "nothing done"))
        if event.cut:
            self._say(f"   the last record was torn when the run was left: {_count(event.cut, 'byte')} cut off")
        if event.head_typed:
            self._say(f"   the head on paper is right: {event.head_typed}")
        for change in event.changes:
            self._say(f"   CHANGED since it was left, a deviation: {change}")
        for step_id, step in state.steps.items():
            if step.in_doubt:
                self._say(f"   {step_id}  IN DOUBT: it had begun, and whether it is done is not on record")
        self._due = state.stage
        if not state.signers:
            self._say_due()

    def _finished(self, event: ev.StepFinished) -> None:
        outcome = event.outcome
        self._say(f"   {event.step}  {outcome.verdict.value.upper()}: {outcome.summary}")
        for evidence in outcome.evidence:
            self._indented(evidence.plain())
        if outcome.remedy:
            self._say(f"   what next: {outcome.remedy}")
        for hint in event.hints:
            self._say(f"   hint: {hint}")

    def _pin(self, event: ev.PinResult) -> None:
        said = {True: "accepted", False: "refused", None: "sent, and the answer never came"}[event.accepted]
        left = "" if event.tries_left is None else f"; {event.tries_left} attempts left"
        self._say(f"   the {event.who} of {event.token} was {said}{left}")

    def _indented(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(f"     {line}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def result(session: Session, state: RunState, head: str) -> list[str]:
    """The result of a run as lines for stdout."""
    counts = Counter(step.status for step in state.steps.values())
    selected = [step.id for stage, step in session.runbook.steps() if not session.stages or stage.id in session.stages]
    counts[Status.WAITING] = sum(1 for step_id in selected if state.step(step_id).status is Status.WAITING)
    summary = ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])
    lines = [
        f"run      {session.run_id}" + (" (a rehearsal)" if state.rehearsal else ""),
        f"state    {state.ending or 'not finished'}",
        f"steps    {summary}",
    ]
    if state.rolls_back:
        lines.insert(1, f"of       {state.rolls_back}, its head {short_head(state.rolls_back_head)}")
    missing = [(step_id, step.reason) for step_id, step in state.steps.items() if step.status is Status.NOT_HERE]
    lines += [f"not rehearsed  {step_id}: {reason}" for step_id, reason in missing]
    lines += [f"approved {step} by {who}" for step, who in state.approvals.items()]
    lines += [f"deviation  {line}" for line in state.deviations]
    for step_id, step in state.steps.items():
        if step.outcome is not None and not step.status.green:
            lines.append(f"not green  {step_id}: {step.status.value}: {step.outcome.summary}")
            lines += [f"  What next: {step.outcome.remedy}"] if step.outcome.remedy else []
            lines += [f"  {hint}" for hint in step.hints]
        elif step.unmet:
            lines.append(f"not green  {step_id}: {step.status.value}")
            lines += [f"  {line}" for line in step.unmet]
    unseen = len(state.deviations) - state.acknowledged
    if unseen:
        lines.append(f"deviation  {_count(unseen, 'deviation')} not acknowledged")
    if any(not state.step(step_id).over for step_id in selected):
        lines.append(f"go on    runbook resume {session.run_id}")
    return [*lines, f"journal  {session.run_folder / 'journal.jsonl'}", f"head     {head}"]
