"""What must hold after every case, whatever the fault was."""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence.pin_counter import PinCounter
from runbook.hints import ENGINE_SYMPTOMS
from runbook.outcome import Outcome, Verdict
from runbook.record.events import PinAttempt, PinResult, RunFinished, StepFinished
from tests.campaign.cases import Trouble
from tests.campaign.steps import STEP_DEADLINE
from tests.campaign.walking import Walked

MARGIN = 3.0
"""Seconds beyond a step's deadline for ending what hangs, on a busy machine."""

_LEAVING = 8.0
"""Seconds for the end of a run: the logout's deadline, and a worker that does not leave."""


def ending(walked: Walked) -> str:
    """How the operation ended when the fault came: `green`, `in doubt`, or the symptom of its error."""
    finished = _finished(walked)
    return _named(finished[0].outcome) if finished else "no outcome"


def after_retry(walked: Walked) -> str:
    """How it ended when it was tried again; empty where it was not."""
    finished = _finished(walked)
    return _named(finished[1].outcome) if len(finished) > 1 else ""


def violations(walked: Walked) -> Iterator[str]:
    """Everything about this run that must never be."""
    finished = [event for event in walked.events if isinstance(event, StepFinished)]
    own = _finished(walked)
    if not own:
        earlier = "; ".join(f"{event.step}: {event.outcome.summary}" for event in finished if not _green(event))
        yield f"the operation has no outcome ({earlier or 'and nothing failed before it'})"
    for event in own:
        yield from _about(event.outcome)
        if event.seconds > STEP_DEADLINE + MARGIN:
            yield f"the step took {event.seconds:.1f} s, its deadline is {STEP_DEADLINE:g} s"
    if walked.seconds > len(own) * (STEP_DEADLINE + MARGIN) + _LEAVING:
        yield f"the run took {walked.seconds:.1f} s"
    if not any(isinstance(event, RunFinished) for event in walked.events):
        yield "the run has no end"
    yield from _about_pins(walked)
    yield from (f"left over: {name}" for name in walked.left_over)
    yield from (f"the event loop complained: {said}" for said in walked.complaints)
    yield from (f"the journal: {problem}" for problem in walked.journal_problems)
    if "Traceback (most recent" in walked.journal_text:
        yield "a traceback is on the record"


def _about(outcome: Outcome) -> Iterator[str]:
    match outcome.verdict:
        case Verdict.PASSED | Verdict.WARNED:
            return
        case Verdict.FAILED | Verdict.ERRORED | Verdict.IN_DOUBT:
            if not outcome.symptom:
                yield f"no symptom: {outcome.summary}"
            if not outcome.remedy:
                yield f"nothing to do next: {outcome.summary}"
            if outcome.symptom == "defect" or outcome.symptom not in _DECLARED:
                yield f"{outcome.symptom}: {outcome.summary}"
        case _:
            yield f"it ended as {outcome.verdict}"


def _about_pins(walked: Walked) -> Iterator[str]:
    attempts = [event for event in walked.events if isinstance(event, PinAttempt)]
    results = [event for event in walked.events if isinstance(event, PinResult)]
    if not walked.checks <= len(attempts) <= walked.prompts:
        yield f"{walked.checks} attempts by the card's count, {len(attempts)} recorded, {walked.prompts} prompts"
    if walked.strangers_checks:
        yield f"{walked.strangers_checks} attempts on the stranger's card"
    if len(results) != len(attempts):
        yield f"{len(attempts)} attempts are recorded and {len(results)} results"
    yield from _about_counters(walked)


def _about_counters(walked: Walked) -> Iterator[str]:
    """A number that was shown must be the card's own; garbage from the card itself may say anything."""
    if walked.case is None or walked.case.trouble in (Trouble.GARBAGE, Trouble.SHORT):
        return
    for event in _finished(walked):
        for evidence in event.outcome.evidence:
            if isinstance(evidence, PinCounter) and evidence.tries_left not in (None, 3):
                yield f"the counter showed {evidence.tries_left}"


def _finished(walked: Walked) -> list[StepFinished]:
    return [event for event in walked.events if isinstance(event, StepFinished) and event.step == walked.spot.step]


def _green(event: StepFinished) -> bool:
    return event.outcome.verdict.green


def _named(outcome: Outcome) -> str:
    if outcome.verdict.green:
        return "green"
    if outcome.verdict is Verdict.IN_DOUBT:
        return "in doubt"
    return outcome.symptom or outcome.verdict.value


def _declared() -> frozenset[str]:
    from checks.hsm.key_match import KeyMatchCheck
    from checks.hsm.objects import Objects
    from checks.hsm.pin_counter import PinCounterCheck
    from checks.hsm.sign_test import SignTestCheck

    kinds = (Objects, PinCounterCheck, SignTestCheck, KeyMatchCheck)
    return frozenset(ENGINE_SYMPTOMS).union(*(kind.symptoms for kind in kinds))


_DECLARED = _declared()
