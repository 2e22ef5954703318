"""Where a text is found: in the steps of a runbook as a run stands, and in lines of text.

Letters are compared without regard to their case; any white space of what is sought stands for any other, so that a
folded line is found as well.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runbook.model import Role, Stage, Step
from runbook.record.state import RunState, StepState

MOST_EVIDENCE = 200
"""Lines of a step's evidence that are searched."""


@dataclass(frozen=True, slots=True)
class Found:
    """A line of a step that holds what is sought."""

    step: str
    where: str
    """What the line is: `title`, `goal`, `kind`, `state`, `found`, `evidence` …"""
    line: str


def pattern(text: str, *, folded: bool = False) -> re.Pattern[str] | None:
    """What finds `text`; None where there is nothing to seek. `folded`: also where a word goes on in the next line."""
    words = text.split()
    if not words:
        return None
    sought = (_FOLD.join(map(re.escape, word)) if folded else re.escape(word) for word in words)
    return re.compile(r"\s+".join(sought), re.IGNORECASE)


_FOLD = r"(?:\n *)?"


def spans(text: str, line: str) -> list[tuple[int, int]]:
    """Beginning and end of each place of `line` where `text` is, in order."""
    sought = pattern(text)
    return [match.span() for match in sought.finditer(line)] if sought else []


def matching(text: str, lines: Iterable[str]) -> Iterator[int]:
    """The numbers of the lines that hold `text`, in order."""
    sought = pattern(text)
    if sought is not None:
        yield from (number for number, line in enumerate(lines) if sought.search(line))


def onward(places: Sequence[int], here: int, direction: int) -> int:
    """The index of the next place after `here` (before it, for -1), round the end; -1 where there is none.

    `places` are in order; with a `direction` of 0, `here` itself counts.
    """
    if not places:
        return -1
    if direction < 0:
        return (bisect_left(places, here) - 1) % len(places)
    return bisect_left(places, here + direction) % len(places)


class Steps:
    """The steps that can be searched, made once for a run; a search of thousands takes about a millisecond."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._fixed = {
            step.id: tuple(_written(stage, number, step)) for stage in stages for number, step in enumerate(stage.steps)
        }
        self._hay = {step: _hay(lines) for step, lines in self._fixed.items()}
        self._heard: dict[str, tuple[StepState, str]] = {}
        """What each step has come to, as it was searched last."""

    def find(self, text: str, state: RunState) -> list[str]:
        """The ids of the steps that hold `text`, in the order of the runbook."""
        needle = " ".join(text.lower().split())
        if not needle:
            return []
        return [step for step, hay in self._hay.items() if needle in hay or needle in self._said(step, state)]

    def lines(self, text: str, state: RunState) -> list[Found]:
        """The lines that hold `text`, step by step."""
        sought = pattern(text)
        if sought is None:
            return []
        return [
            Found(step, where, line)
            for step in self.find(text, state)
            for where, line in (*self._fixed[step], *_happened(state.step(step)))
            if sought.search(line)
        ]

    def _said(self, step: str, state: RunState) -> str:
        now = state.steps.get(step, _WAITING)
        known = self._heard.get(step)
        if known is None or known[0] is not now:
            known = self._heard[step] = (now, _hay(_happened(now)))
        return known[1]


_WAITING = StepState()


def _hay(lines: Iterable[tuple[str, str]]) -> str:
    """In lower case, each line for itself: nothing is found across two."""
    return "\n".join(" ".join(line.lower().split()) for _, line in lines)


def _written(stage: Stage, number: int, step: Step) -> Iterator[tuple[str, str]]:
    """What the runbook says of a step; its stage is found at its first step."""
    if number == 0:
        yield "stage", f"{stage.id} {stage.title}"
    yield "id", step.id
    yield "title", step.title
    yield "kind", "attestation" if step.role is Role.ATTESTATION else f"{step.role.value} {step.kind}"
    if step.goal:
        yield "goal", step.goal
    if step.irreversible:
        yield "kind", "irreversible"
    for fact in step.establishes:
        yield "establishes", fact


def _happened(now: StepState) -> Iterator[tuple[str, str]]:
    """What the run says of it."""
    yield "state", now.status.value
    if now.reason:
        yield "reason", now.reason
    for condition in now.unmet:
        yield "waits", condition
    for hint in now.hints:
        yield "hint", hint
    if now.outcome is not None:
        yield "found", now.outcome.summary
        if now.outcome.remedy:
            yield "remedy", now.outcome.remedy
        lines = (line for evidence in now.outcome.evidence for line in evidence.plain())
        for _, line in zip(range(MOST_EVIDENCE), lines, strict=False):
            yield "evidence", line
