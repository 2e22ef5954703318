"""One of several named answers; the first is the safe one and has the focus."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from runbook.operator import ChoiceRequest
from screens.prompts.prompt import Prompt, Said
from screens.words import CALM


class Choices(OptionList, inherit_bindings=True):
    """The answers as a list; the one at hand has an arrow before it."""

    def __init__(self, *answers: Content) -> None:
        self._answers = answers
        super().__init__(*(Option(_marked(answer, at=number == 0)) for number, answer in enumerate(answers)))

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        for number, answer in enumerate(self._answers):
            self.replace_option_prompt_at_index(number, _marked(answer, at=number == message.option_index))


def _marked(answer: Content, *, at: bool) -> Content:
    return Content.assemble(("▸ " if at else "  ", CALM), answer)


class ChoicePrompt(Prompt[str]):
    """The result is the key of the answer."""

    heading = "Choose"
    keys = "↑/↓ choose   Enter answer   Esc cancel"

    def __init__(self, request: ChoiceRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        yield Choices(*(_label(key, told) for key, told in self._request.choices))

    @on(OptionList.OptionSelected)
    def _answer(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._request.choices[message.option_index][0])


def _label(key: str, told: str) -> Content:
    return Content.styled(key, "bold") if told == key else Content.assemble((key, "bold"), f"  {told}")
