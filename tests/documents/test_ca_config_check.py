"""The check `ca_config`: the token itself, and the spellings of PKCS#11 URIs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.documents import ca_uri
from checks.documents.json_tree import parse_json
from checks.documents.places import Places
from checks.evidence.documents import Said
from runbook.outcome import Verdict
from runbook.site import Site
from tests.documents.site_files import INPUTS, REGISTRY, SERIAL, SHIPPED, SiteFiles, judged, wrong
from tests.fake_context import FakeContext
from tests.softhsm import SoftHsm

Contexts = Callable[..., FakeContext]


def site_of(hsm: SoftHsm) -> Site:
    return Site(site=1, name="test", tokens={"intermediate": hsm.profile(serial="")})


async def test_the_serial_is_the_one_of_the_token(site: SiteFiles, softhsm: SoftHsm, context: Contexts) -> None:
    serial = softhsm.serials["ccat-intermediate"]
    site.change("step-ca/ca.json.hsm", (SERIAL, serial))
    good = await site.judge("F.config", context(site_of(softhsm)), hsm_serial=serial)
    assert good.verdict is Verdict.PASSED, good.summary
    said = [finding.text for finding in judged(good).those(Said.RIGHT)]
    assert f"the serial of the token that is plugged in is {serial}, as in the file" in said


async def test_a_token_of_another_serial_is_found(site: SiteFiles, softhsm: SoftHsm, context: Contexts) -> None:
    """The file and the paper agree; another dongle is in the server."""
    serial = softhsm.serials["ccat-intermediate"]
    outcome = await site.judge("F.config", context(site_of(softhsm)))
    (finding,) = wrong(outcome)
    assert outcome.symptom == "not the token"
    assert finding.text == f"the serial of the token that is plugged in is {serial}, the file has {SERIAL}"
    assert finding.excerpt[finding.column - 1 :].startswith("serial=")


async def test_without_a_token_the_rest_is_judged(site: SiteFiles, empty_softhsm: SoftHsm, context: Contexts) -> None:
    site.change("step-ca/ca.json.hsm", ('"enableAdmin": false', '"enableAdmin": true'))
    outcome = await site.judge("F.config", context(site_of(empty_softhsm)))
    symptoms = {finding.text.split(",")[0] for finding in wrong(outcome)}
    assert len(symptoms) == 2
    assert "authority.enableAdmin is true" in symptoms
    assert outcome.symptom in ("token not initialised", "no token", "other token")


def uri(text: str) -> ca_uri.Uri:
    import json

    return ca_uri.read(Places(parse_json(json.dumps({"kms": {"uri": text}}))))


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:module-path=/m.so;serial=S?pin-source=/p",
        "pkcs11:serial=S?module-path=/m.so&pin-source=/p",
        "pkcs11:serial=S;module-path=/m.so;pin-source=/p",
        "pkcs11:serial=S;module-path=/m.so?pin-value=1234&pin-source=/p",
        "pkcs11:serial=S;module-path=/m.so?pin-source=/p&pin-value=1234",
        "pkcs11:serial=S;pin-value=1234;module-path=/m.so?pin-source=/p",
        "pkcs11:pin-value=1234;serial=S;module-path=/m.so?pin-source=/p",
        "pkcs11:serial=%53;module-path=%2Fm.so?pin-source=%2Fp",
    ],
)
def test_every_spelling_of_the_uri_is_read(text: str) -> None:
    found = uri(text)
    assert found.parsed is not None, found.findings
    assert (found.parsed.serial, found.parsed.module_path, found.parsed.pin_source) == ("S", "/m.so", "/p")
    secrets = [finding for finding in found.findings if finding.symptom == "secret in file"]
    assert len(secrets) == ("pin-value" in text)
    assert "1234" not in repr([finding.text for finding in found.findings])


@pytest.mark.parametrize("text", ["", "/dev/x", "pkcs11:serial", "pkcs11:serial=a b", "pkcs11:serial=1;serial=2"])
def test_what_is_no_uri(text: str) -> None:
    found = uri(text)
    assert found.parsed is None
    assert [finding.symptom for finding in found.findings if finding.state is Said.WRONG] == ["bad uri"]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("pkcs11:id=01", True),
        ("pkcs11:id=%01", True),
        ("pkcs11:id=%30%31", True),
        ("pkcs11:id=1", False),
        ("pkcs11:id=02", False),
    ],
)
def test_an_id_is_read_as_step_ca_does(text: str, held: bool) -> None:
    places = Places(parse_json(f'{{"key": "{text}"}}'))
    assert (ca_uri.key(places, "key", "01").state is Said.RIGHT) is held


def test_the_shipped_step_compares_paper_token_and_file() -> None:
    params = SHIPPED.step("F.config").params
    assert params["token"] == "intermediate"
    assert params["expect"]["serial"] == "{{ hsm_serial }}"
    assert INPUTS["hsm_serial"] == SERIAL


def test_every_key_has_its_reason() -> None:
    kind = REGISTRY.get(SHIPPED.step("F.config").role, "ca_config")
    expect = {**SHIPPED.step("F.config").params["expect"], "serial": SERIAL}
    made = kind.Params.model_validate({"path": "x", "expect": expect})
    reasons = [assertion.because for _, assertion in made.expect.assertions()]  # type: ignore[attr-defined]
    assert len(reasons) == 15
    assert all(reasons)
