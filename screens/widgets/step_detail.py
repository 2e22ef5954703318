"""The step that is shown: goal, what it needs and gives, its outcome, what to do, and its evidence."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.widget import Widget

from runbook.files.templates import names, render_params
from runbook.model import Role, Runbook, Stage, Step
from runbook.outcome import Evidence, Outcome
from runbook.probing import Probed
from runbook.record.state import RunState, Status, StepState
from screens.columns import Cell, pairs, wrap
from screens.evidence.pane import Pane
from screens.lines import Lines, Searched
from screens.words import BAD, CALM, DOUBT, GOOD, LOOKS, QUIET, badge, probe_badge


class StepHead(Lines):
    """What the step is and how it stands."""

    def __init__(self, step: Step, now: StepState) -> None:
        super().__init__()
        self._step, self._now = step, now

    def lines(self, width: int) -> Iterator[Content]:
        step, now = self._step, self._now
        yield from wrap(Content.assemble((step.id, f"bold {CALM}"), "  ", Content.styled(step.title, "bold")), width)
        kind = "attestation" if step.role is Role.ATTESTATION else f"{step.role.value} {step.kind}"
        attempt = f"  attempt {now.attempt}" if now.attempt > 1 else ""
        seconds = f"  {now.seconds:.1f} s" if now.outcome else ""
        yield from wrap(Content.assemble(badge(now.status), (f"  {kind}{attempt}{seconds}", QUIET)), width)
        if step.irreversible:
            yield from wrap(Content.styled(" IRREVERSIBLE ", f"bold reverse {BAD}"), width)


class StepFacts(Lines):
    """Why the step is there, what it needs and what it gives."""

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

    def __init__(self, probed: Probed) -> None:
        super().__init__(classes="outcome -probe")
        self._probed = probed

    def lines(self, width: int) -> Iterator[Content]:
        probed = self._probed
        yield from wrap(Content.assemble(("is it done already? ", QUIET), probe_badge(probed.answer)), width)
        yield from wrap(Content.assemble(("the probe: ", QUIET), probed.outcome.summary), width, indent=2)
        if probed.outcome.remedy:
            yield from wrap(probed.outcome.remedy, width, indent=2)


class StepParams(Lines):
    """The step's own keys, with the values that are known by now."""

    def __init__(self, params: Mapping[str, Any], inputs: Mapping[str, str | None]) -> None:
        super().__init__(classes="params")
        known = {name: inputs.get(name) or f"{{{{ {name} }}}}" for name in names(params)}
        self._params = render_params(params, known)

    def lines(self, width: int) -> Iterator[Content]:
        for line in pairs(((key, _shown(value)) for key, value in self._params.items()), width):
            yield line.stylize_before(QUIET)


_Shown = tuple[str, StepState, frozenset[str], tuple[tuple[str, str | None], ...], Probed | None]
"""What the page is made of: the step's id and state, the facts that hold, the inputs' values, the probe's answer."""


class StepDetail(VerticalScroll, Searched, can_focus=True):
    """Rebuilt when the step or its state changes; it scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="step.down"),
        Binding("k", "scroll_up", "Up", show=False, id="step.up"),
        Binding("g", "scroll_home", "Top", show=False, id="step.top"),
        Binding("G", "scroll_end", "Bottom", show=False, id="step.bottom"),
    ]

    pictures = var(False, init=False)
    """Whether OpenSSH's randomart of keys is shown."""

    def __init__(self, runbook: Runbook, step: str) -> None:
        super().__init__()
        self._runbook = runbook
        self._places = {step.id: (stage, step) for stage, step in runbook.steps()}
        self._shown: _Shown = (step, StepState(), frozenset(), (), None)
        self._so_far: Evidence | None = None
        """How far the step is, while it runs."""
        self._pane: Pane[Evidence] | None = None
        """Where that stands."""

    def show(self, step: str, state: RunState, probed: Probed | None = None, so_far: Evidence | None = None) -> None:
        """Show this step as it stands."""
        shown = (step, state.step(step), frozenset(state.facts), tuple(state.inputs.items()), probed)
        if shown == self._shown and self._filled(so_far):
            return
        self._so_far = so_far
        moved = self._shown[0] != step or self._shown[1].status is not shown[1].status
        self._shown = shown
        self.refresh(recompose=True)
        if moved:
            self.call_after_refresh(self.scroll_home, animate=False)

    def _filled(self, so_far: Evidence | None) -> bool:
        """Whether what is new about a running step could be drawn in the place of what was there."""
        if so_far is self._so_far:
            return True
        if so_far is None or self._pane is None or type(so_far) is not type(self._so_far):
            return False
        self._so_far = self._pane.evidence = so_far
        self._pane.redraw()
        return True

    def watch_pictures(self) -> None:
        for pane in self.query(Pane):
            pane.pictures = self.pictures

    def compose(self) -> ComposeResult:
        """What was found stands before what was asked: the room is short where it matters."""
        step_id, now, holding, inputs, probed = self._shown
        self._pane = None
        stage, step = self._places[step_id]
        yield StepHead(step, now)
        if now.outcome is not None or now.unmet or now.reason:
            yield StepOutcome(now)
        if probed is not None:
            yield StepProbe(probed)
            yield from self._panes(probed.outcome)
        if now.outcome is not None:
            yield from self._panes(now.outcome)
        elif self._so_far is not None:
            from screens.evidence import pane_for

            self._pane = pane_for(self._so_far)
            yield self._pane
        yield StepFacts(self._runbook, stage, step, holding)
        if now.outcome is None and step.params:
            yield StepParams(step.params, dict(inputs))

    def _panes(self, outcome: Outcome) -> Iterator[Widget]:
        from screens.evidence import pane_for

        for evidence in outcome.evidence:
            pane = pane_for(evidence)
            pane.pictures = self.pictures
            yield pane


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
            return "\n".join(_shown(item) for item in value)
        case _:
            return str(value)
