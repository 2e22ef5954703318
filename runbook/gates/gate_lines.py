"""What the events of second people say, as plain lines."""

from __future__ import annotations

from runbook.event import Event
from runbook.model import Runbook
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused, PeopleNamed, WitnessJoined

RESUME = "resume"
"""What two people approve who let a run go on although its files were changed; it stands where a step's id does."""


def approved_title(runbook: Runbook, step_id: str) -> str:
    """The title of what is to be approved; empty for a step that the runbook does not have (any more)."""
    titles = {step.id: step.title for _, step in runbook.steps()}
    return titles.get(step_id, "Go on although this was changed" if step_id == RESUME else "")


def second_person_line(event: Event) -> str:
    """One line; empty for every other event."""
    match event:
        case PeopleNamed():
            driver = event.driver or "nobody has said who"
            return f"{driver} drives; {', '.join(event.witnesses) or 'nobody'} may witness"
        case WitnessJoined():
            return f"witness {event.account} follows from {event.host}"
        case ApprovalAsked():
            return f"{event.step}  a second person is asked to approve it, until {event.expires_at}"
        case ApprovalGiven():
            place = "at the driver's keyboard" if event.at_keyboard else "in a session of their own"
            return f"{event.step}  APPROVED by {event.witness} {place}, with the key {event.key}"
        case ApprovalRefused(by_witness=True):
            return f"{event.step}  {event.witness} SAID NO: {event.reason}"
        case ApprovalRefused():
            who = f"the answer of {event.witness} was not accepted" if event.witness else "NOT APPROVED"
            return f"{event.step}  {who}: {event.reason}"
        case _:
            return ""
