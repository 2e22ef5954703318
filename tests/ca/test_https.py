"""The check `https`: a status, statements about JSON, and who answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from checks.ca.https import Https
from checks.evidence.ca import ServerAnswer
from checks.evidence.documents import DocumentJudged, Said
from runbook.errors import StepError
from runbook.outcome import Verdict
from tests.ca.conftest import Stage
from tests.ca.pki import make_root
from tests.ca.rogue import Rogue, answer, as_json
from tests.ca.step_ca_lab import URL, StepCa
from tests.stand_in import StandIn

ISSUER = {"at": "issuer", "equals": "https://auth.example.org"}


def to(stage: Stage, server: Rogue, path: str = "/x", **more: Any) -> dict[str, Any]:
    return {"url": f"{URL}{path}", "connect": server.connect, "trust": str(stage.root_file), **more}


async def test_a_real_authority_is_well(step_ca: StepCa, context: StandIn) -> None:
    asked = {**step_ca.asked, "url": f"{URL}/health"}
    outcome = await context.run(Https, **asked, expect=[{"at": "status", "equals": "ok"}])
    assert outcome.verdict is Verdict.PASSED, outcome
    seen, judged = outcome.evidence
    assert isinstance(seen, ServerAnswer)
    assert seen.status == "200 OK"
    assert seen.tls.startswith("TLSv1.3, ")
    assert seen.issuer == "CN=Test Intermediate CA"
    assert seen.trusting == "root_ca.crt"
    assert [link.role for link in seen.chain] == ["server", "intermediate", "root"]
    assert [link.problem for link in seen.chain] == ["", "", ""]
    assert (seen.chain[0].sha256, seen.chain[-1].sha256) == (seen.sha256, step_ca.root.fingerprint)
    assert isinstance(judged, DocumentJudged)
    outcome = await context.run(Https, **{**asked, "url": f"{URL}/nothing"}, status=404)
    assert outcome.verdict is Verdict.PASSED, outcome


async def test_without_the_root_a_private_authority_is_not_believed(step_ca: StepCa, context: StandIn) -> None:
    with pytest.raises(StepError) as caught:
        await context.run(Https, url=f"{URL}/health", connect=step_ca.connect)
    assert caught.value.symptom == "another root"


@pytest.mark.parametrize(
    ("said", "verdict", "symptom"),
    [
        ({"issuer": "https://auth.example.org"}, Verdict.PASSED, ""),
        ({"issuer": "https://auth.example.org/"}, Verdict.FAILED, "value"),
        ({"issuer": "http://auth.example.org"}, Verdict.FAILED, "value"),
        ({"issuer": None}, Verdict.FAILED, "absent"),
        ({"issuer": ["https://auth.example.org"]}, Verdict.FAILED, "value"),
        ([], Verdict.FAILED, "absent"),
    ],
    ids=str,
)
async def test_the_issuer_must_be_exact(
    stage: Stage, context: StandIn, said: Any, verdict: Verdict, symptom: str
) -> None:
    server = stage.serve(lambda *_: as_json(said))
    outcome = await context.run(Https, **to(stage, server, expect=[ISSUER]))
    assert (outcome.verdict, outcome.symptom) == (verdict, symptom)


async def test_every_statement_is_judged_and_the_place_is_told(stage: Stage, context: StandIn) -> None:
    server = stage.serve(lambda *_: answer(200, b'{\n  "a": 1,\n  "b": 2\n}'))
    expect = [{"at": "a", "equals": 1}, {"at": "b", "equals": 3}, {"at": "c", "present": True}]
    outcome = await context.run(Https, **to(stage, server, expect=expect))
    judged = outcome.evidence[1]
    assert isinstance(judged, DocumentJudged)
    assert [(one.line, one.column) for one in judged.those(Said.WRONG)] == [(3, 8), (1, 1)]
    assert judged.those(Said.WRONG)[0].excerpt == '  "b": 2'
    assert "b is 2, expected 3" in outcome.summary


async def test_what_looks_like_a_secret_is_not_shown(stage: Stage, context: StandIn) -> None:
    server = stage.serve(lambda *_: as_json({"client_secret": "hunter2-hunter2"}))
    outcome = await context.run(Https, **to(stage, server, expect=[{"at": "client_secret", "equals": "x"}]))
    assert outcome.verdict is Verdict.FAILED
    assert "hunter2" not in "\n".join(line for one in outcome.evidence for line in one.plain()) + outcome.summary


@pytest.mark.parametrize(
    ("status", "header", "symptom"),
    [(301, f"Location: {URL}/elsewhere", "redirect"), (204, "X: y", "status"), (503, "X: y", "status")],
)
async def test_another_status(stage: Stage, context: StandIn, status: int, header: str, symptom: str) -> None:
    server = stage.serve(lambda *_: answer(status, b"", header))
    outcome = await context.run(Https, **to(stage, server))
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert "expected 200" in outcome.summary
    expected = await context.run(Https, **to(stage, server, status=status))
    assert expected.verdict is Verdict.PASSED


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"\xff", b'{"issuer": 1, "issuer": 2}', b"[" * 90_000])
async def test_what_is_no_json(stage: Stage, context: StandIn, body: bytes) -> None:
    with pytest.raises(StepError) as caught:
        await context.run(Https, **to(stage, stage.serve(lambda *_: answer(200, body)), expect=[ISSUER]))
    assert caught.value.symptom == "not JSON"


async def test_a_stranger_is_asked_nothing(stage: Stage, context: StandIn) -> None:
    server = stage.serve(lambda *_: as_json({}), stage.leaf(issuer=make_root()))
    with pytest.raises(StepError) as caught:
        await context.run(Https, **to(stage, server))
    assert caught.value.symptom == "another root"
    assert not server.requests


async def test_foreign_words_are_harmless(stage: Stage, context: StandIn) -> None:
    server = stage.serve(lambda *_: as_json({"issuer": "\x1b]0;x\x07[bold]", "message": "\u202e"}))
    outcome = await context.run(Https, **to(stage, server, expect=[ISSUER]))
    text = outcome.summary + "".join(line for one in outcome.evidence for line in one.plain())
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "wrong",
    [{"url": "http://x"}, {"connect": "nowhere"}, {"status": 20}, {"expect": [{"at": "a"}]}, {"surplus": 1}],
    ids=str,
)
def test_parameters(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Https.Params.model_validate({"url": URL, **wrong})


def test_what_it_will_do() -> None:
    given = {"url": f"{URL}/health", "connect": "127.0.0.1:9", "expect": [ISSUER]}
    plan = Https(Https.Params.model_validate(given)).plan()
    assert plan == (
        f"GET {URL}/health: 200",
        "  reached at 127.0.0.1:9",
        "  trusting the roots of this machine",
        "  issuer",
    )
