"""What differs between two runbooks, or two site profiles, in words: step by step, key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.model import Runbook, Stage, Step
from runbook.site import Site

_LONGEST = 60
"""Characters of a value that are shown."""

_ABSENT = object()


def runbook_changes(before: Runbook, after: Runbook) -> tuple[str, ...]:
    """Each difference on a line, such as `A3.sign: deadline 60 → 30`; empty: the two mean the same."""
    return tuple(_runbook(before, after))


def site_changes(before: Site, after: Site) -> tuple[str, ...]:
    """Each difference on a line, such as `tokens.intermediate.serial DENK0100001 → DENK0100002`."""
    return tuple(_values("", _plain(before), _plain(after)))


def _runbook(before: Runbook, after: Runbook) -> Iterator[str]:
    old, new = _plain(before), _plain(after)
    for holder in (old, new):
        del holder["stages"]
    yield from _values("", old, new)
    yield from _stages(before, after)
    yield from _steps(before, after)


def _stages(before: Runbook, after: Runbook) -> Iterator[str]:
    old, new = _by_id(before.stages), _by_id(after.stages)
    yield from _come_and_gone("stage", old, new)
    for name in old.keys() & new.keys():
        was, now = _plain(old[name]), _plain(new[name])
        for holder in (was, now):
            del holder["steps"]
        yield from _values(f"stage {name}: ", was, now)
    if (order := [name for name in new if name in old]) != [name for name in old if name in new]:
        yield f"the stages are in another order: {', '.join(order)}"


def _steps(before: Runbook, after: Runbook) -> Iterator[str]:
    old, new = ({step.id: (stage, step) for stage, step in book.steps()} for book in (before, after))
    yield from _come_and_gone("step", old, new)
    both = [name for name in old if name in new]
    for name in both:
        (stage_was, was), (stage_now, now) = old[name], new[name]
        if stage_was.id != stage_now.id:
            yield f"{name}: moved from stage {stage_was.id} to stage {stage_now.id}"
        yield from _values(f"{name}: ", _step(was), _step(now))
    if both != [name for name in new if name in old]:
        yield f"the steps are in another order: {', '.join(name for name in new if name in old)}"


def _step(step: Step) -> dict[str, Any]:
    """The step's keys as they stand in the file: the kind's own beside the common ones."""
    data = _plain(step)
    params = data.pop("params")
    return {**params, **data}


def _come_and_gone(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{what} {name} is gone" for name in old if name not in new)
    yield from (f"{what} {name} is new" for name in new if name not in old)


def _values(place: str, before: Any, after: Any) -> Iterator[str]:
    """The differing leaves, each with its path of keys."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            was, now = before.get(key, _ABSENT), after.get(key, _ABSENT)
            if was != now:
                joint = "" if not place or place.endswith(" ") else "."
                yield from _values(f"{place}{joint}{key}", was, now)
    else:
        was, now = _shown(before), _shown(after)
        yield f"{place} {was} → {now}" + (" (they differ further on)" if was == now else "")


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    said = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _plain(model: Any) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json", by_alias=True)
    return data


def _by_id(stages: tuple[Stage, ...]) -> dict[str, Stage]:
    return {stage.id: stage for stage in stages}
