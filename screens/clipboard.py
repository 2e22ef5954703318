"""Copy something of the step that is shown to the clipboard of the operator's terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from runbook import copying
from runbook.copying import Copyable
from runbook.editor import Page, show
from runbook.kind import Registry
from runbook.run.exact import exact
from runbook.threads import in_thread
from screens.prompts.choice import Choices
from screens.prompts.prompt import Prompt, Said, quiet
from screens.terminal import lender
from screens.words import QUIET

if TYPE_CHECKING:
    from screens.base_app import BaseApp
    from screens.run_view import RunView

_ROOM = 58
"""Characters of a name and the text beside it, so that both stand on one line."""


class CopyPrompt(Prompt[Copyable]):
    """What can be copied here; secrets are not among it, for they are nowhere in what is shown."""

    heading = "Copy"
    keys = "↑/↓ choose   Enter copy   Esc cancel"

    def __init__(self, step: str, offered: Sequence[Copyable]) -> None:
        super().__init__()
        self._step = step
        self._offered = offered

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(f"{self._step}: what is to be copied?", "bold"), classes="")
        yield Choices(*map(_label, self._offered))
        yield Said(quiet("It goes to the clipboard of your terminal (OSC 52), also over SSH. Never a secret."))

    @on(OptionList.OptionSelected)
    def _answer(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[message.option_index])


def _label(one: Copyable) -> Content:
    first, *more = one.text.split("\n")
    room = max(8, _ROOM - len(one.name))
    text = f"{len(more) + 1} lines" if more else first if len(first) <= room else f"{first[: room - 1]}…"
    return Content.assemble((one.name, "bold"), (f"  {text}", QUIET))


async def copy(app: BaseApp, view: RunView) -> None:
    """Ask what, and copy it; where the terminal has no clipboard, show it as plain text instead."""
    step = view.shown
    output = view.output_of(step)
    offered = copying.copyables(
        view.state,
        step,
        head=view.head,
        folder=app.run_folder,
        commands=await in_thread(lambda: exact(view.runbook.step(step), view.state.inputs, Registry())),
        output=await in_thread(lambda: tuple(output.every()())) if output is not None else (),
    )
    chosen = await app.ask(CopyPrompt(step, offered))
    if chosen is None:
        return
    if not copying.has_clipboard(os.environ):
        await show(Page(f"{chosen.word}.txt", f"{chosen.text}\n".encode()), lender(app))
        return
    text, whole = copying.fitting(chosen.text)
    await put(app, text)
    app.tell(*copying.told(chosen.name, whole=whole, environment=os.environ))


async def put(app: BaseApp, text: str) -> None:
    """Set the clipboard of the operator's terminal, through tmux where one is in between."""
    if not await copying.told_tmux(text, os.environ):
        app.write_to_terminal(copying.sequence(text, os.environ))
