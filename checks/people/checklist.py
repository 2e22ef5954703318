"""The check `checklist`: one answer for each of many, such as the members of a cohort (playbook §H1, §H2)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator

from checks.attest import account
from checks.evidence.people import ListAnswers, ListItem
from runbook.context import Context
from runbook.fields import Line
from runbook.files.inputs import list_items
from runbook.kind import Check, Params
from runbook.outcome import Outcome
from runbook.ticking import ChecklistRequest, Tick, Ticked


def _split(value: Any) -> Any:
    """The value of a `list` input is one text; in the file the items may also stand one by one."""
    return list_items(value) if isinstance(value, str) and value.strip() else value


Items = Annotated[tuple[Line, ...], BeforeValidator(_split, json_schema_input_type=str | list[str])]


class ChecklistParams(Params):
    """What is asked, and of whom or what."""

    question: Line = Field(
        description="What is asked for every item, for example `Has bootstrapped again`.",
        examples=["Has bootstrapped again"],
    )
    items: Items = Field(
        min_length=1,
        max_length=1000,
        description="The items: a list, or the value of an input of the type `list`.",
        examples=[["Anna", "Ben"], "{{ cohort }}"],
    )

    @field_validator("items")
    @classmethod
    def _once(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        twice = [item for number, item in enumerate(items) if item in items[:number]]
        if twice:
            raise ValueError(f"`{twice[0]}` is listed twice")
        return items


class ChecklistCheck(Check[ChecklistParams]):
    """Every item of a list has its own answer: yes, not yet, or no with the reason; green when all are yes.

    Tried again, it begins with what was said before, so that only what has changed is to be answered anew.
    """

    name = "checklist"
    Params = ChecklistParams
    evidence = (ListAnswers,)
    symptoms: ClassVar = {
        "said no": "For an item the answer was no.",
        "not yet": "For an item the answer was: not yet.",
    }

    def plan(self) -> tuple[str, ...]:
        return (f"a person says of each: {self.params.question}", *(f"  {item}" for item in self.params.items))

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        before = _before(ctx.last)
        request = ChecklistRequest(
            title=ctx.step_id,
            question=params.question,
            items=params.items,
            before=tuple(before.get(item) for item in params.items),
        )
        said = await ctx.operator.checklist(request)
        # One answer for each item: what is missing has not happened yet.
        answers = (*said.answers, *[Ticked(Tick.NOT_YET)] * len(params.items))
        found = ListAnswers(
            question=params.question,
            items=tuple(
                ListItem(item=item, answer=ticked.tick, reason=ticked.reason)
                for item, ticked in zip(params.items, answers, strict=False)
            ),
            by=account(),
            note=said.note,
        )
        return _judged(found)


def _before(last: Outcome | None) -> dict[str, Ticked]:
    """What was said of each item the last time."""
    given = [evidence for evidence in (last.evidence if last else ()) if isinstance(evidence, ListAnswers)]
    return {item.item: Ticked(item.answer, item.reason) for answers in given for item in answers.items}


def _judged(found: ListAnswers) -> Outcome:
    for tick, symptom, remedy in (
        (Tick.NO, "said no", "Look at the reasons; go on only when they are out of the way."),
        (Tick.NOT_YET, "not yet", "Wait for them, then run this step again: what was said is kept."),
    ):
        if those := found.those(tick):
            names = ", ".join(item.item for item in those[:5]) + (f" and {len(those) - 5} more" if those[5:] else "")
            return Outcome.failed(f"{found.progress}; {tick}: {names}", found, symptom=symptom, remedy=remedy)
    return Outcome.passed(f"all {len(found.items)} done" if len(found.items) > 1 else "done", found)
