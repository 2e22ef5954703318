"""A question to the person at a plain terminal: a line, or one of several numbered choices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator


class Asking:
    """Asks at one terminal."""

    def __init__(self, keyboard: Keyboard, narrator: Narrator) -> None:
        self.keyboard = keyboard
        self.say = narrator.say
        self._narrator = narrator

    def say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    async def line(self, prompt: str) -> str:
        """Raises OperatorStopped at the end of input."""
        return await self.keyboard.line(lambda: self._narrator.prompt(prompt))

    async def pick(
        self,
        question: str,
        labels: Sequence[str],
        words: Sequence[str],
        default: int | None = None,
        more: Collection[str] = (),
        *,
        listed: bool = True,
    ) -> str:
        """The word of the chosen label, by its number or itself; or a line that begins with one of `more`.

        `default`: the place of the label that an empty line means. `listed`: the labels are said too.
        """
        self.say(question)
        for number, label in enumerate(labels if listed else (), start=1):
            self.say(f"  {number}. {label}")
        hint = f" (empty: {default + 1})" if default is not None else ""
        while True:
            answer = (await self.line(f"Number{hint}: ")).strip()
            if not answer and default is not None:
                return words[default]
            if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(labels):
                return words[int(answer) - 1]
            if answer in words or answer.partition(" ")[0] in more:
                return answer
            self.say(f"Type a number from 1 to {len(labels)}" + (", or a word: help lists them." if more else "."))
