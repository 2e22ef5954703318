"""What the screens show side by side, as plain lines one after the other: steps, a step, facts, journal, help."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from runbook import help_texts
from runbook.finding import Steps
from runbook.kind import Registry
from runbook.model import Role, Runbook, Step
from runbook.record.overview import overview
from runbook.record.state import RunState
from runbook.record.told import Act, Told

JOURNAL_LINES = 40
"""Lines of the journal that are shown unless more are asked for."""


def steps(runbook: Runbook, state: RunState, stages: Collection[str] = ()) -> Iterator[str]:
    """Every step with its state. `stages`: those of the run; empty: all."""
    for stage in runbook.stages:
        if stages and stage.id not in stages:
            continue
        green = sum(state.step(step.id).status.holds for step in stage.steps)
        yield f"{stage.id}  {stage.title}: {green} of {len(stage.steps)} green"
        for step in stage.steps:
            here = ", the step at hand" if step.id == state.at and not state.finished else ""
            yield f"  {step.id}  {state.step(step.id).status.value}{here}: {step.title}"


def step(runbook: Runbook, state: RunState, wanted: Step, commands: Iterable[str]) -> Iterator[str]:
    """One step with everything that is known of it. `commands`: what it does, exactly."""
    now, stage = state.step(wanted.id), runbook.stage_of(wanted.id)
    kind = "attestation" if wanted.role is Role.ATTESTATION else f"{wanted.role.value} {wanted.kind}"
    yield f"{wanted.id}  {wanted.title}"
    attempt = f", attempt {now.attempt}" if now.attempt > 1 else ""
    seconds = f", {now.seconds:.1f} seconds" if now.outcome else ""
    yield f"  state: {now.status.value}{attempt}{seconds}"
    yield f"  what it is: {kind}{', IRREVERSIBLE' if wanted.irreversible else ''}; stage {stage.id}, {stage.title}"
    if wanted.goal:
        yield f"  goal: {' '.join(wanted.goal.split())}"
    for name, facts in (("requires", wanted.requires), ("establishes", wanted.establishes)):
        for fact in facts:
            yield f"  {name}: {runbook.facts.get(fact, fact)} ({'holds' if fact in state.facts else 'does not hold'})"
    if wanted.gate.after:
        yield f"  after: {', '.join(wanted.gate.after)} must be green"
    yield from _listed("what it does, exactly", commands)
    yield from _listed("way back", wanted.ways_back)
    yield from _listed("waits for", now.unmet)
    if now.reason:
        yield f"  reason: {now.reason}"
    if now.outcome is not None:
        yield f"  outcome: {now.outcome.summary}"
        yield from _listed("evidence", (line for evidence in now.outcome.evidence for line in evidence.plain()))
        if now.outcome.remedy:
            yield f"  what next: {now.outcome.remedy}"
    yield from _listed("hints", now.hints)


def _listed(name: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"  {name}:"
        yield f"    {line}"


def randomart(state: RunState, step_id: str) -> list[str]:
    """OpenSSH's pictures of the keys that the step has found."""
    outcome = state.step(step_id).outcome
    lines = [line for evidence in outcome.evidence for line in evidence.on_request()] if outcome else []
    return lines or [f"{step_id} has found no key that OpenSSH would draw."]


def facts(runbook: Runbook, state: RunState, told: Told, stages: Collection[str] = ()) -> Iterator[str]:
    """What is true in the room: facts, inputs, time windows, what was not by the book."""
    room = overview(runbook, state, told.since, stages)
    yield "Facts:"
    for fact in room.facts:
        since = f" since {fact.at[11:16]} UTC" if fact.at else ""
        if fact.holds:
            yield f"  holds: {fact.words} ({fact.by}{since})"
        else:
            yield f"  not yet: {fact.words}" + (
                f" (comes from {', '.join(fact.comes_from)})" if fact.comes_from else ""
            )
    for known in room.inputs:
        value = "given, not shown" if known.secret else known.value or "not known yet"
        yield f"  input {known.name}: {value}"
    for stage, opens, closes in room.windows:
        yield f"  time window of stage {stage}: {opens} to {closes}"
    yield from (f"  token {name}: was {said}" for name, said in state.tokens.items())
    yield from (f"  deviation: {line}" for line in state.deviations)


def journal(told: Told, wanted: str = "") -> Iterator[str]:
    """What was done, the newest last; `wanted`: a number of lines, `all`, or `commands` for these alone."""
    if wanted == "commands":
        yield from (line.plain for line in told.lines if line.act is Act.COMMAND)
        return
    kept = list(told.lines)
    count = len(kept) if wanted == "all" else int(wanted) if wanted.isdecimal() else JOURNAL_LINES
    shown = kept[-count:] if count else []
    before = told.dropped + len(kept) - len(shown)
    if before:
        yield f"({before} earlier: `journal all`" + (", and the record)" if told.dropped else ")")
    yield from (line.plain for line in shown)


def found(finder: Steps, text: str, state: RunState) -> list[str]:
    """The lines of steps that hold the text."""
    if not text:
        return ["What is sought? find TEXT"]
    lines = [f"  {one.step}  {one.where}: {one.line}" for one in finder.lines(text, state)]
    return lines or [f"Nothing holds `{text}`."]


def about(runbook: Runbook | None, word: str) -> list[str]:
    """Help on a word, a state or a kind; blocking, as it may import the kinds."""
    chapters = [help_texts.states(), help_texts.answers(), help_texts.words()]
    if runbook is not None:
        chapters.append(help_texts.kinds(runbook, Registry()))
    lines = list(help_texts.as_lines(help_texts.narrowed(chapters, word)))
    return lines or [f"There is no help on `{word}`."]
