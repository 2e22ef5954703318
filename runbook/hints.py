"""Which hints fit an outcome, as lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from runbook.model import Hint, Step, TryCommand
from runbook.outcome import Outcome

ENGINE_SYMPTOMS: Mapping[str, str] = {
    "cancelled": "The operator left a prompt; nothing was sent.",
    "deadline": "The step was not done within its time.",
    "gate declined": "The operator did not open the gate.",
    "gate closed": "What the gate demands no longer held when everybody had answered.",
    "unusable input": "A value that was typed or given cannot be used.",
    "stopped": "The run was stopped while the step was at work.",
    "defect": "The kind's own code failed.",
}
"""Symptoms that any step can show, beside those its kind declares."""


def matching(step: Step, outcome: Outcome) -> tuple[str, ...]:
    """The step's hints for this outcome; those that name its symptom come before those that always apply."""
    named = [hint for hint in step.hints if outcome.symptom and outcome.symptom in hint.when]
    general = [hint for hint in step.hints if not hint.when]
    return tuple(line for hint in (*named, *general) for line in lines(hint))


def lines(hint: Hint) -> list[str]:
    """The likely cause, then what to try, one line each."""
    return [f"Likely: {hint.likely}", *(f"Try: {_action(action)}" for action in hint.actions)]


def _action(action: str | TryCommand) -> str:
    if isinstance(action, str):
        return action
    where = f" (on {action.on})" if action.on else ""
    return ("sudo " if action.sudo else "") + shlex.join(action.run) + where
