"""The run screen: the list of steps, the step at hand, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from runbook.event import Event
from runbook.events import StepProgress, StepStarted
from runbook.model import Stage
from runbook.operator import Decided, Decision, Moment
from runbook.session import Session
from runbook.state import RunState, Status, apply
from screens.widgets.key_bar import KeyBar
from screens.widgets.live_output import KEPT, LiveOutput
from screens.widgets.next_bar import NextBar, Turn
from screens.widgets.run_header import RunHeader
from screens.widgets.step_detail import StepDetail
from screens.widgets.step_list import StepList


class RunScreen(Screen[None]):
    """Folds the run's events into its state and hands the state down; waits for the operator's decisions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R,enter", "decide('run')", "run", key_display="r", id="step.run"),
        Binding("c,C", "continue", "continue", key_display="c", id="run.continue"),
        Binding("t,T", "decide('retry')", "try again", key_display="t", id="step.retry"),
        Binding("s,S", "skip", "skip", key_display="s", id="step.skip"),
        Binding("escape", "pause", "pause", key_display="Esc", id="run.pause"),
        Binding("full_stop", "follow", "step at hand", key_display=".", id="list.follow"),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("o,O", "output", "output", key_display="o", id="step.output"),
        Binding("n,N", "note", "note", key_display="n", id="run.note"),
        Binding("q,Q", "app.quit", "quit", key_display="q", id="run.quit"),
        Binding("question_mark", "app.help", "help", key_display="?", id="app.help"),
    ]

    class Ready(Message):
        """The screen is made; the run can be shown."""

    @dataclass
    class Noted(Message):
        """The operator wrote a note on the step at hand."""

        text: str

    state = var(RunState())
    moment: var[Moment | None] = var(None)
    continuing = var(False)
    head = var("")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        chosen = session.stages
        self._stages: tuple[Stage, ...] = tuple(s for s in session.runbook.stages if not chosen or s.id in chosen)
        self._steps = {step.id: step for stage in self._stages for step in stage.steps}
        self._output: dict[str, deque[str]] = {}
        self._decision: asyncio.Future[Decided] | None = None
        self._list = StepList(self._stages)
        self._detail = StepDetail(session.runbook, next(iter(self._steps)))
        self._live = LiveOutput()
        self._next = NextBar()
        self._opened = False

    def compose(self) -> ComposeResult:
        yield RunHeader(self._session, tuple(self._steps)).data_bind(RunScreen.state, RunScreen.head)
        with Horizontal(id="body"):
            yield self._list.data_bind(RunScreen.state)
            with Vertical(id="step"):
                yield self._detail
                yield self._live
        yield self._next
        yield KeyBar()

    def on_mount(self) -> None:
        self._list.focus()
        self._show()
        self.post_message(self.Ready())

    def on_screen_suspend(self) -> None:
        self.query_one(KeyBar).refresh()

    def on_screen_resume(self) -> None:
        self.query_one(KeyBar).refresh()

    # What happens.

    def take(self, event: Event, head: str) -> None:
        """One more event of the run."""
        if isinstance(event, StepProgress):
            self._progress(event)
            return
        if isinstance(event, StepStarted):
            self._output.pop(event.step, None)
            if self.shown == event.step:
                self._live.restart()
        self.state = apply(self.state, event)
        self.continuing = self.continuing and not self.state.finished
        self.head = head
        self._show()

    def _progress(self, event: StepProgress) -> None:
        self._output.setdefault(event.step, deque(maxlen=KEPT)).append(event.line)
        if self.shown == event.step:
            self._live.write(event.line)

    @property
    def shown(self) -> str:
        """The id of the step that is shown."""
        return self._list.cursor

    @property
    def at(self) -> str:
        """The id of the step at hand; empty before the first."""
        return self.moment.step_id if self.moment else self.state.at

    def _show(self) -> None:
        self._list.at = self.at
        self._detail.show(self.shown, self.state)
        self._live.open = self._wanted(self.shown)
        self._next.show(Turn(self.state, self.moment, self.continuing, self.head))
        self.refresh_bindings()

    @on(StepList.Shown)
    def _step_shown(self, message: StepList.Shown) -> None:
        self._detail.show(message.step, self.state)
        self._live.restart(self._output.get(message.step, ()))
        self._live.open = self._wanted(message.step)
        self.refresh_bindings()

    def _wanted(self, step: str) -> bool:
        """Output is open while the step runs; afterwards its evidence says what counts, unless it is asked for."""
        return self._opened or self.state.step(step).status in (Status.RUNNING, Status.NEEDS_YOU)

    # What the operator decides.

    async def decide(self, moment: Moment) -> Decided:
        """The operator's decision; a run that continues decides by itself where no person is needed."""
        if self.continuing and moment.outcome is None and not moment.unmet and not self._grave(moment):
            return Decided(Decision.RUN)
        self.continuing = False
        self._decision = asyncio.get_running_loop().create_future()
        self.moment = moment
        self._show()
        try:
            return await self._decision
        finally:
            self.moment = self._decision = None
            self._show()

    def _grave(self, moment: Moment) -> bool:
        """Whether a person must look before this step, even when the run continues by itself."""
        step = self._steps.get(moment.step_id)
        return step is None or step.irreversible

    def resolve(self, decided: Decided) -> bool:
        """Give the decision that is waited for; False where none is."""
        if self._decision is None or self._decision.done():
            return False
        self._decision.set_result(decided)
        return True

    def _may(self, decision: Decision) -> bool:
        return self.moment is not None and decision in self.moment.allowed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "decide":
            return self._may(Decision(str(parameters[0])))
        if action == "continue":
            return self._may(Decision.RUN)
        if action == "skip":
            return self._may(Decision.SKIP)
        if action == "pause":
            return self.continuing
        if action == "output":
            return self.is_mounted and bool(self._output.get(self.shown))
        if action == "note":
            return not self.state.finished
        if action == "follow":
            return self.is_mounted and self.shown != self._list.at
        return True

    def action_decide(self, decision: str) -> None:
        self.resolve(Decided(Decision(decision)))

    def action_continue(self) -> None:
        self.continuing = True
        self.resolve(Decided(Decision.RUN))

    def action_pause(self) -> None:
        """No longer go on by itself."""
        self.continuing = False
        self._show()

    def action_page(self, direction: int) -> None:
        """Scroll the step's page wherever the focus is."""
        if direction < 0:
            self._detail.scroll_page_up(animate=False)
        else:
            self._detail.scroll_page_down(animate=False)

    def action_output(self) -> None:
        self._opened = not self._opened
        self._show()

    def action_follow(self) -> None:
        self._list.follow()

    def action_skip(self) -> None:
        from screens.prompts.line import LinePrompt

        if self.moment is None:
            return
        question = f"Why is {self.moment.step_id} skipped?"
        prompt = LinePrompt("Skip a step", question, "A skip is a deviation: it stands in the record with this reason.")
        self.app.push_screen(prompt, self._skipped)

    def _skipped(self, reason: str | None) -> None:
        if reason:
            self.resolve(Decided(Decision.SKIP, reason))

    def action_note(self) -> None:
        from screens.prompts.line import LinePrompt

        prompt = LinePrompt(
            "Note", f"A note on {self.state.at or 'the run'}", "It is kept in the record, with the time."
        )
        self.app.push_screen(prompt, self._noted)

    def _noted(self, text: str | None) -> None:
        if text:
            self.post_message(self.Noted(text))
