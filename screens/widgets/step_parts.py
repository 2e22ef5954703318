"""The parts of a step's page that are text: why it is there, what was found, what its probe says, its own keys."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from textual.content import Content

from runbook.files.templates import names, render_params
from runbook.model import Runbook, Stage, Step
from runbook.probing import Probed
from runbook.record.state import Status, StepState
from screens.columns import Cell, pairs, wrap
from screens.lines import Lines
from screens.words import DOUBT, GOOD, LOOKS, QUIET, probe_badge


class StepFacts(Lines):
    """Why the step is there, what it needs and what it gives."""

    SHOWS = ("_runbook", "_stage", "_step", "_holding")

    def __init__(self, runbook: Runbook, stage: Stage, step: Step, holding: frozenset[str]) -> None:
        super().__init__(classes="facts")
        self._runbook, self._stage, self._step, self._holding = runbook, stage, step, holding

    def lines(self, width: int) -> Iterator[Content]:
        step = self._step
        if step.goal:
            yield from wrap(step.goal, width)
            yield Content("")
        rows: list[tuple[str, Cell]] = [*self._facts("requires", step.requires)]
        rows += [("after", f"{', '.join(step.gate.after)} must be green")] if step.gate.after else []
        rows += self._facts("establishes", step.establishes)
        rows += [("way back", line) for line in step.ways_back]
        goal = f": {self._stage.goal}" if self._stage.goal else ""
        rows.append(("stage", Content.styled(f"{self._stage.id}, {self._stage.title}{goal}", QUIET)))
        yield from pairs(_once(rows), width)

    def _facts(self, name: str, facts: tuple[str, ...]) -> Iterator[tuple[str, Content]]:
        for fact in facts:
            sign = Content.styled("✓ ", GOOD) if fact in self._holding else Content.styled("○ ", QUIET)
            yield name, Content.assemble(sign, self._runbook.facts.get(fact, fact))


class StepOutcome(Lines):
    """What was found, or why the step waits, and what to do about it."""

    SHOWS = ("_now",)

    def __init__(self, now: StepState) -> None:
        super().__init__(classes=f"outcome -{now.status.name.lower().replace('_', '-')}")
        self._now = now

    def lines(self, width: int) -> Iterator[Content]:
        now = self._now
        look = LOOKS[now.status]
        if now.outcome is not None:
            yield from wrap(Content.assemble((f"{look.sign} ", look.style), (now.outcome.summary, "bold")), width)
            if now.outcome.remedy:
                yield from wrap(now.outcome.remedy, width, indent=2)
        if now.reason:
            said = ("· not rehearsed: ", QUIET) if now.status is Status.NOT_HERE else ("↷ skipped: ", DOUBT)
            yield from wrap(Content.assemble(said, now.reason), width)
        for condition in now.unmet:
            yield from wrap(Content.assemble(("■ waits: ", DOUBT), condition), width)
        if now.hints:
            yield Content("")
            yield from pairs(_once([_split(hint) for hint in now.hints]), width)


class StepProbe(Lines):
    """What the action's probe says to: is it done already?"""

    SHOWS = ("_probed",)

    def __init__(self, probed: Probed) -> None:
        super().__init__(classes="outcome -probe")
        self._probed = probed

    def lines(self, width: int) -> Iterator[Content]:
        probed = self._probed
        yield from wrap(Content.assemble(("is it done already? ", QUIET), probe_badge(probed.answer)), width)
        yield from wrap(Content.assemble(("the probe: ", QUIET), probed.outcome.summary), width, indent=2)
        if probed.outcome.remedy:
            yield from wrap(probed.outcome.remedy, width, indent=2)


ITEM = "• "
"""Before each item of a list that stands in lines."""


class StepParams(Lines):
    """The step's own keys, with the values that are known by now."""

    SHOWS = ("_params",)

    def __init__(self, params: Mapping[str, Any], inputs: Mapping[str, str | None]) -> None:
        super().__init__(classes="params")
        known = {name: inputs.get(name) or f"{{{{ {name} }}}}" for name in names(params)}
        self._params = render_params(params, known)

    def lines(self, width: int) -> Iterator[Content]:
        left = max(map(len, self._params), default=0)
        for key, value in self._params.items():
            text = _shown(value)
            for line in pairs([(key, text)], width, left, hang=len(ITEM) if text.startswith(ITEM) else 0):
                yield line.stylize_before(QUIET)


def _once(rows: list[tuple[str, Cell]]) -> Iterator[tuple[str, Cell]]:
    """Each name only beside its first value."""
    last = ""
    for name, value in rows:
        yield ("" if name == last else name), value
        last = name


def _split(hint: str) -> tuple[str, Cell]:
    name, _, rest = hint.partition(": ")
    return (name.lower(), rest) if rest and name in ("Likely", "Try") else ("", hint)


def _shown(value: Any) -> str:
    """A value of the file as a person writes it: an argument list as a command, a list of other things in lines."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case Mapping():
            return ", ".join(f"{key}: {_shown(item)}" for key, item in value.items())
        case list() | tuple() if value and all(isinstance(item, str) and " " not in item for item in value):
            return shlex.join(value)
        case list() | tuple():
            return "\n".join(f"{ITEM}{_shown(item)}" if len(value) > 1 else _shown(item) for item in value)
        case _:
            return str(value)
