"""The provisioners of an authority, by type and name (playbook §G6)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from checks.ca.errors import SYMPTOMS as SERVER_SYMPTOMS
from checks.ca.server import ServerParams, client_of
from checks.evidence.ca import Listed, ProvisionerRow, ProvisionersListed
from runbook.context import Context
from runbook.fields import Line, Model
from runbook.kind import Check
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from checks.ca.provisioners import Provisioner

_WRONG = (Listed.MISSING, Listed.WRONG_TYPE, Listed.SURPLUS)
"""The weightiest first."""


class Expected(Model):
    """One provisioner that must be there."""

    type: Line = Field(
        description="As the authority calls it: `JWK`, `OIDC`, `ACME`, `SSHPOP`, `X5C` …", examples=["JWK"]
    )
    name: Line = Field(description="Its name, exactly.", examples=["admin"])


class ProvisionersParams(ServerParams):
    """Which authority, and whom it must have."""

    expect: tuple[Expected, ...] = Field(
        min_length=1,
        description="All of them; what is not named must not be there.",
        examples=[[{"type": "JWK", "name": "admin"}, {"type": "SSHPOP", "name": "sshpop"}]],
    )

    @field_validator("expect")
    @classmethod
    def _once(cls, expect: tuple[Expected, ...]) -> tuple[Expected, ...]:
        twice = [name for name, count in Counter(one.name for one in expect).items() if count > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)}: given more than once")
        return expect


class Provisioners(Check[ProvisionersParams]):
    """A step-ca has exactly the provisioners expected, by type and name, as it tells its clients over HTTPS.

    It is what the running authority knows, not what its configuration says: that is read when it starts.
    """

    name = "ca.provisioners"
    Params = ProvisionersParams
    evidence = (ProvisionersListed,)
    symptoms: ClassVar = {
        **SERVER_SYMPTOMS,
        "missing": "A provisioner that must be there is not.",
        "surplus": "There is a provisioner that must not be there.",
        "wrong type": "A provisioner is of another type than expected.",
    }
    loads = ("checks.ca.client",)

    def plan(self) -> tuple[str, ...]:
        wanted = (f"  {one.type} {one.name}" for one in self.params.expect)
        return (f"ask {self.params.url} for its provisioners", *self.params.shown, *wanted)

    async def run(self, ctx: Context) -> Outcome:
        from checks.ca.provisioners import provisioners

        client = await client_of(self.params, ctx)
        found = await provisioners(client)
        rows = compare(self.params.expect, found)
        listed = ProvisionersListed(server=client.where, found=len(found), expected=len(self.params.expect), rows=rows)
        if listed.right:
            return Outcome.passed(f"exactly the {len(rows)} provisioners expected", listed)
        by_state = {state: [row.name for row in rows if row.state is state] for state in _WRONG}
        wrong = [(state, names) for state, names in by_state.items() if names]
        said = "; ".join(f"{state.value}: {', '.join(names)}" for state, names in wrong)
        return Outcome.failed(
            f"{len(found)} provisioners where {len(self.params.expect)} are expected; {said}",
            listed,
            symptom=wrong[0][0].value,
        )


def compare(expect: tuple[Expected, ...], found: tuple[Provisioner, ...]) -> tuple[ProvisionerRow, ...]:
    """Those expected, each with what was found of it, then those that nobody expects."""
    rows, left = [], list(found)
    for one in expect:
        named = [other for other in left if other.name == one.name]
        exact = [other for other in named if other.type == one.type]
        other = next(iter(exact or named), None)
        if other is not None:
            left.remove(other)
        state = Listed.MISSING if other is None else Listed.EXPECTED if exact else Listed.WRONG_TYPE
        rows.append(
            ProvisionerRow(
                type=one.type if other is None else other.type,
                name=one.name,
                state=state,
                expected=one.type if state is Listed.WRONG_TYPE else "",
            )
        )
    surplus = (ProvisionerRow(type=other.type, name=other.name, state=Listed.SURPLUS) for other in left)
    return (*rows, *surplus)
