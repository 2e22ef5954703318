"""The paper comparison: blind first, judged by the program."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from checks.artefacts.paper_fingerprint import PaperFingerprintCheck
from checks.evidence.fingerprints import PaperFingerprint
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.artefacts.conftest import Ceremony, tool
from tests.stand_in import Person, StandIn


def swapped(value: str, at: int) -> str:
    return value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1 :]


async def compare(ceremony: Ceremony, typed: str, person: Person | None = None, **params: Any) -> Outcome:
    context = StandIn(ceremony.folder, operator=person or Person(), inputs={"paper": typed})
    outcome = await context.run(PaperFingerprintCheck, file="root_ca.crt", input="paper", **params)
    assert outcome.symptom in {"", *PaperFingerprintCheck.symptoms}
    assert not context.lines
    return outcome


async def test_the_paper_agrees(ceremony: Ceremony) -> None:
    outcome = await compare(ceremony, ceremony.root_sha256)
    assert outcome.verdict is Verdict.PASSED
    found = outcome.evidence[0]
    assert isinstance(found, PaperFingerprint)
    assert (found.method, found.subject, found.pair.right) == ("blind", "CN=root,O=Test", ceremony.root_sha256)


async def test_a_der_file_has_the_same_fingerprint(ceremony: Ceremony) -> None:
    der = tool("openssl", "x509", "-in", str(ceremony["root_ca.crt"]), "-outform", "DER")
    ceremony["root_ca.crt"].write_bytes(der)
    assert (await compare(ceremony, hashlib.sha256(der).hexdigest())).verdict is Verdict.PASSED


@pytest.mark.parametrize(("at", "place"), [(0, "A1"), (21, "B2"), (63, "D4")])
async def test_one_wrong_character_is_found_and_its_place_named(ceremony: Ceremony, at: int, place: str) -> None:
    outcome = await compare(ceremony, swapped(ceremony.root_sha256, at))
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "paper differs")
    assert outcome.summary == f"paper and root_ca.crt differ in group {place}"


async def test_what_differs_stays_hidden_so_that_a_second_try_is_blind_too(ceremony: Ceremony) -> None:
    """Neither evidence nor summary nor remedy tells a character that was not typed."""
    outcome = await compare(ceremony, swapped(swapped(ceremony.root_sha256, 21), 62))
    (found,) = outcome.evidence
    assert isinstance(found, PaperFingerprint)
    real = ceremony.root_sha256
    assert found.pair.right == real[:20] + "····" + real[24:60] + "····"
    assert found.pair.different_groups == ["B2", "D4"]
    shown = "\n".join([outcome.summary, outcome.remedy, *found.plain()])
    assert real[20:24] not in shown
    assert real[60:] not in shown
    assert "a further try is as blind as this one" in shown
    assert (await compare(ceremony, real)).evidence[0].model_dump()["pair"]["right"] == real


async def test_nothing_is_shown_before_the_paper_is_typed(ceremony: Ceremony) -> None:
    class Watching(StandIn):
        async def ask_input(self, name: str) -> str:
            assert not self.lines
            assert not self.events
            assert not self.operator.asked
            return ceremony.root_sha256

    context = Watching(ceremony.folder)
    outcome = await context.run(PaperFingerprintCheck, file="root_ca.crt", input="paper")
    assert outcome.verdict is Verdict.PASSED
    assert not context.operator.asked


async def test_a_file_that_cannot_be_used_is_said_before_anyone_types(ceremony: Ceremony) -> None:
    class NobodyTypes(StandIn):
        async def ask_input(self, name: str) -> str:
            raise AssertionError("asked for the paper although there is nothing to compare it with")

    for name, symptom in (("absent", "file missing"), ("ssh_user_ca.pub", "wrong format")):
        with pytest.raises(StepError) as caught:
            await NobodyTypes(ceremony.folder).run(PaperFingerprintCheck, file=name, input="paper")
        assert caught.value.symptom == symptom


async def test_what_was_typed_is_no_fingerprint(ceremony: Ceremony) -> None:
    with pytest.raises(StepError) as caught:
        await compare(ceremony, "abc")
    assert caught.value.symptom in PaperFingerprintCheck.symptoms


@pytest.mark.parametrize(
    ("same", "sees_same", "verdict", "symptom"),
    [
        (True, True, Verdict.PASSED, ""),
        (True, False, Verdict.FAILED, "not seen as the same"),
        (False, True, Verdict.FAILED, "paper differs"),
        (False, False, Verdict.FAILED, "paper differs"),
    ],
)
async def test_comparing_by_eye_needs_both(
    ceremony: Ceremony, same: bool, sees_same: bool, verdict: Verdict, symptom: str
) -> None:
    person = Person(sees_same=sees_same)
    typed = ceremony.root_sha256 if same else swapped(ceremony.root_sha256, 5)
    outcome = await compare(ceremony, typed, person, method="compare")
    assert (outcome.verdict, outcome.symptom) == (verdict, symptom)
    (request,) = person.asked
    assert (request.left, request.right) == (typed, ceremony.root_sha256)
    assert next(iter(outcome.evidence)).model_dump()["method"] == "compared by eye"
