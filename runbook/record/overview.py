"""What is true in the room: facts, inputs, windows and people of a run as it stands, for people to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from runbook.model import Runbook
from runbook.record.state import RunState


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the runbook."""

    name: str
    words: str
    holds: bool
    by: str = ""
    """The step that established it."""
    at: str = ""
    """When it did, RFC 3339 in UTC; empty where that is not known."""
    needed_by: tuple[str, ...] = ()
    """Steps that need it and are not over yet."""
    comes_from: tuple[str, ...] = ()
    """Steps that would establish it, where it does not hold."""


@dataclass(frozen=True, slots=True)
class Known:
    """An input of the runbook."""

    name: str
    ask: str
    value: str
    """Empty while it is not known."""
    secret: bool = False
    """It was given, and its value is nowhere."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    facts: tuple[Fact, ...]
    inputs: tuple[Known, ...]
    windows: tuple[tuple[str, str, str], ...]
    """Stage, and when its window opens and closes, RFC 3339."""


def overview(runbook: Runbook, state: RunState, since: Mapping[str, str], stages: Collection[str] = ()) -> Overview:
    """`since`: when facts were established (`Told.since`). `stages`: those of the run; empty: all."""
    steps = [step for stage, step in runbook.steps() if not stages or stage.id in stages]
    needed: dict[str, list[str]] = {}
    gives: dict[str, list[str]] = {}
    for step in steps:
        now = state.steps.get(step.id)
        over = now is not None and now.over
        for fact in step.requires:
            needed.setdefault(fact, []).extend([] if over else [step.id])
        for fact in step.establishes:
            gives.setdefault(fact, []).append(step.id)
    facts = tuple(
        Fact(
            name,
            words,
            name in state.facts,
            state.facts.get(name, ""),
            since.get(name, "") if name in state.facts else "",
            tuple(needed.get(name, ())),
            () if name in state.facts else tuple(gives.get(name, ())),
        )
        for name, words in runbook.facts.items()
    )
    inputs = tuple(
        Known(name, declared.ask, state.inputs.get(name) or "", name in state.inputs and state.inputs[name] is None)
        for name, declared in runbook.inputs.items()
    )
    windows = tuple((stage, opens, closes) for stage, (opens, closes) in state.windows.items())
    return Overview(facts, inputs, windows)
