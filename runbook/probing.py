"""What a probe answers: is the action done already? (design §2)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from runbook.outcome import Evidence, Outcome, Verdict
from runbook.standing import Answer as Answer  # noqa: PLC0414 - told with what was probed


@dataclass(frozen=True, slots=True)
class Probed:
    """The answer and what it rests on."""

    answer: Answer
    outcome: Outcome


class TakenAsDone(Evidence):
    """A person decided that an action counts as done; what the probe saw stands beside it."""

    kind: ClassVar[str] = "taken_as_done"
    probe: str
    """The probe's answer; empty: the action has no probe."""
    reason: str

    def plain(self) -> Iterator[str]:
        yield f"the probe: {self.probe}" if self.probe else "the action has no probe"
        yield f"taken as done: {self.reason}"


class NothingToUndo(Evidence):
    """The probe of a step said that it was not done, so that nothing is undone."""

    kind: ClassVar[str] = "nothing_to_undo"
    step: str
    """The step of the run that is rolled back."""
    probe: str
    """What was found."""

    def plain(self) -> Iterator[str]:
        yield f"{self.step} was not done: {self.probe}"


def answer_of(outcome: Outcome) -> Answer:
    """A probe is a check that expects the action's result: green means done, failed means not done.

    A warning means partly; where the check could not judge, nothing is known.
    """
    match outcome.verdict:
        case Verdict.PASSED:
            return Answer.DONE
        case Verdict.FAILED:
            return Answer.NOT_DONE
        case Verdict.WARNED:
            return Answer.PARTLY
        case _:
            return Answer.CANNOT_TELL


def phrase_again(step_id: str) -> str:
    """What is typed before an action that may be done already is run a second time."""
    return f"RUN {step_id} AGAIN"
