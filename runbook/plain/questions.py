"""One question, one line: asked again until the answer fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator


def anything(text: str) -> str:
    """A check that lets every text pass."""
    return text


def no_doubt(_text: str) -> str:
    """A doubt that nobody has."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for. An empty answer is the default, or nothing where there is none."""

    ask: str
    help: str = ""
    default: str | None = None
    found: Sequence[str] = ()
    """Answers that were found, each with a number that stands for it."""
    empty: str = "fill in later"
    """What an empty answer means where there is no default."""
    check: Callable[[str], str] = anything
    """The value for the text; raises ValueError with a sentence. Asks no disk."""
    doubt: Callable[[str], str] = no_doubt
    """Why a value that fits may still be wrong, such as a file that is not there; may ask the disk."""


class Asker(Protocol):
    """Whoever answers."""

    def say(self, line: str = "") -> None:
        """Show a line."""

    async def ask(self, question: Question) -> str | None:
        """The value; None where there is none."""


class Defaults:
    """Nobody is asked: every question has its default, or no answer."""

    def say(self, line: str = "") -> None:
        """Nobody reads it."""

    async def ask(self, question: Question) -> str | None:
        return question.default


class AtTerminal:
    """A person at a plain terminal; raises OperatorStopped at the end of input."""

    def __init__(self, keyboard: Keyboard, narrator: Narrator) -> None:
        self._keyboard = keyboard
        self._narrator = narrator

    def say(self, line: str = "") -> None:
        self._narrator.say(line)

    async def ask(self, question: Question) -> str | None:
        self.say()
        if question.help:
            self.say(f"  {' '.join(question.help.split())}")
        for number, text in enumerate(question.found, start=1):
            self.say(f"  {number}. {text}")
        empty = question.empty if question.default is None else question.default or "none"
        while True:
            typed = (await self._line(f"{question.ask} (empty: {empty}): ")).strip()
            if not typed:
                return question.default
            if typed.isascii() and typed.isdigit() and 0 < int(typed) <= len(question.found):
                typed = question.found[int(typed) - 1]
            try:
                value = question.check(typed)
            except ValueError as error:
                self.say(f"  {error}")
                continue
            doubt = await asyncio.to_thread(question.doubt, value)
            if not doubt or await self._sure(doubt):
                return value

    async def _sure(self, doubt: str) -> bool:
        self.say(f"  {doubt}")
        return (await self._line("Keep it all the same? [y/N]: ")).strip().lower() in ("y", "yes")

    async def _line(self, prompt: str) -> str:
        return await self._keyboard.line(lambda: self._narrator.prompt(prompt))
