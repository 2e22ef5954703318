"""The check `slots`: which tokens are there, and is the one meant among them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from checks.evidence.slots import SlotInfo, SlotTable, TokenInfo
from checks.hsm.errors import SYMPTOMS
from runbook.fields import Model
from runbook.kind import Check, Params, TokenName
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from checks.hsm.token import Survey
    from runbook.context import Context


class SlotExpect(Model):
    """What must be seen."""

    count: int = Field(1, ge=1, description="Initialised tokens in all slots of the module.", examples=[1])
    label: str = Field(
        "", description="CK_TOKEN_INFO.label; `x` also matches OpenSC's `x (UserPIN)`.", examples=["intermediate"]
    )
    serial: str = Field(
        "", description="CK_TOKEN_INFO.serialNumber; capital and small letters count.", examples=["{{ hsm_serial }}"]
    )


class SlotParams(Params):
    """What `slots` takes."""

    token: TokenName
    expect: SlotExpect = Field(
        SlotExpect(),
        description="What must be seen in the slots.",
        examples=[{"count": 1, "serial": "{{ hsm_serial }}"}],
    )


class Slots(Check[SlotParams]):
    """Exactly the expected tokens are there, and the one meant shows its label and serial (playbook §A1).

    The token is found by the serial and label of the site profile, never by its slot. Needs no PIN.
    """

    name = "slots"
    Params = SlotParams
    evidence = (SlotTable,)
    symptoms = SYMPTOMS
    loads = ("checks.hsm.pool",)

    async def run(self, ctx: Context) -> Outcome:
        from checks.hsm.pool import use_token

        token = await use_token(ctx, self.params.token)
        survey = await token.survey()
        problems = list(self._problems(survey))
        table = SlotTable(
            module=token.module,
            slots=survey.slots,
            expected_label=self.params.expect.label or token.wanted.label,
            expected_serial=self.params.expect.serial or token.wanted.serial,
            selected=survey.selected.slot_id if survey.selected else None,
            problems=tuple(sentence for _, sentence in problems),
        )
        if not problems and survey.selected and survey.selected.token:
            return Outcome.passed(f"{survey.selected.token.name} is there", table)
        symptom, sentence = problems[0]
        remedy = survey.problem.remedy if survey.problem else ""
        return Outcome.failed(sentence, table, symptom=symptom, remedy=remedy)

    def _problems(self, survey: Survey) -> Iterator[tuple[str, str]]:
        """Symptom and sentence of each difference, the weightiest first."""
        if survey.problem:
            yield survey.problem.symptom, survey.problem.what
        elif survey.selected and survey.selected.token:
            yield from self._differences(survey.selected.token)
        yield from self._miscounted(survey.slots)

    def _differences(self, found: TokenInfo) -> Iterator[tuple[str, str]]:
        from checks.hsm.selection import label_matches

        expect = self.params.expect
        if expect.serial and found.serial != expect.serial:
            yield "wrong serial", f"the serial is {found.serial}, expected {expect.serial}"
        if expect.label and not label_matches(expect.label, found.label):
            yield "wrong label", f"the label is {found.label}, expected {expect.label}"

    def _miscounted(self, slots: tuple[SlotInfo, ...]) -> Iterator[tuple[str, str]]:
        there = [slot.token for slot in slots if slot.token and slot.token.initialised]
        count = self.params.expect.count
        if len(there) > count:
            names = ", ".join(token.name for token in there)
            yield "two tokens", f"{len(there)} initialised tokens are there, expected {count}: {names}"
        elif there and len(there) < count:
            yield "no token", f"only {len(there)} of {count} expected tokens are there"
