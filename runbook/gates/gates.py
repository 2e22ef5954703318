"""What must hold before a step starts, and what is missing, in words that say where to get it (design: gate)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runbook.gates.window import TimeWindow
from runbook.model import Runbook, Stage, Step
from runbook.operator import Condition
from runbook.record.state import RunState
from runbook.site import Site


@dataclass(frozen=True, slots=True)
class Standing:
    """What gates are judged by."""

    runbook: Runbook
    site: Site
    state: RunState
    selected: Collection[str]
    """The ids of the stages of this run."""
    now: datetime
    no_window: Mapping[str, str] = field(default_factory=dict)
    """By stage: why it was asked for its window and has none."""

    def window(self, stage: Stage) -> TimeWindow | None:
        """The window of the stage; None where it has none, or none was given yet."""
        recorded = self.state.windows.get(stage.id)
        return TimeWindow.of(recorded) if stage.window is not None and recorded is not None else None


def conditions(standing: Standing, step: Step) -> tuple[Condition, ...]:
    """Everything that the step's gate looks at by itself, and whether it holds; what people say is asked later."""
    return (
        *_facts(standing, step),
        *_after(standing, step),
        *_window(standing, step),
        *_second_person(standing, step),
    )


def unmet(standing: Standing, step: Step) -> tuple[str, ...]:
    """What does not hold, one sentence each; empty when the step may start."""
    return tuple(condition.text for condition in conditions(standing, step) if not condition.holds)


def _facts(standing: Standing, step: Step) -> Iterator[Condition]:
    for fact in step.requires:
        statement = standing.runbook.facts[fact]
        if fact in standing.state.facts:
            yield Condition(f"the fact `{fact}`: {statement} (established by {standing.state.facts[fact]})", holds=True)
        else:
            who = _established_by(standing, fact)
            yield Condition(f"the fact `{fact}` is not established: {statement}{who}", holds=False)


def _established_by(standing: Standing, fact: str) -> str:
    makers = [(stage.id, step) for stage, step in standing.runbook.steps() if fact in step.establishes]
    said = [
        f"{step.id} establishes it and "
        + (f"is {standing.state.step(step.id).status}" if stage in standing.selected else "is not part of this run")
        for stage, step in makers
    ]
    return f" (step {' or step '.join(said)})" if said else ""


def _after(standing: Standing, step: Step) -> Iterator[Condition]:
    runbook, state = standing.runbook, standing.state
    stages = {stage.id: stage for stage in runbook.stages}
    for target in step.gate.after:
        stage = stages.get(target)
        if stage is None:
            name, open_steps = f"step {target} ({runbook.step(target).title})", _not_green(state, runbook.step(target))
        else:
            name, open_steps = f"stage {target} ({stage.title})", _not_green(state, *stage.steps)
        if not open_steps:
            yield Condition(f"{name} is green", holds=True)
        elif stage is not None and target not in standing.selected:
            yield Condition(f"{name} is not green; it is not part of this run", holds=False)
        else:
            first = open_steps[0]
            status = state.step(first.id).status
            which = f": it is {status}" if stage is None else f": {first.id} ({first.title}) is {status}"
            yield Condition(f"{name} is not green{which}", holds=False)


def _not_green(state: RunState, *steps: Step) -> list[Step]:
    return [step for step in steps if not state.step(step.id).status.holds]


def _window(standing: Standing, step: Step) -> Iterator[Condition]:
    stage = standing.runbook.stage_of(step.id)
    if stage.window is None:
        return
    window = standing.window(stage)
    if window is None:
        why = standing.no_window.get(stage.id)
        said = f"the window of stage {stage.id} ({stage.title}) is not given"
        yield Condition(f"{said}: {why}" if why else said, holds=False)
    else:
        yield Condition(
            f"the window of stage {stage.id} {window.said(standing.now)}", holds=window.is_open(standing.now)
        )


def _second_person(standing: Standing, step: Step) -> Iterator[Condition]:
    if step.gate.two_person and standing.site.two_people is None:
        name = standing.site.name
        yield Condition(
            f"a second person must approve it, and the site profile `{name}` does not say who may: add `two_people` "
            "there, with the file of their keys (docs/approval.md)",
            holds=False,
        )
