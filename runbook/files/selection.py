"""The stages of a run, and whether its steps can ever start with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runbook.errors import UsageError
from runbook.files.problems import did_you_mean
from runbook.model import Runbook, Step


def select(runbook: Runbook, wanted: Collection[str]) -> tuple[str, ...]:
    """The stages wanted, in the runbook's order; empty: all. Raises UsageError."""
    known = [stage.id for stage in runbook.stages]
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"the runbook has no stage `{name}`",
                where="--stage",
                remedy=did_you_mean(name, known) or f"Its stages are {', '.join(known)}.",
            )
    return tuple(name for name in known if name in wanted)


def require_reachable(runbook: Runbook, stages: Collection[str]) -> None:
    """Raise UsageError where a step of these stages waits for what is not part of the run."""
    selected = set(stages)
    shut = [
        f"{step.id} waits for {what}" + (f" of stage {stage}" if what != f"stage {stage}" else "")
        for step in _steps(runbook, selected)
        for what, stage in _left_out(runbook, step, selected)
    ]
    if not stages or not shut:
        return
    whole = _with_needed(runbook, selected)
    more = f" (and {len(shut) - 1} more)" if len(shut) > 1 else ""
    raise UsageError(
        f"not every step could ever start: {shut[0]}{more}",
        where=" ".join(f"--stage {name}" for name in stages),
        remedy=f"A run begins with nothing established. Add what comes before: {_options(runbook, whole)}.",
    )


def stands_outside(runbook: Runbook, step: Step, stages: Collection[str]) -> tuple[str, ...]:
    """What the step waits for that is not part of a run of these stages; empty stages: all."""
    return tuple(what for what, _ in _left_out(runbook, step, set(stages))) if stages else ()


def _left_out(runbook: Runbook, step: Step, selected: Collection[str]) -> Iterator[tuple[str, str]]:
    """A stage, step or fact that the step needs, and the stage it comes from."""
    home = {other.id: stage.id for stage, other in runbook.steps()} | {stage.id: stage.id for stage in runbook.stages}
    for target in step.gate.after:
        if home[target] not in selected:
            yield (f"stage {target}" if target == home[target] else f"step {target}"), home[target]
    for fact in step.requires:
        makers = [stage.id for stage, other in runbook.steps() if fact in other.establishes]
        if makers and not set(makers) & set(selected):
            yield f"the fact `{fact}`", makers[0]


def _with_needed(runbook: Runbook, selected: Collection[str]) -> set[str]:
    """The stages and all that they need, directly or not."""
    whole, before = set(selected), set[str]()
    while whole != before:
        before = set(whole)
        whole |= {stage for step in _steps(runbook, before) for _, stage in _left_out(runbook, step, before)}
    return whole


def _steps(runbook: Runbook, selected: Collection[str]) -> Iterator[Step]:
    return (step for stage, step in runbook.steps() if stage.id in selected)


def _options(runbook: Runbook, stages: Collection[str]) -> str:
    return " ".join(f"--stage {stage.id}" for stage in runbook.stages if stage.id in stages)
