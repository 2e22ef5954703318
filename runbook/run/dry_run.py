"""What a run would do, in order, with the values that are known: nothing is touched, asked or recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from runbook.files import templates
from runbook.files.selection import stands_outside
from runbook.input_types import Source
from runbook.model import Role, Runbook, Step
from runbook.run.start import Prepared
from runbook.text import clean_line

_VERBS = {Role.CHECK: "check", Role.ACTION: "action", Role.ATTESTATION: "asks"}


def lines(prepared: Prepared) -> Iterator[str]:
    """The walk as plain lines."""
    runbook, site = prepared.runbook.model, prepared.site.model
    values = _shown(runbook, prepared.values)
    mark = " (a rehearsal)" if site.rehearsal else ""
    yield clean_line(f"{runbook.title} [{runbook.id}], site {site.name}{mark}")
    yield "This is what would be done. Nothing is touched, asked or recorded."
    yield from _inputs(runbook, prepared.values)
    facts: set[str] = set()
    for stage in runbook.stages:
        if prepared.stages and stage.id not in prepared.stages:
            continue
        yield ""
        yield clean_line(f"== {stage.id}  {stage.title}")
        if stage.window is not None:
            yield clean_line(
                f"   only within a time window that is asked for when the stage begins: {stage.window.ask}"
            )
        for step in stage.steps:
            yield from (clean_line(line) for line in _step(prepared, step, values, facts))
            facts.update(step.establishes)


def _shown(runbook: Runbook, known: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Each input's value, or its name in angle brackets."""
    return {name: known[name][0] if name in known else f"<{name}>" for name in runbook.inputs}


def _inputs(runbook: Runbook, known: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for name, declared in runbook.inputs.items():
        if name in known:
            value, source = known[name]
            yield clean_line(f"  input {name} = {value} ({source})")
        else:
            how = "typed blind from paper" if declared.source is Source.PAPER else "asked for"
            yield clean_line(f"  input {name}: {how} when it is needed ({declared.ask})")


def _step(prepared: Prepared, step: Step, values: Mapping[str, str], facts: set[str]) -> Iterator[str]:
    runbook = prepared.runbook.model
    careful = "  IRREVERSIBLE" if step.irreversible else ""
    yield f"-- {step.id}  {step.title}{careful}"
    params = templates.render_params(step.params, values)
    kind = "" if step.role is Role.ATTESTATION else f" {step.kind}"
    yield f"   {_VERBS[step.role]}{kind}" + (f" {_plain(params)}" if params else "")
    for line in _plan(prepared, step, params):
        yield f"   will do: {line}"
    for fact in step.requires:
        since = "established before it" if fact in facts else "NOT ESTABLISHED BY THEN"
        yield f"   requires {fact} ({since}): {runbook.facts[fact]}"
    known = {**params, **values}
    gate = step.gate
    if gate.after:
        yield f"   after {', '.join(gate.after)} are green"
    for what in stands_outside(runbook, step, prepared.stages):
        yield f"   CANNOT START: {what} is not part of this run"
    if gate.confirm:
        yield f"   after the answer yes to: {templates.render(gate.confirm, known)}"
    if gate.phrase:
        yield f"   after the phrase is typed: {templates.render(gate.phrase, known)}"
    if gate.two_person:
        yield f"   after a second person has approved: {_witnesses(prepared)}"
    if step.probe is not None:
        yield f"   probe: {step.probe.check} {_plain(templates.render_params(step.probe.params, known))}"
    for line in step.ways_back:
        yield f"   way back: {line}"
    for fact in step.establishes:
        yield f"   establishes {fact}"


def _plan(prepared: Prepared, step: Step, params: Mapping[str, Any]) -> tuple[str, ...]:
    """What an action will do, where the values that are known make it one."""
    if step.role is not Role.ACTION:
        return ()
    kind = prepared.registry.get(step.role, step.kind)
    try:
        return kind(kind.Params.model_validate(params)).plan()
    except ValidationError:
        return ()  # a value that is not known yet stands in place of a number or the like


def _witnesses(prepared: Prepared) -> str:
    two = prepared.site.model.two_people
    names = [name for name, person in two.people.items() if "witness" in person.may] if two else []
    return f"one of {', '.join(names)}, but for who drives" if names else "NOBODY IS NAMED IN THE SITE PROFILE"


def _plain(params: Mapping[str, Any]) -> str:
    """Parameters on one line, as YAML would take them too."""
    return json.dumps(params, ensure_ascii=False, default=str)
