"""What must hold before a step starts (design: gate)."""

from __future__ import annotations

from collections.abc import Collection

from runbook.model import Runbook, Step
from runbook.operator import ConfirmRequest, Operator, PhraseRequest
from runbook.outcome import Outcome
from runbook.state import RunState

DECLINED = "gate declined"
"""The symptom of a step whose gate the operator did not open."""


def unmet(runbook: Runbook, step: Step, state: RunState, selected: Collection[str]) -> tuple[str, ...]:
    """What does not hold yet, one sentence each; empty when the step may start.

    `selected` are the ids of the stages of this run.
    """
    missing = [
        f"the fact `{fact}` is not established: {runbook.facts[fact]}" + _established_by(runbook, fact)
        for fact in step.requires
        if fact not in state.facts
    ]
    stages = {stage.id: stage for stage in runbook.stages}
    for target in step.gate.after:
        if target in stages:
            if not state.stage_green(runbook, target):
                left_out = "" if target in selected else "; it is not part of this run"
                missing.append(f"stage {target} ({stages[target].title}) is not green{left_out}")
        elif not state.step(target).status.green:
            missing.append(f"step {target} ({runbook.step(target).title}) is not green")
    if step.gate.two_person:
        missing.append("a second person must approve it, and this version of the program cannot take an approval")
    return tuple(missing)


def _established_by(runbook: Runbook, fact: str) -> str:
    steps = [step.id for _, step in runbook.steps() if fact in step.establishes]
    return f" (step {' or '.join(steps)} establishes it)" if steps else ""


async def open_gate(step: Step, phrase: str | None, confirm: str | None, operator: Operator) -> Outcome | None:
    """Ask what the gate demands of the operator, the texts already rendered; None when the way is free.

    Raises PromptCancelled when the operator leaves a prompt.
    """
    detail = (step.title, *(f"Way back: {line}" for line in step.backout))
    if confirm and not await operator.confirm(ConfirmRequest(confirm, detail, dangerous=step.irreversible)):
        return Outcome.failed("the operator said no at the gate; nothing was done", symptom=DECLINED)
    if phrase and not await operator.type_phrase(PhraseRequest(f"Type the phrase to start {step.id}", phrase, detail)):
        return Outcome.failed("the phrase was not typed as shown; nothing was done", symptom=DECLINED)
    return None
