"""Base of what is looked at over the run or over a prompt, and answers nothing: help, the command palette."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen


class Overlay(ModalScreen[None]):
    """Only ever takes itself away.

    Textual's `dismiss` takes away the screen in front. A prompt can come up while a key is on its way to what was in
    front before: taken away instead of this screen, it would never be answered.
    """

    def dismiss(self, result: None = None) -> AwaitComplete:
        if self.app.screen is self:
            return super().dismiss(result)
        return AwaitComplete()
