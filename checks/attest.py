"""A person says that something is so."""

from __future__ import annotations

import os
import pwd
from typing import ClassVar

from pydantic import Field

from checks.evidence.files import Statements
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Attestation, Params
from runbook.operator import AttestRequest
from runbook.outcome import Outcome


class AttestParams(Params):
    """What is to be confirmed."""

    statements: tuple[Line, ...] = Field(
        min_length=1,
        description="Statements, each confirmed on its own.",
        examples=[["The chassis of input-b is closed", "The paper sheet lies on the table"]],
    )


class Attest(Attestation[AttestParams]):
    """Statements that only a person can know to be true; each is confirmed on its own."""

    name = "attest"
    Params = AttestParams
    evidence = (Statements,)
    symptoms: ClassVar = {"not confirmed": "A statement was not confirmed."}

    def plan(self) -> tuple[str, ...]:
        return tuple(f"a person says: {statement}" for statement in self.params.statements)

    async def run(self, ctx: Context) -> Outcome:
        statements = self.params.statements
        answer = await ctx.operator.attest(AttestRequest(title=ctx.step_id, statements=statements))
        # One answer for each statement: anything missing is a no.
        confirmed = tuple(answer.confirmed[index : index + 1] == (True,) for index in range(len(statements)))
        found = Statements(statements=statements, confirmed=confirmed, by=account(), note=answer.note)
        refused = [statement for statement, yes in zip(statements, confirmed, strict=True) if not yes]
        if not refused:
            count = len(statements)
            return Outcome.passed("confirmed" if count == 1 else f"all {count} statements confirmed", found)
        return Outcome.failed(
            f"not confirmed: {'; '.join(refused)}",
            found,
            symptom="not confirmed",
            remedy="Go on only when it is so.",
        )


def account() -> str:
    """The account the operator works under, from the system and not from the environment."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
