"""The line drops: a person at a plain terminal goes through the ledger, and at some moment the terminal is gone."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml

from rehearsal.token import TokenKind
from tests.endings.line import Line
from tests.killing.place import LEDGER, ROOT, Place

PROMPTS = 25
"""How many questions an undisturbed run asks."""

_PROMPT = re.compile(r"(?:Press Enter to begin\. |: |\]: )\Z")
_DEADLINE = 60.0
_ENDS = {0, 3}
"""Exit statuses of a run that ended: green, or stopped by the line."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The line drops when this question is asked, or so many seconds after it was answered."""

    question: int
    """From 1."""
    after: float | None = None

    def __str__(self) -> str:
        when = "when it is asked" if self.after is None else f"{self.after:.3f} s after its answer"
        return f"the line drops at question {self.question}, {when}"


def drops(chance: random.Random) -> Iterator[Drop]:
    """Twice at each question."""
    for question in range(1, PROMPTS + 1):
        yield Drop(question)
        yield Drop(question, chance.uniform(0, 0.4))


class Person:
    """Answers what the plain terminal asks, from the sheet."""

    def __init__(self, place: Place, line: Line) -> None:
        self._place = place
        self._line = line
        self._seen = 0
        self.asked = 0

    def next_question(self) -> str | None:
        """The text that ends in a question; None when the program has ended."""
        self._line.reading(lambda: self._asks or self._line.process.poll() is not None, "a question")
        if not self._asks:
            return None
        question, self._seen = self._line.shown[self._seen :], len(self._line.shown)
        self.asked += 1
        return question

    @property
    def _asks(self) -> bool:
        return _PROMPT.search(self._line.shown, self._seen) is not None

    def answer(self, question: str) -> None:
        """Type what belongs there."""
        sheet: dict[str, Any] = {}
        if self._place.lab.joinpath("paper-sheet.yaml").exists():
            sheet = yaml.safe_load(self._place.lab.joinpath("paper-sheet.yaml").read_text())
        for pattern, said in _ANSWERS:
            if re.search(pattern, question):
                self._line.type(f"{said(sheet)}\n")
                return
        if "Type the phrase" in question:
            self._phrase("SEAL in the beginning")
            return
        raise AssertionError(f"nobody knows what to say to: {question}")

    def _phrase(self, phrase: str) -> None:
        for place, letter in enumerate(phrase, start=1):
            self._line.type(letter)
            self._line.reading(partial(self._shows, phrase[:place]), "the letter")
        self._line.type("\n")

    def _shows(self, text: str) -> bool:
        return self._line.shown.endswith(text)


_ANSWERS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    (r"Press Enter to begin", lambda _: ""),
    (r"\[y/N\]: \Z", lambda _: "y"),
    (r"who signs here(.|\n)*Number: \Z", lambda _: "1"),
    (r"Number \(empty: 1\): \Z", lambda _: ""),
    (r"Path of their key.*: \Z", lambda sheet: str(sheet["witness"]["witness"])),
    (r"Serial of HSM(.|\n)*From paper.*: \Z", lambda sheet: str(sheet["inputs"]["hsm_serial"])),
    (r"From group.*: \Z", lambda sheet: str(sheet["inputs"]["root_fingerprint"])),
    (r"PIN.*\(empty: leave\): \Z", lambda sheet: str(sheet["pins"]["intermediate"])),
    (r"Hours of the seal.*: \Z", lambda sheet: str(sheet["windows"]["C"])),
    (r"What is written first.*: \Z", lambda _: "in the beginning"),
)


def run(drop: Drop | None, token: TokenKind = TokenKind.SOFTHSM) -> tuple[list[str], int]:
    """Walk it until the line drops (None: to the end), go on without a person, judge; and how much was asked."""
    place = Place(token)
    argv = [sys.executable, "-m", "runbook", "rehearse", str(LEDGER), "--plain", "--folder", str(place.lab)]
    with Line([*argv, "--token", token], ROOT, {**place.env, "TERM": "xterm"}) as line:
        person = Person(place, line)
        while (question := person.next_question()) is not None:
            here = drop is not None and person.asked == drop.question
            if here and drop is not None and drop.after is None:
                break
            person.answer(question)
            if here and drop is not None and drop.after is not None:
                time.sleep(drop.after)
                break
        line.drop()
        code = line.process.wait(_DEADLINE)
    if code not in _ENDS:
        place.problems.append(f"the program ended with {code}: {line.shown[-1500:]}")
    if not place.nothing_begun():
        place.complete()
    return place.close(), person.asked
