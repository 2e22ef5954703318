"""A roll-back as plain lines, before it begins: what is walked, and what cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from runbook.files import templates
from runbook.kind import Registry
from runbook.model import Role, Step
from runbook.record.chain import short_head
from runbook.run.rollback import Rollback
from runbook.run.start import Prepared
from runbook.text import clean_line


def lines(prepared: Prepared, rollback: Rollback) -> Iterator[str]:
    """What would be undone, in order, with what is exactly done; nothing is touched, asked or recorded by this."""
    yield from (clean_line(line) for line in _lines(prepared, rollback))


def _lines(prepared: Prepared, rollback: Rollback) -> Iterator[str]:
    runbook = prepared.runbook.model
    values = {name: f"<{name}>" for name in runbook.inputs} | {k: value for k, (value, _) in prepared.values.items()}
    yield f"roll-back of {rollback.run_id}, whose head is {short_head(rollback.head)}"
    yield ""
    yield "Undone, the newest first:"
    for one in rollback.steps:
        if one.ways:
            yield f"  {one.step.id}  {one.step.title}"
        if one.ways and one.doubt:
            asks = "its probe is asked first" if one.step.probe else "and it has no probe to ask"
            yield f"    IN DOUBT: {one.doubt}; {asks}"
        if one.along and not one.ways:
            yield f"  {one.step.id}  {one.step.title}"
        if one.along:
            yield f"    along with {', '.join(one.along)}"
        for way in one.ways:
            yield from _way(prepared.registry, way, values)
    stays = [(one.step, reason) for one in rollback.steps for reason in one.stays]
    if stays:
        yield ""
        yield "Not undone:"
    for step, reason in stays:
        yield f"  {step.id}  {step.title}{'  IRREVERSIBLE' if step.irreversible else ''}"
        yield f"    {reason}"
    if rollback.before:
        yield ""
        yield f"Undone before, by an earlier roll-back: {', '.join(rollback.before)}"
    if rollback.never:
        yield ""
        yield f"Never done, so nothing to undo: {', '.join(rollback.never)}"


def _way(registry: Registry, way: Step, values: Mapping[str, str]) -> Iterator[str]:
    params = templates.render_params(way.params, values)
    if way.role is Role.ATTESTATION:
        yield f"    {way.id}  by hand, and a person says so"
        yield from (f"      {statement}" for statement in params["statements"])
        return
    yield f"    {way.id}  {way.title}" + (f"  (check: {way.kind})" if way.role is Role.CHECK else "")
    if way.role is Role.CHECK:
        return
    kind = registry.get(way.role, way.kind)
    try:
        plan = kind(kind.Params.model_validate(params)).plan()
    except ValidationError:
        plan = (way.kind,)  # a value that is not known yet stands in place of a number or the like
    yield from (f"      {line}" for line in plan)
    if way.gate.two_person:
        yield "      once a second person has approved it"
