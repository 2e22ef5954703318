"""One answer for each of many."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.people import ListAnswers
from checks.people.checklist import ChecklistCheck, ChecklistParams
from runbook.errors import PromptCancelled
from runbook.model import Runbook
from runbook.operator import Moment
from runbook.outcome import Outcome, Verdict
from runbook.plain.answers import Answers
from runbook.plain.scripted import ScriptedOperator
from runbook.ticking import Checklisted, ChecklistRequest, Tick, Ticked
from tests.stand_in import StandIn

YES, LATER, NO = Ticked(Tick.YES), Ticked(Tick.NOT_YET), Ticked(Tick.NO, "on leave")


@dataclass
class Answering:
    """Says what it was told to say."""

    answers: tuple[Ticked, ...]
    asked: list[ChecklistRequest] = field(default_factory=list)

    async def checklist(self, request: ChecklistRequest) -> Checklisted:
        self.asked.append(request)
        return Checklisted(self.answers, "by phone")


def found(outcome: Outcome) -> ListAnswers:
    (answers,) = outcome.evidence
    assert isinstance(answers, ListAnswers)
    return answers


async def ask(folder: Path, *answers: Ticked, last: Outcome | None = None, **params: Any) -> tuple[Outcome, Answering]:
    person = Answering(answers)
    given = {"question": "Has bootstrapped", "items": "ann, ben,carl", **params}
    return await StandIn(folder, operator=person, last=last).run(ChecklistCheck, **given), person


async def test_all_said_yes(tmp_path: Path) -> None:
    outcome, person = await ask(tmp_path, YES, YES, YES)
    assert outcome.verdict is Verdict.PASSED
    assert person.asked[0].items == ("ann", "ben", "carl")
    assert found(outcome).note == "by phone"


@pytest.mark.parametrize(
    ("answers", "symptom", "names"),
    [
        ((YES, LATER, YES), "not yet", "ben"),
        ((YES, LATER, NO), "said no", "carl"),
        ((YES, YES), "not yet", "carl"),
        ((), "not yet", "ann, ben, carl"),
    ],
)
async def test_one_that_is_not_done_keeps_it_red(
    tmp_path: Path, answers: tuple[Ticked, ...], symptom: str, names: str
) -> None:
    outcome, _ = await ask(tmp_path, *answers)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert outcome.summary.endswith(f": {names}")


async def test_what_is_not_done_comes_first(tmp_path: Path) -> None:
    outcome, _ = await ask(tmp_path, YES, LATER, NO)
    assert [item.item for item in found(outcome).sorted] == ["carl", "ben", "ann"]
    _, *lines, _ = found(outcome).plain()
    assert lines == ["[ ] carl: no, on leave", "[ ] ben: not yet", "[x] ann: yes"]


async def test_a_second_try_begins_with_what_was_said(tmp_path: Path) -> None:
    first, _ = await ask(tmp_path, YES, LATER, NO)
    _, person = await ask(tmp_path, YES, YES, YES, last=first, items=["carl", "dora", "ann"])
    assert person.asked[0].before == (NO, None, YES), "by name, not by place"


@pytest.mark.parametrize("items", ["", " ,", [], "ann,ben, ann", ["ann", "ann"]])
def test_a_list_of_nobody_or_of_one_twice(items: Any) -> None:
    with pytest.raises(ValidationError):
        ChecklistParams(question="Is it so?", items=items)


RUNBOOK = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "x",
        "title": "x",
        "stages": [
            {
                "id": "H",
                "title": "H",
                "steps": [{"id": "H1", "title": "x", "check": "checklist", "question": "q", "items": ["a"]}],
            }
        ],
    }
)


class TestAnswersFile:
    async def _say(self, attest: Any) -> Checklisted:
        operator = ScriptedOperator(Answers(answers=1, attest=attest), RUNBOOK)
        await operator.decide(Moment("H1", "x"))
        return await operator.checklist(ChecklistRequest("H1", "q", ("a", "b")))

    @pytest.mark.parametrize("attest", ["all", ("H1",)])
    async def test_it_says_yes_to_each(self, attest: Any) -> None:
        assert (await self._say(attest)).answers == (YES, YES)

    async def test_without_leave_it_says_nothing(self) -> None:
        with pytest.raises(PromptCancelled, match=r"attest: \[H1\]"):
            await self._say(("H2",))
