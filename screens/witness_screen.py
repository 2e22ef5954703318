"""The witness's screen: the run as the driver sees it, read-only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from runbook.model import Runbook
from runbook.record.events import RunStarted
from runbook.record.state import RunState
from screens.run_view import LOOKING, RunView
from screens.widgets.run_header import Identity
from screens.widgets.witness_bar import Watch, WitnessBar


class WitnessScreen(RunView):
    """Nothing here decides anything; one key answers what the witness is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,A,enter", "answer", "answer", key_display="a", id="witness.answer"),
        *LOOKING,
    ]

    class Answering(Message):
        """The witness wants to answer the question that is open."""

    watch_now = var(Watch(RunState()))

    def __init__(self, runbook: Runbook, header: RunStarted) -> None:
        identity = Identity(header.run_id, runbook.title, header.site, rehearsal=header.rehearsal, mark="WITNESS")
        super().__init__(runbook, header.stages, identity, RunState())
        self._bar = WitnessBar()

    def below(self) -> Iterator[Widget]:
        yield self._bar

    def tell(self, watch: Watch) -> None:
        """Say how the witness stands to the run."""
        if watch != self.watch_now:
            self.watch_now = watch
            self._bar.show(watch)
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "answer":
            return bool(self.watch_now.asked and self.watch_now.me)
        return super().check_action(action, parameters)

    def action_answer(self) -> None:
        self.post_message(self.Answering())
