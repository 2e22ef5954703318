"""The step that is shown: goal, what it needs and gives, its outcome, what to do, and its evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.reactive import var
from textual.widget import Widget
from textual.worker import Worker

from runbook.kind import Registry
from runbook.model import Runbook
from runbook.outcome import Evidence, Outcome
from runbook.probing import Probed
from runbook.record.pace import Pace
from runbook.record.state import RunState, StepState
from runbook.record.told import Told
from screens.evidence.pane import Pane
from screens.lines import Lines, Searched
from screens.widgets.step_commands import StepCommands
from screens.widgets.step_head import StepHead
from screens.widgets.step_parts import StepFacts, StepOutcome, StepParams, StepProbe

_Inputs = tuple[tuple[str, str | None], ...]

_Shown = tuple[str, StepState, frozenset[str], _Inputs, Probed | None]
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

    unfolded = var(False, init=False)
    """Whether the exact commands are shown."""

    pace = var(Pace(), init=False)
    """What is expected of the steps."""

    def __init__(self, runbook: Runbook, step: str, told: Told | None = None) -> None:
        super().__init__()
        self._runbook, self._told = runbook, told or Told()
        self._registry: Registry | None = None
        self._exact: tuple[str, _Inputs, tuple[str, ...]] | None = None
        """The commands as they were worked out last, and for which step and inputs."""
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
        self._renew()
        if moved and self.scroll_y:
            self.scroll_home(animate=False, immediate=True)

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

    def watch_pace(self) -> None:
        self.refresh(recompose=True)

    # Commands.

    def watch_unfolded(self) -> None:
        self.refresh(recompose=True)

    def _commands(self) -> tuple[str, ...] | None:
        """None: not known yet; the page is made anew once they are."""
        step, inputs = self._shown[0], self._shown[3]
        if self._exact is not None and self._exact[:2] == (step, inputs):
            return self._exact[2]
        # Not the coroutine itself: one that is taken over before it begins would be complained of.
        _: Worker[None] = self.run_worker(
            partial(self._work_out, step, inputs),
            name="commands",
            description="exact commands",
            group="commands",
            exclusive=True,
        )
        return None

    async def _work_out(self, step: str, inputs: _Inputs) -> None:
        from runbook.run.exact import exact

        registry = self._registry = self._registry or Registry()
        commands = await asyncio.to_thread(exact, self._places[step][1], dict(inputs), registry)
        self._exact = step, inputs, commands
        if self._shown[0] == step:
            self.refresh(recompose=True)

    # The page.

    def compose(self) -> ComposeResult:
        """What was found stands before what was asked: the room is short where it matters."""
        step_id, now, holding, inputs, probed = self._shown
        self._pane = None
        stage, step = self._places[step_id]
        yield StepHead(step, now, self._told.step_began, self.pace.of.get(step_id))
        if self.unfolded:
            yield StepCommands(self._commands())
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

    def _parts(self) -> list[tuple[Widget, Lines | None]]:
        """What the page is to be made of, each with what can show it already."""
        before = {type(child): child for child in self.children if isinstance(child, Lines) and child.SHOWS}
        return [(part, before.pop(type(part), None) if isinstance(part, Lines) else None) for part in self.compose()]

    def _renew(self) -> None:
        """In this very frame where every part is there already."""
        if not self.is_attached or self.lock.is_locked:
            self.refresh(recompose=True)
            return
        parts = self._parts()
        if len(parts) != len(self.children) or any(there is None for _, there in parts):
            self.refresh(recompose=True)
            return
        for part, there in parts:
            if there is not None and isinstance(part, Lines):
                there.become(part)

    async def recompose(self) -> None:
        """What is of the same kind as before shows the new in its place: to mount a widget takes a whole frame."""
        if not self.is_attached or self._pruning:
            return
        parts = self._parts()
        stay = [there for _, there in parts if there is not None]
        async with self.batch():
            await self.remove_children([child for child in self.children if child not in stay])
            for number, (part, there) in enumerate(parts):
                if there is None:
                    await self.mount(part, before=number if number < len(self.children) else None)
                elif isinstance(part, Lines):
                    there.become(part)

    def _panes(self, outcome: Outcome) -> Iterator[Widget]:
        from screens.evidence import pane_for

        for evidence in outcome.evidence:
            pane = pane_for(evidence)
            pane.pictures = self.pictures
            yield pane
