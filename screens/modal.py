"""Base of everything that is shown over the run: prompts, the help."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class Modal(ModalScreen[T]):
    """Only ever takes itself away.

    Textual's `dismiss` takes away whatever is in front. A prompt can come up while a key is still on its way to what
    was in front before; taken away instead, it would never be answered. What was answered behind another screen goes
    away once that one has.
    """

    _kept_answer: tuple[T | None] | None = None

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        if self.app.screen is self:
            return super().dismiss(result)
        self._kept_answer = self._kept_answer or (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._kept_answer is not None:
            self.dismiss(*self._kept_answer)
