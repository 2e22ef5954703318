"""What the events of second people say, as plain lines."""

from __future__ import annotations

from runbook.event import Event
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused, PeopleNamed, WitnessJoined


def second_person_line(event: Event) -> str:
    """One line; empty for every other event."""
    step = getattr(event, "step", "")
    said = second_person_said(event)
    return f"{step}  {said}" if step and said else said


def second_person_said(event: Event) -> str:
    """The same without the step."""
    match event:
        case PeopleNamed():
            driver = event.driver or "nobody has said who"
            return f"{driver} drives; {', '.join(event.witnesses) or 'nobody'} may witness"
        case WitnessJoined():
            return f"witness {event.account} follows from {event.host}"
        case ApprovalAsked():
            return f"a second person is asked to approve it, until {event.expires_at}"
        case ApprovalGiven():
            place = "at the driver's keyboard" if event.at_keyboard else "in a session of their own"
            return f"APPROVED by {event.witness} {place}, with the key {event.key}"
        case ApprovalRefused(by_witness=True):
            return f"{event.witness} SAID NO: {event.reason}"
        case ApprovalRefused():
            who = f"the answer of {event.witness} was not accepted" if event.witness else "NOT APPROVED"
            return f"{who}: {event.reason}"
        case _:
            return ""
