"""What the program's words mean, and what the steps of a runbook are: help that needs no screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runbook.backout import Afterwards, WayBack
from runbook.errors import EnvironmentLacks, UsageError
from runbook.files.describe import describe
from runbook.files.schema import first_paragraph
from runbook.kind import Registry
from runbook.model import Role, Runbook
from runbook.probing import Answer
from runbook.record.state import Status


@dataclass(frozen=True, slots=True)
class Entry:
    """A key, a state or a word, and what it means."""

    name: str
    told: str
    more: tuple[str, ...] = ()
    """Further lines, for example the symptoms of a kind."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Entries under a heading."""

    title: str
    entries: tuple[Entry, ...]
    told: str = ""


STATES: Mapping[Status, str] = {
    Status.WAITING: "its turn has not come",
    Status.BLOCKED: "something it needs does not hold; its page says what",
    Status.RUNNING: "at work",
    Status.NEEDS_YOU: "it has asked something",
    Status.PASSED: "as it should be",
    Status.WARNED: "as it should be, with a remark",
    Status.FAILED: "not as it should be",
    Status.ERRORED: "no verdict could be reached",
    Status.SKIPPED: "left out by the operator, with a reason",
    Status.NOT_HERE: "not rehearsed: the lab lacks what it is about",
    Status.IN_DOUBT: "begun, and whether it was done is not known",
}

ANSWERS: Mapping[Answer, str] = {
    Answer.DONE: "the action's result is there",
    Answer.NOT_DONE: "it is not there; the action can be run",
    Answer.PARTLY: "something of it is there",
    Answer.CANNOT_TELL: "the probe could not judge",
}

WORDS: Mapping[str, str] = {
    "check": "A step that reads and judges. It may be repeated freely, unless it uses a PIN.",
    "action": "A step that changes something. Its probe can say whether it is done already.",
    "attestation": "A person says that something is so: a door closed, people told.",
    "stage": "A group of steps that ends in a decision; it may have a time window.",
    "goal": "Why a step is there.",
    "fact": "Something true outside the program, such as a dongle in its port. Steps establish facts and require them.",
    "gate": "What must hold before a step starts: steps that are green, facts, a time window, a typed phrase, "
    "a second person.",
    "time window": "When the steps of a stage may start. Outside it they wait; a change of it is a deviation.",
    "in doubt": "An action had begun and its end is not on record, because the program or the machine was stopped. "
    "It is never run again by itself: its probe looks, and you decide.",
    "probe": "A read-only check that asks whether an action is done already: done, not done, partly, cannot tell.",
    "take as done": "Go on as if a step in doubt were done. It needs a reason and is a deviation.",
    "way back": "What undoes a step, in order. `runbook rollback` walks it.",
    "irreversible": "Nothing brings back what the step changes. It has a gate, and a screen of its own before it.",
    "point of no return": "The screen before what cannot be undone: exact commands, probe, way back, a typed phrase. "
    "The safe answer has the focus.",
    "PIN counter": "How many wrong PINs a token still takes before it locks. It is read before every PIN is asked.",
    "one attempt": "A PIN is sent once for each time you type it. A wrong one stops the step; nothing tries again.",
    "blind transcription": "You type what the paper says before the program shows what it computed, and it compares.",
    "fingerprint": "A digest of a key or certificate in groups; rows are lettered and columns numbered to point at.",
    "outcome": "Passed, warned, failed, errored, skipped or in doubt, with one line that says what was found.",
    "evidence": "What an outcome rests on: a table of slots, two fingerprints, the output of a command.",
    "hint": "A likely cause of a failure and what to try, as the runbook has it.",
    "deviation": "What did not go by the book: a skip, a retry, an override, a changed window. Each is kept.",
    "journal": "The record of the run, written to disk before anything happens, each record sealed by the one before.",
    "head": "The seal of the journal's last record, in short. On paper it proves that nothing before it was changed.",
    "driver": "The person at the keyboard, who decides.",
    "witness": "The second person: sees the run from a session of their own and approves gates with their own key.",
    "site profile": "This site's hosts, tokens, engines and values, in a file of their own beside the runbook.",
    "rehearsal": "The same runbook in a lab that the program made. Every screen and record of it is marked.",
    "resumed": "The run was left and goes on: nothing is lost and nothing runs twice.",
}
"""The words of the screens and of the record."""


def words() -> Chapter:
    """The words of a run."""
    return Chapter("Words", tuple(Entry(word, told) for word, told in WORDS.items()))


def states() -> Chapter:
    """The states of a step."""
    return Chapter("States of a step", tuple(Entry(status.value, told) for status, told in STATES.items()))


def answers() -> Chapter:
    """The answers of a probe."""
    return Chapter("Answers of a probe", tuple(Entry(answer.value, told) for answer, told in ANSWERS.items()))


def kinds_used(runbook: Runbook) -> dict[tuple[Role, str], tuple[str, ...]]:
    """The kinds of a runbook's steps, probes and ways back, with the steps that use each, in order."""
    used: dict[tuple[Role, str], dict[str, None]] = {}
    for _, step in runbook.steps():
        probes = [step.probe] if step.probe else []
        used.setdefault((step.role, step.kind), {})[step.id] = None
        for entry in step.backout:
            if isinstance(entry, WayBack):
                used.setdefault((Role.ACTION, entry.action), {})[step.id] = None
                probes += [entry.probe] if entry.probe else []
            elif isinstance(entry, Afterwards):
                used.setdefault((Role.CHECK, entry.check), {})[step.id] = None
        for probe in probes:
            used.setdefault((Role.CHECK, probe.check), {})[step.id] = None
    return {kind: tuple(steps) for kind, steps in used.items()}


def kind_name(role: Role, name: str) -> str:
    """As a person says it, for example `check slots`."""
    return "attestation" if role is Role.ATTESTATION else f"{role.value} {name}"


def kinds(runbook: Runbook, registry: Registry) -> Chapter:
    """What the steps of this runbook check and do. Blocking: it may import the kinds."""
    return Chapter("Checks and actions of this runbook", tuple(_kinds(runbook, registry)))


def _kinds(runbook: Runbook, registry: Registry) -> Iterator[Entry]:
    for (role, name), steps in sorted(kinds_used(runbook).items(), key=lambda kind: (kind[0][1], kind[0][0].value)):
        try:
            kind = registry.get(role, name)
        except (UsageError, EnvironmentLacks) as error:
            yield Entry(kind_name(role, name), f"not known on this machine: {error.what}", (used_by(steps),))
            continue
        symptoms = [f"{symptom}: {meaning}" for symptom, meaning in kind.symptoms.items()]
        yield Entry(kind_name(role, name), first_paragraph(kind), (used_by(steps), *symptoms))


_MOST_STEPS = 6
"""Steps named beside a kind."""


def used_by(steps: tuple[str, ...]) -> str:
    """Which steps, in a few words."""
    more = f" and {len(steps) - _MOST_STEPS} more" if len(steps) > _MOST_STEPS else ""
    return f"used by {', '.join(steps[:_MOST_STEPS])}{more}"


def kind_help(registry: Registry, name: str) -> tuple[str, ...]:
    """All about the kinds of that name, as `runbook checks NAME` prints it. Blocking."""
    try:
        return tuple(describe(registry, name))
    except (UsageError, EnvironmentLacks) as error:
        return (f"not known on this machine: {error.what}",)


def narrowed(chapters: Iterable[Chapter], text: str) -> list[Chapter]:
    """The entries that hold every word of `text`, under their headings; all of them where it is empty.

    A word that stands in a heading is held by all of its entries.
    """
    sought = text.lower().split()
    found: list[Chapter] = []
    for chapter in chapters:
        entries = tuple(entry for entry in chapter.entries if _holds(chapter.title, entry, sought))
        if entries or not sought:
            found.append(replace(chapter, entries=entries))
    return found


def _holds(title: str, entry: Entry, sought: list[str]) -> bool:
    hay = " ".join((title, entry.name, entry.told, *entry.more)).lower()
    return all(word in hay for word in sought)


def as_lines(chapters: Iterable[Chapter]) -> Iterator[str]:
    """Plain lines, a heading and its entries, for a terminal without screens."""
    for chapter in chapters:
        yield f"{chapter.title}:"
        if chapter.told:
            yield f"  {chapter.told}"
        for entry in chapter.entries:
            yield f"  {entry.name}: {entry.told}"
            yield from (f"      {line}" for line in entry.more)
