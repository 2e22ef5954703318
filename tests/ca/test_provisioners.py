"""The check `ca.provisioners`: exactly those expected, by type and name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from checks.ca.provisioner_list import Provisioners, compare
from checks.ca.provisioners import Provisioner
from checks.evidence.ca import Listed, ProvisionersListed
from runbook.outcome import Verdict
from tests.ca.conftest import Stage
from tests.ca.rogue import as_json
from tests.ca.step_ca_lab import SIX, URL, StepCa
from tests.stand_in import StandIn


async def test_the_six_of_a_real_authority(step_ca: StepCa, context: StandIn) -> None:
    outcome = await context.run(Provisioners, **step_ca.asked, expect=list(SIX))
    assert outcome.verdict is Verdict.PASSED, outcome
    listed = outcome.evidence[0]
    assert isinstance(listed, ProvisionersListed)
    assert (listed.found, listed.expected) == (6, 6)


@pytest.mark.parametrize(
    ("expect", "symptom", "named"),
    [
        (SIX[:5], "surplus", "sshpop"),
        ((*SIX, {"type": "X5C", "name": "seventh"}), "missing", "seventh"),
        ((*SIX[:4], {"type": "JWK", "name": "acme"}, SIX[5]), "wrong type", "acme"),
        ((*SIX[:5], {"type": "SSHPOP", "name": "SSHPOP"}), "missing", "SSHPOP"),
    ],
)
async def test_five_seven_and_others(step_ca: StepCa, context: StandIn, expect: Any, symptom: str, named: str) -> None:
    outcome = await context.run(Provisioners, **step_ca.asked, expect=list(expect))
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert named in outcome.summary
    listed = outcome.evidence[0]
    assert isinstance(listed, ProvisionersListed)
    assert named in {row.name for row in listed.rows if row.state is not Listed.EXPECTED}


async def test_all_pages_are_read(stage: Stage, context: StandIn) -> None:
    names = [f"p{number}" for number in range(250)]

    def page(first: str, _: bytes) -> bytes:
        start = int(first.partition("cursor=")[2] or 0)
        listed = [{"type": "JWK", "name": name} for name in names[start : start + 100]]
        return as_json({"provisioners": listed, "nextCursor": str(start + 100) if start < 200 else ""})

    server = stage.serve(page)
    asked = {"url": URL, "connect": server.connect, "trust": str(stage.root_file)}
    expect = [{"type": "JWK", "name": name} for name in names]
    assert (await context.run(Provisioners, **asked, expect=expect)).verdict is Verdict.PASSED
    assert len(server.requests) == 3
    less = await context.run(Provisioners, **asked, expect=expect[:-1])
    assert less.symptom == "surplus"


_NAMES = st.sampled_from(["a", "b", "c", "d"])
_TYPES = st.sampled_from(["JWK", "ACME"])


@given(
    st.dictionaries(_NAMES, _TYPES, min_size=1),
    st.lists(st.tuples(_TYPES, _NAMES), max_size=6),
)
def test_nothing_is_counted_twice_and_nothing_left_out(expect: dict[str, str], found: list[tuple[str, str]]) -> None:
    rows = compare(
        Provisioners.Params.model_validate(
            {"url": URL, "expect": [{"type": type_, "name": name} for name, type_ in expect.items()]}
        ).expect,  # type: ignore[attr-defined]
        tuple(Provisioner(type_, name) for type_, name in found),
    )
    there = Counter((row.type, row.name) for row in rows if row.state is not Listed.MISSING)
    assert there == Counter(found)
    exact = Counter(found) == Counter((type_, name) for name, type_ in expect.items())
    assert all(row.state is Listed.EXPECTED for row in rows) == exact
    for (name, type_), row in zip(expect.items(), rows, strict=False):
        named = {other for other, its in found if its == name}
        state = Listed.EXPECTED if type_ in named else Listed.WRONG_TYPE if named else Listed.MISSING
        assert (row.name, row.state) == (name, state)
    assert all(row.state is Listed.SURPLUS for row in rows[len(expect) :])


@pytest.mark.parametrize("expect", [[], [{"type": "JWK", "name": "a"}, {"type": "ACME", "name": "a"}], [{"name": "a"}]])
def test_parameters(expect: Any) -> None:
    with pytest.raises(ValidationError):
        Provisioners.Params.model_validate({"url": URL, "expect": expect})
