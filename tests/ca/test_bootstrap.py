"""The check `ca.bootstrap`: what a member of the test cohort would get, and what must stop them."""

from __future__ import annotations

from typing import Any

import pytest

from checks.ca.bootstrap import Bootstrap
from checks.evidence.ca import BootstrapSeen
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.ca.conftest import Stage
from tests.ca.pki import Pair, make, make_intermediate, make_root
from tests.ca.rogue import Rogue, answer, as_json
from tests.ca.step_ca_lab import NAME, URL, StepCa
from tests.stand_in import StandIn

WELL = as_json({"status": "ok"})


def authority(stage: Stage, root: Pair, health: bytes = WELL, leaf: Pair | None = None, *above: Pair) -> Rogue:
    """Gives that root to whoever asks for any."""
    replies = {"GET /health": health}
    return stage.serve(lambda first, _: replies.get(first, as_json({"ca": root.pem.decode()})), *_chain(leaf, above))


def _chain(leaf: Pair | None, above: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return (leaf, *above) if leaf is not None else ()


async def bootstrap(context: StandIn, server: Rogue | StepCa, fingerprint: str, **more: Any) -> Outcome:
    return await context.run(Bootstrap, url=URL, connect=server.connect, fingerprint=fingerprint, **more)


def seen(outcome: Outcome) -> BootstrapSeen:
    evidence = outcome.evidence[0]
    assert isinstance(evidence, BootstrapSeen)
    return evidence


async def test_a_real_authority(step_ca: StepCa, context: StandIn) -> None:
    spelled = ":".join(step_ca.root.fingerprint.upper()[at : at + 2] for at in range(0, 64, 2))
    outcome = await bootstrap(context, step_ca, spelled)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert seen(outcome).subject == "CN=Test Root CA"
    assert all(one.holds for one in seen(outcome).statements)
    assert [(link.role, link.problem) for link in seen(outcome).chain] == [
        ("server", ""),
        ("intermediate", ""),
        ("root", ""),
    ]


async def test_a_real_authority_with_another_root(step_ca: StepCa, context: StandIn) -> None:
    outcome = await bootstrap(context, step_ca, make_root().fingerprint)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "another root")
    assert "Stop" in outcome.remedy


async def test_another_root_is_given(stage: Stage, context: StandIn) -> None:
    other = make_root()
    # Whoever answers is certified by the root that they give: everything fits but the fingerprint.
    server = authority(stage, other, WELL, stage.leaf(issuer=other))
    outcome = await bootstrap(context, server, stage.root.fingerprint)
    assert outcome.symptom == "another root"
    pair = seen(outcome).pair
    assert pair is not None
    assert (pair.left, pair.right) == (stage.root.fingerprint, other.fingerprint)
    assert not seen(outcome).right


async def test_somebody_passes_the_right_root_on(stage: Stage, context: StandIn) -> None:
    """The root is public: whoever sits between gives it out, and is not certified by it."""
    middle = make_intermediate(make_root())
    server = authority(stage, stage.root, WELL, stage.leaf(issuer=middle), middle)
    outcome = await bootstrap(context, server, stage.root.fingerprint)
    assert outcome.symptom == "another root"
    assert "Stop" in outcome.remedy
    wrong = {link.role: link.problem for link in seen(outcome).chain if link.problem}
    assert wrong == {"intermediate": f"not signed by {seen(outcome).subject}"}, "told where the way breaks off"
    assert [first for first, _ in server.requests] == [f"GET /root/{stage.root.fingerprint}"]


async def test_a_proxy_with_a_certificate_of_a_public_authority(
    stage: Stage, context: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = make_root("A public CA")
    file, _ = public.write(stage.folder, "public")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    server = authority(stage, stage.root, WELL, stage.leaf(issuer=public))
    outcome = await bootstrap(context, server, stage.root.fingerprint)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "public certificate")
    assert "unknown authority" in outcome.summary


async def test_another_name(stage: Stage, context: StandIn) -> None:
    leaf = stage.leaf("other.example.org")
    server = authority(stage, stage.root, WELL, leaf, stage.intermediate)
    outcome = await bootstrap(context, server, stage.root.fingerprint)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "another name")


@pytest.mark.parametrize("kind", ["a server's", "signed by another", "expired"])
async def test_a_root_that_is_none(stage: Stage, context: StandIn, kind: str) -> None:
    now = stage.root.certificate.not_valid_before_utc
    root = {
        "a server's": make(NAME, sans=(NAME,)),
        "signed by another": stage.intermediate,
        "expired": make("Old", path_length=1, start=now.replace(year=2020), end=now.replace(year=2021)),
    }[kind]
    outcome = await bootstrap(context, authority(stage, root), root.fingerprint)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "no CA")


@pytest.mark.parametrize(
    ("health", "symptom"),
    [
        (as_json({"status": "bad"}), "unhealthy"),
        (as_json(["ok"]), "unhealthy"),
        (as_json({"status": "ok"}, 503), "status"),
        (answer(200, b"ok"), "not JSON"),
        (b"", "broken answer"),
    ],
)
async def test_it_is_not_well(stage: Stage, context: StandIn, health: bytes, symptom: str) -> None:
    outcome = await bootstrap(context, authority(stage, stage.root, health), stage.root.fingerprint)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)


@pytest.mark.parametrize(
    ("said", "symptom"),
    [
        (as_json({"ca": "garbage"}), "not JSON"),
        (as_json({"ca": make_root().key_pem.decode()}), "not JSON"),
        (as_json({"ca": 1}), "not JSON"),
        (as_json([]), "not JSON"),
        (answer(500, b""), "status"),
        (answer(302, b"", "Location: https://elsewhere.example.org"), "redirect"),
    ],
)
async def test_no_root_at_all(stage: Stage, context: StandIn, said: bytes, symptom: str) -> None:
    with pytest.raises(StepError) as caught:
        await bootstrap(context, stage.serve(lambda *_: said), stage.root.fingerprint)
    assert caught.value.symptom == symptom


@pytest.mark.parametrize("given", ["", "ab", "ab" * 20, f"{'ab' * 32} {'cd' * 32}"])
async def test_no_fingerprint(stage: Stage, context: StandIn, given: str) -> None:
    server = authority(stage, stage.root)
    with pytest.raises((StepError, ValueError)):
        await bootstrap(context, server, given)
    assert not server.requests
