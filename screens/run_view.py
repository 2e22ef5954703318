"""What the driver's and the witness's screen have in common: the list of steps, the step that is shown, the header."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from runbook.event import Event
from runbook.finding import Steps
from runbook.model import Runbook, Stage, Step
from runbook.outcome import Evidence
from runbook.probing import Answer, Probed
from runbook.record.events import HostReached, StepFinished, StepProbed, StepProgress, StepShown, StepStarted
from runbook.record.pace import Pace, expected, measured
from runbook.record.state import RunState, Status, apply
from runbook.record.told import Told
from screens import clock
from screens.outputs import Output, Outputs
from screens.search.searched import Body, SearchedScreen
from screens.widgets.key_bar import KeyBar
from screens.widgets.live_output import LiveOutput
from screens.widgets.panels import Panel, Panels
from screens.widgets.run_header import Identity, RunHeader
from screens.widgets.step_detail import StepDetail
from screens.widgets.step_list import StepList

if TYPE_CHECKING:
    from screens.base_app import BaseApp
    from screens.search.grounds import Ground

LOOKING: Final[tuple[BindingType, ...]] = (
    Binding("full_stop", "follow", "step at hand", key_display=".", id="list.follow"),
    Binding("pageup", "page(-1)", "Page up", show=False, id="page.up"),
    Binding("pagedown,space", "page(1)", "Page down", show=False, id="page.down"),
    Binding("right_square_bracket", "found(1)", "next found", key_display="]", id="search.next"),
    Binding("left_square_bracket", "found(-1)", "found before", key_display="[", show=False, id="search.previous"),
    Binding("o,O", "output", "output", key_display="o", id="step.output"),
    Binding("q,Q", "app.quit", "quit", key_display="q", id="run.quit"),
    Binding("question_mark,f1", "app.help", "help", key_display="?", id="app.help"),
    Binding("slash", "search", "search", key_display="/", id="search.open"),
    Binding("f,F", "panel('facts')", "facts", key_display="f", id="panel.facts"),
    Binding("v,V", "panel('journal')", "journal", key_display="v", id="panel.journal"),
    Binding("x,X", "commands", "exact", key_display="x", id="step.commands"),
    Binding("n,N", "note", "note", key_display="n", id="run.note"),
    Binding("y,Y", "copy", "copy", key_display="y", id="step.copy"),
    Binding("e,E", "edit", "runbook", key_display="e", id="step.edit"),
    Binding("colon,ctrl+p", "palette", "commands", key_display=":", id="app.palette"),
    Binding("i,I", "pictures", "randomart", key_display="i", id="pane.randomart"),
)
"""The keys of every such screen, to be listed after its own: the bar of keys drops the last ones first."""


class RunView(SearchedScreen):
    """Folds the run's events into its state and hands the state down; one may look around in it."""

    class Ready(Message):
        """The screen is made; the run can be shown."""

    @dataclass
    class Noted(Message):
        """A note on the step at hand was written."""

        text: str

    state = var(RunState())
    head = var("")

    def __init__(
        self,
        runbook: Runbook,
        chosen: tuple[str, ...],
        identity: Identity,
        state: RunState,
        told: Told | None = None,
    ) -> None:
        """`chosen`: the ids of the stages of this run; empty: all. `told`: what was done before; it is gone on with."""
        super().__init__()
        self.set_reactive(RunView.state, state)
        self.runbook = runbook
        self._identity = identity
        self._stages: tuple[Stage, ...] = tuple(s for s in runbook.stages if not chosen or s.id in chosen)
        self._steps = {step.id: step for stage in self._stages for step in stage.steps}
        self._outputs = Outputs()
        self._told = told or Told()
        self._probed: dict[str, Probed] = {}
        self._so_far: dict[str, Evidence] = {}
        self._opened = False
        self._list = StepList(self._stages, self._step_shown)
        self._detail = StepDetail(runbook, next(iter(self._steps)), self._told)
        self._live = LiveOutput()
        self._header = RunHeader(identity, tuple(self._steps.values()), self._told)
        pace = expected(runbook, {})
        self._header.set_reactive(RunHeader.pace, pace)
        self._detail.set_reactive(StepDetail.pace, pace)
        self._panels = Panels(runbook, self._told, chosen)
        self._finder: Steps | None = None

    def compose(self) -> ComposeResult:
        yield self._header.data_bind(RunView.state, RunView.head)
        yield from self.above()
        with Body(id="body"):
            yield self._list.data_bind(RunView.state)
            with Vertical(id="step"):
                yield self._detail
                yield self._live
            yield self._panels
        yield from self.below()
        with Horizontal(id="bottom"):
            yield KeyBar()

    def above(self) -> Iterator[Widget]:
        """What stands under the header."""
        yield from ()

    def below(self) -> Iterator[Widget]:
        """What stands over the keys."""
        yield from ()

    def on_mount(self) -> None:
        self._list.focus()
        self._fit(self.app.size.width)
        self.show()
        self.post_message(self.Ready())
        if self._identity.runs is not None:
            # What earlier runs took is read once there is something to look at.
            self.call_after_refresh(self._measure, self._identity.runs)

    def _measure(self, runs: Path) -> None:
        async def look() -> None:
            of, but = self._identity.runbook_id, self._identity.run_id
            took = await asyncio.to_thread(measured, runs, of, rehearsal=self._identity.rehearsal, but=but)
            self.expect(expected(self.runbook, took))

        self.run_worker(look(), name="pace", description="what earlier runs took")

    def expect(self, pace: Pace) -> None:
        """Steps are expected to take as long as this."""
        if pace != self._header.pace:
            self._header.pace = self._detail.pace = pace

    def on_screen_suspend(self) -> None:
        self.query_one(KeyBar).refresh()

    def on_screen_resume(self) -> None:
        self.query_one(KeyBar).refresh()

    # Room.

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)

    def _fit(self, width: int) -> None:
        """Arrange it for a screen of that width."""
        self._list.fit(width)
        self._panels.fit(width)
        self._make_way()

    def _make_way(self) -> None:
        """The page goes where a panel stands in its place."""
        page, front = self.query_one("#step"), self._panels.front
        came_back = not page.display and front is None
        page.display = front is None
        if front is not None:
            front.focus()
        elif came_back:
            self._list.focus()

    # What happens.

    def take(self, event: Event, head: str, at: str = "") -> None:
        """One more event of the run; `at`: when it was recorded, RFC 3339 in UTC (empty: now)."""
        if isinstance(event, StepProgress):
            self._progress(event)
            return
        if isinstance(event, HostReached):
            for line in (f"host {event.host} is reached:", *(f"  {line}" for line in event.how)):
                self._progress(StepProgress(self.state.at, line))
        if isinstance(event, StepShown):
            self._so_far[event.step] = event.evidence
            self._show_step(self.shown)
            return
        if isinstance(event, StepStarted | StepFinished):
            self._so_far.pop(event.step, None)
        if isinstance(event, StepProbed):
            self._probed[event.step] = Probed(Answer(event.answer), event.outcome)
        if isinstance(event, StepStarted):
            self._probed.pop(event.step, None)
            self._outputs.restart(event.step)
            if self.shown == event.step:
                self._live.show(None)
        self._told.take(event, at or clock.now().astimezone(UTC).isoformat())
        self.state = apply(self.state, event)
        self.head = head
        self.show()

    def _progress(self, event: StepProgress) -> None:
        self._outputs.add(event.step, event.line)
        if self.shown == event.step:
            self._live.show(self._outputs.of(event.step))
            self._live.grown()

    @property
    def shown(self) -> str:
        """The id of the step that is shown."""
        return self._list.cursor

    @property
    def at(self) -> str:
        """The id of the step at hand; empty before the first."""
        return self.state.at

    def show(self) -> None:
        """Bring everything up to the state."""
        self._list.at = self.at
        self._show_step(self.shown)
        self._panels.show(self.state)
        self.refresh_bindings()

    def _show_step(self, step: str) -> None:
        self._detail.show(step, self.state, self._probed.get(step), self._so_far.get(step))
        self._live.open = self._wanted(step)

    def _step_shown(self, step: str) -> None:
        self._live.show(self._outputs.of(step))
        self._show_step(step)
        self.refresh_bindings()

    def _wanted(self, step: str) -> bool:
        """Output is open while the step runs; afterwards its evidence says what counts, unless it is asked for."""
        return self._opened or self.state.step(step).status in (Status.RUNNING, Status.NEEDS_YOU)

    # Search.

    def ground(self) -> Ground:
        from screens.search.grounds import OutputGround, PageGround, StepsGround

        if self.focused is self._live:
            return OutputGround(self._live)
        if self.focused is self._detail:
            return PageGround(self._detail)
        if self.focused is self._panels.journal:
            return OutputGround(self._panels.journal, "the journal")
        if self.focused is self._panels.facts:
            return PageGround(self._panels.facts, "the facts")
        self._finder = self._finder or Steps(self._stages)
        return StepsGround(self._finder, self._list, self._detail, lambda: self.state)

    def go(self, step: str) -> None:
        """Show this step."""
        self._list.go(step)
        self._list.focus()

    def steps_from_here(self) -> Iterator[Step]:
        """From the one that is shown to the last, then those before it."""
        steps = list(self._steps.values())
        here = next(number for number, step in enumerate(steps) if step.id == self.shown)
        yield from (*steps[here:], *steps[:here])

    async def action_palette(self) -> None:
        from screens.palette.palette import Palette

        await self.ours.open_screen(Palette())

    @property
    def ours(self) -> BaseApp:
        return self.app  # type: ignore[return-value]  # there is no other

    # Looking around.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        if action == "output":
            return self.is_mounted and self._outputs.of(self.shown) is not None
        if action == "pictures":
            return self.is_mounted and self._has_pictures(self.shown)
        if action == "commands":
            return not self._panels.replace_page
        if action == "note":
            return not self.state.finished
        if action == "found":
            return self.may_end_search
        if action == "follow":
            return self.is_mounted and self.shown != self._list.at
        return True

    def _has_pictures(self, step: str) -> bool:
        """Whether the step has found keys that OpenSSH would draw."""
        outcome = self.state.step(step).outcome
        return outcome is not None and any(line for one in outcome.evidence for line in one.on_request())

    def action_pictures(self) -> None:
        """Show OpenSSH's randomart of the keys on the page, or hide it."""
        self._detail.pictures = not self._detail.pictures

    def output_of(self, step: str) -> Output | None:
        """What the step said while it ran; None: nothing."""
        return self._outputs.of(step)

    def action_copy(self) -> None:
        """Copy something of the step that is shown."""
        from screens.clipboard import copy

        self._beside("copy", copy)

    def action_edit(self) -> None:
        """Look at the step's place in the runbook with one's own editor."""
        from screens.editor import edit

        self._beside("edit", edit)

    def _beside(self, name: str, does: Callable[[BaseApp, RunView], Awaitable[None]]) -> None:
        app = self.ours
        self.run_worker(app.beside(does(app, self)), name=name, description=name, group=name, exclusive=True)

    def action_page(self, direction: int) -> None:
        """Scroll the step's page, or what stands in its place, wherever the focus is."""
        page = self._panels.front or self._detail
        if direction < 0:
            page.scroll_page_up(animate=False)
        else:
            page.scroll_page_down(animate=False)

    def action_commands(self) -> None:
        """Unfold what the step does in exact commands, or fold it."""
        self._detail.unfolded = not self._detail.unfolded

    def action_panel(self, name: str) -> None:
        """Open or close facts or journal."""
        self._panels.toggle(Panel(name))
        self._panels.show(self.state)
        self._make_way()

    def action_follow(self) -> None:
        self._list.follow()

    def action_output(self) -> None:
        self._opened = not self._opened
        self.show()

    async def action_note(self) -> None:
        from screens.prompts.line import LinePrompt

        question = f"A note on {self.state.at or 'the run'}"
        note = LinePrompt("Note", question, "It is kept in the record, with the time.")
        await self.ours.open_screen(note, self._noted)

    def _noted(self, text: str | None) -> None:
        if text:
            self.post_message(self.Noted(text))
