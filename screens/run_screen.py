"""The driver's screen: whose turn it is, and what the operator decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from runbook.event import Event
from runbook.operator import Decided, Decision, Moment
from runbook.record.events import StepFinished, StepNotHere, StepProgress, StepShown, StepSkipped, StepStarted
from runbook.run.session import Session
from screens.run_view import LOOKING, RunView
from screens.widgets.left_line import LeftLine
from screens.widgets.next_bar import NextBar, Turn
from screens.widgets.run_header import Identity


class RunScreen(RunView):
    """Waits for the operator's decisions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R,enter", "decide('run')", "run", key_display="r", id="step.run"),
        Binding("c,C", "continue", "continue", key_display="c", id="run.continue"),
        Binding("d,D", "reason('done')", "take as done", key_display="d", id="step.done"),
        Binding("t,T", "again", "try again", key_display="t", id="step.retry"),
        Binding("w,W", "window", "window", key_display="w", id="stage.window"),
        Binding("s,S", "reason('skip')", "skip", key_display="s", id="step.skip"),
        Binding("escape", "pause", "pause", key_display="Esc", id="run.pause"),
        *LOOKING,
        Binding("exclamation_mark", "shell", "shell", key_display="!", id="run.shell"),
    ]

    class ShellWanted(Message):
        """The operator wants a shell while the run is paused."""

    moment: var[Moment | None] = var(None)
    continuing = var(False)
    away = var(False)
    """The operator is in a shell of their own; nothing can be decided."""

    def __init__(self, session: Session) -> None:
        identity = Identity(
            session.run_id,
            session.runbook.title,
            session.site.name,
            rehearsal=session.site.rehearsal is not None,
            mark=_mark(session),
            runbook_id=session.runbook.id,
            runs=None if session.rolls_back else session.run_folder.parent,
        )
        # Whatever ended it before: it goes on now.
        going_on = msgspec.structs.replace(session.history, finished="", reason="")
        super().__init__(session.runbook, session.stages, identity, going_on, session.told)
        self._decision: asyncio.Future[Decided] | None = None
        self._left = LeftLine(session.history, session.left_at)
        self._next = NextBar()

    def above(self) -> Iterator[Widget]:
        yield self._left

    def below(self) -> Iterator[Widget]:
        yield self._next

    def take(self, event: Event, head: str, at: str = "") -> None:
        if isinstance(event, StepStarted | StepSkipped | StepNotHere | StepFinished):
            self._left.display = False
        super().take(event, head, at)
        if isinstance(event, StepProgress | StepShown):
            return  # there may be thousands a second, and nothing else has changed
        self.continuing = self.continuing and not self.state.finished
        self.show()

    @property
    def at(self) -> str:
        return self.moment.step_id if self.moment else self.state.at

    def show(self) -> None:
        self._next.show(Turn(self.state, self.moment, self.continuing, self.head))
        super().show()

    # What the operator decides.

    async def decide(self, moment: Moment) -> Decided:
        """The operator's decision; a run that continues decides by itself where no person is needed."""
        plain = moment.outcome is None and moment.probed is None and not moment.unmet
        if self.continuing and plain and not self._grave(moment):
            return Decided(Decision.RUN)
        self.continuing = False
        self._decision = asyncio.get_running_loop().create_future()
        self.moment = moment
        if moment.probed:
            self._probed[moment.step_id] = moment.probed
        self.show()
        try:
            return await self._decision
        finally:
            self.moment = self._decision = None
            self.show()

    def _grave(self, moment: Moment) -> bool:
        """Whether a person must look before this step, even when the run continues by itself."""
        step = self._steps.get(moment.step_id)
        return step is None or step.irreversible

    def resolve(self, decided: Decided) -> bool:
        """Give the decision that is waited for; False where none is, or where it is no longer allowed."""
        if self._decision is None or self._decision.done() or not self._may(decided.decision):
            return False
        self._decision.set_result(decided)
        return True

    def _may(self, decision: Decision) -> bool:
        return self.moment is not None and not self.away and decision in self.moment.allowed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("decide", "reason"):
            return self._may(Decision(str(parameters[0])))
        if action == "continue":
            return self._may(Decision.RUN)
        if action == "again":
            return self._may(Decision.RETRY)
        if action == "window":
            return self._may(Decision.WINDOW)
        if action == "pause":
            return self.continuing
        if action == "shell":
            return not self.state.finished
        return super().check_action(action, parameters)

    def action_decide(self, decision: str) -> None:
        self.resolve(Decided(Decision(decision)))

    def action_continue(self) -> None:
        self.continuing = True
        self.resolve(Decided(Decision.RUN))

    def action_pause(self) -> None:
        """No longer go on by itself."""
        self.continuing = False
        self.show()

    def action_shell(self) -> None:
        """A shell while nothing is at work; what is at work is not held up."""
        if self.moment is None:
            self.app.notify(
                f"{self.at or 'The run'} is at work and goes on. A shell can be opened before the next step"
                + (": Esc pauses there." if self.continuing else "."),
                severity="warning",
                markup=False,
            )
        elif not self.away:
            self.away = True
            self.post_message(self.ShellWanted())

    @property
    def may_end_search(self) -> bool:
        """While the run continues by itself, escape pauses it and does nothing else."""
        return super().may_end_search and not self.continuing

    async def action_again(self) -> None:
        """What may have done something already is run again only with a reason."""
        if self._may(Decision.DONE):
            await self.action_reason(Decision.RETRY)
        else:
            self.resolve(Decided(Decision.RETRY))

    async def action_window(self) -> None:
        """The first window needs no reason; a change of it is a deviation."""
        stage = next((stage.id for stage in self._stages for step in stage.steps if step.id == self.at), "")
        if stage in self.state.windows:
            await self.action_reason(Decision.WINDOW)
        else:
            self.resolve(Decided(Decision.WINDOW))

    async def action_reason(self, decision: str) -> None:
        """Decide with a reason, which is asked first and kept as a deviation."""
        from screens.prompts.reason import ReasonPrompt

        if self.moment is None:
            return
        step, wanted = self.moment.step_id, Decision(decision)

        def given(reason: str | None) -> None:
            # The question may have changed meanwhile: a reason for one step is none for another.
            if reason and self.moment is not None and self.moment.step_id == step:
                self.resolve(Decided(wanted, reason))

        await self.ours.open_screen(ReasonPrompt(step, wanted), given)


def _mark(session: Session) -> str:
    marks = ("ROLL-BACK" if session.rolls_back else "", "RESUMED" if session.history.run_id else "")
    return " ".join(mark for mark in marks if mark)
