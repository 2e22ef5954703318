"""What is said about a gate that two people open."""

from __future__ import annotations

from runbook.model import Runbook

RESUME = "resume"
"""What two people approve who let a run go on although its files were changed; it stands where a step's id does."""


def approved_title(runbook: Runbook, step_id: str) -> str:
    """The title of what is to be approved; empty for a step that the runbook does not have (any more)."""
    titles = {step.id: step.title for _, step in runbook.steps()}
    return titles.get(step_id, "Go on although this was changed" if step_id == RESUME else "")
