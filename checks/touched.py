"""The check `touched`: what the run has changed, against what the procedure says it changes (playbook, appendix)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from checks.evidence.touched import Listed, TouchedTable, TouchedThing
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check, Params
from runbook.outcome import Outcome
from runbook.touched import Touched

_WHAT = ("file", "volume", "image", "unit", "task")

OnName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$")]


class Expected(Model):
    """One thing of the list, by its kind and name; `*` stands for anything but `/`, `**` for anything."""

    file: str = Field(
        "",
        description="A path, whole or its end: `step-ca/ca.json.hsm` is the one in any folder.",
        examples=["step-ca/ca.json.hsm"],
    )
    volume: str = Field("", description="The name of a volume.", examples=["ccat-ca_step-ca-data"])
    image: str = Field("", description="The name of an image.", examples=["ccat-step-ca:hsm-test"])
    unit: str = Field("", description="A unit of systemd.", examples=["pcscd.socket"])
    task: str = Field(
        "",
        description="A task of Ansible that changes something, by its name.",
        examples=["Install the root certificate"],
    )
    on: OnName = Field(
        "", description="The host or the engine, as the site profile names it; empty: any.", examples=["ca"]
    )
    by: str = Field(
        "",
        max_length=500,
        description="Who else changes it: then the run itself need not touch it.",
        examples=["The package manager"],
    )

    @model_validator(mode="after")
    def _one(self) -> Expected:
        if len([what for what in _WHAT if getattr(self, what)]) != 1:
            raise ValueError(f"name one thing: `{'`, `'.join(_WHAT)}`")
        return self

    @property
    def what(self) -> str:
        return next(what for what in _WHAT if getattr(self, what))

    @property
    def pattern(self) -> str:
        pattern: str = getattr(self, self.what)
        return pattern

    def fits(self, thing: _Thing) -> bool:
        """Whether it is the one that was touched."""
        if thing.what != self.what or self.on not in ("", thing.on):
            return False
        return bool(_expression(self.pattern, ends=self.what == "file").fullmatch(thing.name))


class TouchedParams(Params):
    """The list."""

    expect: tuple[Expected, ...] = Field(
        min_length=1,
        description="What the procedure changes.",
        examples=[[{"file": "step-ca/ca.json.hsm"}, {"unit": "pcscd.socket", "on": "ca"}]],
    )
    unlisted: Literal["fail", "warn"] = Field("fail", description="What comes of a thing that is not on the list.")


class TouchedCheck(Check[TouchedParams]):
    """What the run's steps have changed, as the journal knows it, is what the procedure says they change.

    Three groups: as listed, not listed, and listed but not touched. Steps say what they change by themselves: files
    copied, committed or written, volumes, images, units, the tasks of Ansible that changed something; a command or
    an interactive one says it with `touches`.
    """

    name = "touched"
    Params = TouchedParams
    evidence = (TouchedTable,)
    symptoms: ClassVar = {
        "not listed": "Something was changed that is not on the list.",
        "not touched": "Something on the list was changed by no step, and the list names nobody else who does.",
    }

    def plan(self) -> tuple[str, ...]:
        return tuple(f"expect {item.what} {item.pattern}" for item in self.params.expect)

    async def run(self, ctx: Context) -> Outcome:
        things = tuple(_things(ctx.touched))
        table = TouchedTable(things=(*_touched(things, self.params.expect), *_missed(things, self.params.expect)))
        unlisted = table.those(Listed.NOT_LISTED)
        missed = [thing for thing in table.those(Listed.NOT_TOUCHED) if not thing.ok]
        if unlisted:
            said = f"not on the list: {_first(unlisted)}"
            judged = Outcome.failed if self.params.unlisted == "fail" else Outcome.warned
            return judged(said, table, symptom="not listed", remedy="Find out what changed it, and why.")
        if missed:
            remedy = "Find out whether it was left out, or is done elsewhere."
            return Outcome.warned(f"listed, not touched: {_first(missed)}", table, symptom="not touched", remedy=remedy)
        elsewhere = len(table.those(Listed.NOT_TOUCHED))
        count = f"{len(table.those(Listed.AS_LISTED))} touched, all of them listed"
        return Outcome.passed(f"{count}; {elsewhere} changed by others" if elsewhere else count, table)


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that was touched, once or more often."""

    what: str
    name: str
    on: str
    how: tuple[str, ...]


def _things(events: Sequence[Touched]) -> Iterator[_Thing]:
    done: dict[tuple[str, str, str], list[str]] = {}
    for event in events:
        done.setdefault((event.what, event.name, event.on), []).append(f"{event.step} {event.how}")
    for (what, name, on), how in done.items():
        yield _Thing(what, name, on, tuple(dict.fromkeys(how)))


def _touched(things: Sequence[_Thing], expect: Sequence[Expected]) -> Iterator[TouchedThing]:
    for thing in things:
        entry = next((item for item in expect if item.fits(thing)), None)
        state = Listed.AS_LISTED if entry else Listed.NOT_LISTED
        by = entry.by if entry else ""
        yield TouchedThing(state=state, what=thing.what, name=thing.name, on=thing.on, how=thing.how, by=by)


def _missed(things: Sequence[_Thing], expect: Sequence[Expected]) -> Iterator[TouchedThing]:
    for item in expect:
        if not any(item.fits(thing) for thing in things):
            yield TouchedThing(state=Listed.NOT_TOUCHED, what=item.what, name=item.pattern, on=item.on, by=item.by)


@cache
def _expression(pattern: str, *, ends: bool) -> re.Pattern[str]:
    """A path's pattern may be its end, from a `/` on."""
    parts = re.split(r"(\*\*|\*)", pattern)
    joined = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"(?:.*/)?{joined}" if ends and not pattern.startswith("/") else joined, re.DOTALL)


def _first(things: Sequence[TouchedThing]) -> str:
    more = f" and {len(things) - 1} more" if things[1:] else ""
    return f"{things[0].what} {things[0].place}{more}"
