"""The steps that undo a step: what its `backout` says, as steps of a roll-back."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.backout import Afterwards, Stays, UndoneBy, WayBack
from runbook.files.templates import literal
from runbook.model import Gate, Role, Step

LONGEST_UNDONE = 57
"""Characters of the id of a step with a way back: what undoes it is named after it, `ID.undo` or `ID.undo12`."""


def undoing(step: Step) -> tuple[Step, ...]:
    """The steps that undo it, in the order of its backouts; empty where none is named.

    What was gated by a phrase or by two people is so on its way back, and what was irreversible asks as an irreversible
    step does: its roll-back destroys what came after it.
    """
    ways = [entry for entry in step.backout if not isinstance(entry, Stays | UndoneBy)]
    return tuple(_step(step, way, name) for way, name in zip(ways, _names(step, len(ways)), strict=True))


def what_stays(step: Step) -> tuple[str, ...]:
    """What no way back brings back."""
    return tuple(entry.stays for entry in step.backout if isinstance(entry, Stays))


def undone_by(step: Step) -> tuple[str, ...]:
    """The earlier steps whose ways back take it along."""
    return tuple(entry.undone_by for entry in step.backout if isinstance(entry, UndoneBy))


def _names(step: Step, count: int) -> Iterator[str]:
    for number in range(1, count + 1):
        yield f"{step.id}.undo" if count == 1 else f"{step.id}.undo{number}"


def _step(step: Step, way: str | WayBack | Afterwards, name: str) -> Step:
    match way:
        case WayBack():
            return _action(step, way, name)
        case Afterwards():
            return _check(step, way, name)
        case _:
            return _by_hand(step, way, name)


def _action(step: Step, way: WayBack, name: str) -> Step:
    return Step(
        id=name,
        title=way.title,
        goal=_goal(step),
        role=Role.ACTION,
        kind=way.action,
        params=way.params,
        gate=_gate(step, name, asks=True),
        irreversible=step.irreversible,
        probe=way.probe,
        deadline=way.deadline,
    )


def _check(step: Step, way: Afterwards, name: str) -> Step:
    return Step(
        id=name,
        title=way.title,
        goal=_goal(step),
        role=Role.CHECK,
        kind=way.check,
        params=way.params,
        deadline=way.deadline,
    )


def _by_hand(step: Step, line: str, name: str) -> Step:
    """A person does it and says so: that is its question."""
    return Step(
        id=name,
        title=f"By hand, undo: {step.title}"[:2000],
        goal=_goal(step),
        role=Role.ATTESTATION,
        kind="attest",
        params={"statements": (literal(f"This is done: {line}"),)},
        gate=_gate(step, name, asks=False),
    )


def _goal(step: Step) -> str:
    return f"It undoes {step.id}: {step.title}."


def _gate(step: Step, name: str, *, asks: bool) -> Gate:
    return Gate(
        confirm=f"Do {name} now, which undoes {step.id}?" if asks else None,
        phrase=f"UNDO {step.id}" if step.gate.phrase else None,
        two_person=step.gate.two_person,
    )
