"""The check `ca.certificate`: a certificate as a proof, from a real step-ca and from authorities that are not right."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from pydantic import ValidationError

from checks.ca.certificate import Certificate
from checks.ca.jwk import MOST_ROUNDS
from checks.evidence.ca import CertificateIssued
from runbook.errors import StepError
from runbook.outcome import Verdict
from tests.ca.conftest import Person, Stage
from tests.ca.pki import HOUR, make, make_intermediate, make_root
from tests.ca.rogue import answer, as_json
from tests.ca.rogue_authority import NAME, Authority
from tests.ca.step_ca_lab import PASSWORD, URL, StepCa, encrypted, jwk_provisioner
from tests.stand_in import StandIn

Make = Callable[[Authority, x509.CertificateSigningRequest], Any]
KEYS: Mapping[str, Callable[[], Key]] = {
    "P-256": lambda: ECKey.generate_key("P-256"),
    "P-384": lambda: ECKey.generate_key("P-384"),
    "P-521": lambda: ECKey.generate_key("P-521"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
    "RSA": lambda: RSAKey.generate_key(2048),
}
DAY = dt.timedelta(days=1)


def real(ca: StepCa, **more: Any) -> dict[str, Any]:
    files = {"root": str(ca.root_file), "intermediate": str(ca.intermediate_file)}
    return {**ca.asked, **files, "provisioner": NAME, **more}


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


async def symptom(context: StandIn, **params: Any) -> tuple[str, str]:
    """How it ends: the symptom, and every word of it."""
    try:
        outcome = await context.run(Certificate, **params)
    except StepError as error:
        return error.symptom, str(error)
    assert outcome.verdict is Verdict.FAILED, outcome
    return outcome.symptom, outcome.summary


async def test_a_real_authority(step_ca: StepCa, context: StandIn, tmp_path: Path) -> None:
    outcome = await context.run(Certificate, **real(step_ca, subject="proof.example.org", minutes=7))
    assert outcome.verdict is Verdict.PASSED, outcome
    issued = outcome.evidence[0]
    assert isinstance(issued, CertificateIssued)
    assert issued.names == ("proof.example.org",)
    assert issued.serial in outcome.summary
    assert issued.openssl[-1] == "issued.pem: OK"
    assert len(issued.statements) == 9
    kept = next(path for path in context.folder.rglob("*") if path.is_file())
    # What is kept can be judged by anybody.
    ours = openssl("x509", "-in", kept, "-noout", "-serial", "-issuer")
    assert f"serial={issued.serial}" in ours
    assert "issuer=CN = Test Intermediate CA" in ours
    files = ("-CAfile", step_ca.root_file, "-untrusted", step_ca.intermediate_file)
    assert openssl("verify", *files, kept).endswith("OK\n")
    lasts = dt.datetime.fromisoformat(issued.ends) - dt.datetime.now(dt.UTC)
    assert lasts < dt.timedelta(minutes=8)
    # The password is known to the record, which leaves it out, and is wiped.
    assert context.redactor.finds(f"x{PASSWORD}x")
    with pytest.raises(ValueError, match="wiped"):
        context.operator.given[0].reveal()


async def test_the_password_opens_nothing_else(step_ca: StepCa, context: StandIn) -> None:
    said = await symptom(context, **real(step_ca, provisioner="acme"))
    assert said[0] == "no provisioner"
    assert not context.operator.asked


@pytest.mark.parametrize("typed", ["wrong Otter", " " + PASSWORD, PASSWORD.upper(), "x" * 5000, "\N{SNOWMAN}"])
async def test_a_wrong_password_is_tried_once_and_told_to_nobody(step_ca: StepCa, context: StandIn, typed: str) -> None:
    context.operator = Person(typed)
    signed = step_ca.log.count('"path":"/1.0/sign"')
    kind, said = await symptom(context, **real(step_ca))
    assert kind == "wrong password"
    assert typed not in said
    assert len(context.operator.asked) == 1
    assert len(context.operator.given[0]) == 0
    assert step_ca.log.count('"path":"/1.0/sign"') == signed
    assert not context.events


async def test_nothing_typed(step_ca: StepCa, context: StandIn) -> None:
    context.operator = Person("")
    assert (await symptom(context, **real(step_ca)))[0] == "wrong password"


async def test_the_token_says_what_it_is_for_and_for_how_long(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    assert (await context.run(Certificate, **authority.asked)).verdict is Verdict.PASSED
    claims = authority.claims()
    assert claims["iss"] == NAME
    assert claims["sub"] == "proof.test"
    assert claims["sans"] == ["proof.test"]
    assert claims["aud"] == f"{URL}/1.0/sign"
    assert claims["sha"] == stage.root.fingerprint
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert (await context_again(context).run(Certificate, **authority.asked)).verdict is Verdict.PASSED
    assert authority.claims()["jti"] != claims["jti"]


def context_again(context: StandIn) -> StandIn:
    context.operator = Person()
    return context


def _at(start: dt.timedelta, end: dt.timedelta) -> Make:
    def issue(authority: Authority, csr: x509.CertificateSigningRequest) -> Any:
        now = dt.datetime.now(dt.UTC)
        return authority.right(csr, start=now + start, end=now + end)

    return issue


def _from_other(authority: Authority, csr: x509.CertificateSigningRequest) -> Any:
    """By an intermediate of the same name under the same root."""
    return authority.right(csr, make_intermediate(authority.stage.root))


def _dressed(authority: Authority, csr: x509.CertificateSigningRequest) -> Any:
    """By another key, with the right intermediate sent along."""
    given = authority.right(csr, make_intermediate(authority.stage.root))
    pem = authority.stage.intermediate.pem.decode()
    return {**given, "ca": pem, "certChain": [given["crt"], pem]}


def _reissued(authority: Authority, csr: x509.CertificateSigningRequest) -> Any:
    """By the right key, with another certificate of the intermediate."""
    stage = authority.stage
    again = make("Test Intermediate CA", stage.root, path_length=0, key=stage.intermediate.key)
    return authority.right(csr, again)


def _old(authority: Authority, csr: x509.CertificateSigningRequest) -> Any:
    """As versions answered that knew no `certChain`."""
    given = authority.right(csr)
    return {"crt": given["crt"], "ca": given["ca"]}


WRONG: Mapping[str, tuple[str, Make]] = {
    "another key": ("wrong certificate", lambda a, csr: a.right(csr, public_key=None)),
    "another name": ("wrong certificate", lambda a, csr: a.right(csr, sans=("other.test",))),
    "one name more": ("wrong certificate", lambda a, csr: a.right(csr, sans=("proof.test", "ca.example.org"))),
    "any name": ("wrong certificate", lambda a, csr: a.right(csr, sans=("*.test",))),
    "no name": ("wrong certificate", lambda a, csr: a.right(csr, sans=())),
    "a CA's": ("wrong certificate", lambda a, csr: a.right(csr, path_length=0)),
    "expired": ("not valid", _at(-2 * DAY, -DAY)),
    "not yet": ("not valid", _at(HOUR, DAY)),
    "another intermediate": ("another intermediate", _from_other),
    "another key behind it": ("another intermediate", _dressed),
    "another certificate of it": ("another intermediate", _reissued),
    "the root itself": ("another intermediate", lambda a, csr: a.right(csr, a.stage.root)),
    "another root": ("another intermediate", lambda a, csr: a.right(csr, make_intermediate(make_root()))),
}


@pytest.mark.parametrize("how", list(WRONG))
async def test_a_certificate_that_is_not_what_was_asked_for(stage: Stage, context: StandIn, how: str) -> None:
    expected, issue = WRONG[how]
    authority = Authority(stage)
    authority.issue = lambda csr: issue(authority, csr)
    assert (await symptom(context, **authority.asked))[0] == expected


async def test_an_answer_of_old(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    authority.issue = lambda csr: _old(authority, csr)
    assert (await context.run(Certificate, **authority.asked)).verdict is Verdict.PASSED


async def test_an_intermediate_that_this_root_did_not_sign(
    stage: Stage, context: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files themselves do not fit: openssl says so too, although the machine trusts the real root."""
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    stage.root.write(trusted, "root")
    openssl("rehash", trusted)
    monkeypatch.setenv("SSL_CERT_DIR", str(trusted))
    (tmp_path / "other").mkdir()
    file, _ = make_root().write(tmp_path / "other", "root_ca")
    outcome = await context.run(Certificate, **{**Authority(stage).asked, "root": str(file)})
    assert outcome.verdict is Verdict.FAILED
    assert outcome.symptom == "no chain"
    issued = outcome.evidence[0]
    assert isinstance(issued, CertificateIssued)
    false = [one.text for one in issued.statements if not one.holds]
    assert len(false) == 3
    assert "openssl verify refuses it" in false[2]


async def test_an_expired_intermediate(stage: Stage, context: StandIn, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    old = make("Test Intermediate CA", stage.root, path_length=0, key=stage.intermediate.key, start=now - DAY, end=now)
    (tmp_path / "old").mkdir()
    file, _ = old.write(tmp_path / "old", "intermediate_ca")
    authority = Authority(stage)
    authority.issue = lambda csr: authority.right(csr, old)
    kind, said = await symptom(context, **{**authority.asked, "intermediate": str(file)})
    assert kind == "no chain"
    assert "expired" in said


BAD_ANSWERS: Mapping[str, Any] = {
    "nothing": {},
    "a list": [],
    "no chain": {"crt": "x"},
    "garbage": {"crt": "garbage", "ca": "garbage", "certChain": ["garbage", "garbage"]},
    "numbers": {"certChain": [1, 2]},
    "a private key": {"certChain": [make_root().key_pem.decode()] * 2},
    "very many": {"certChain": ["x"] * 1000},
}


@pytest.mark.parametrize("how", list(BAD_ANSWERS))
async def test_what_is_no_certificate(stage: Stage, context: StandIn, how: str) -> None:
    authority = Authority(stage)
    authority.issue = lambda _: BAD_ANSWERS[how]
    assert (await symptom(context, **authority.asked))[0] == "not JSON"


@pytest.mark.parametrize(
    ("status", "expected"), [(401, "refused"), (403, "refused"), (400, "refused"), (500, "status")]
)
async def test_a_token_that_is_refused(stage: Stage, context: StandIn, status: int, expected: str) -> None:
    authority = Authority(stage)
    authority.replies["POST /1.0/sign"] = as_json({"status": status, "message": "no such thing"}, status)
    kind, said = await symptom(context, **authority.asked)
    assert kind == expected
    assert "no such thing" in said


async def test_a_real_authority_refuses_a_token_for_another_host(step_ca: StepCa, context: StandIn) -> None:
    """`localhost` is one of its names for TLS; a URL that is none is refused where its certificate is checked."""
    kind, _ = await symptom(context, **real(step_ca, url="https://elsewhere.example.org"))
    assert kind == "another name"
    kind, said = await symptom(context_again(context), **real(step_ca, minutes=60 * 24 * 30))
    assert kind == "refused"
    assert PASSWORD not in said


async def test_an_encrypted_key_that_is_kept_elsewhere(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    kid = authority.provisioner["key"]["kid"]
    jwe = authority.provisioner.pop("encryptedKey")
    assert (await symptom(context, **authority.asked))[0] == "no encrypted key"
    assert not context.operator.asked
    authority.replies[f"GET /provisioners/{kid}/encrypted-key"] = as_json({"key": jwe})
    assert (await context.run(Certificate, **authority.asked)).verdict is Verdict.PASSED


def _with_header(jwe: str, **changes: Any) -> str:
    head, _, rest = jwe.partition(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    new = json.dumps({**header, **changes}).encode()
    return base64.urlsafe_b64encode(new).decode().rstrip("=") + "." + rest


NO_KEYS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "empty": ("no encrypted key", lambda _: ""),
    "garbage": ("unusable key", lambda _: "garbage"),
    "five parts": ("unusable key", lambda _: "a.b.c.d.e"),
    "no header": ("unusable key", lambda _: ".".join(["e30"] * 5)),
    "without an end": ("unusable key", lambda jwe: f"{'x' * 100_000}.{jwe.partition('.')[2]}"),
    "cut short": ("unusable key", lambda jwe: jwe[:-4]),
    "rounds for hours": ("unusable key", lambda jwe: _with_header(jwe, p2c=MOST_ROUNDS + 1)),
    "changed": ("wrong password", lambda jwe: jwe.replace(jwe[-60:-50], "AAAAAAAAAA")),
    "no rounds": ("unusable key", lambda jwe: _with_header(jwe, p2c=0)),
    "no number": ("unusable key", lambda jwe: _with_header(jwe, p2c="many")),
    "no password": ("unusable key", lambda jwe: _with_header(jwe, alg="dir")),
    "packed": ("unusable key", lambda jwe: _with_header(jwe, zip="DEF")),
    "critical": ("unusable key", lambda jwe: _with_header(jwe, crit=["x"], x=1)),
}


@pytest.mark.parametrize("how", list(NO_KEYS))
async def test_an_encrypted_key_that_is_none(stage: Stage, context: StandIn, how: str) -> None:
    expected, change = NO_KEYS[how]
    authority = Authority(stage)
    authority.provisioner["encryptedKey"] = change(authority.provisioner["encryptedKey"])
    kind, said = await symptom(context, **authority.asked)
    assert kind == expected
    assert PASSWORD not in said
    assert not authority.tokens


@pytest.mark.parametrize("rounds", [1000, 100_000, 600_000])
@pytest.mark.parametrize("password", [PASSWORD, "four", "\N{SNOWMAN} \N{GRINNING FACE} umläute", "x" * 200])
async def test_keys_as_old_and_new_clients_encrypt_them(
    stage: Stage, context: StandIn, rounds: int, password: str
) -> None:
    authority = Authority(stage)
    authority.provisioner["encryptedKey"] = encrypted(authority.key, password, rounds)
    context.operator = Person(password)
    assert (await context.run(Certificate, **authority.asked)).verdict is Verdict.PASSED


@pytest.mark.parametrize("make_key", KEYS.values(), ids=KEYS)
async def test_keys_of_every_type(stage: Stage, context: StandIn, make_key: Callable[[], Key]) -> None:
    authority = Authority(stage, key=make_key())
    assert (await context.run(Certificate, **authority.asked)).verdict is Verdict.PASSED
    assert authority.tokens


async def test_a_key_that_is_not_the_published_one(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    authority.provisioner["encryptedKey"] = jwk_provisioner("other")["encryptedKey"]
    assert (await symptom(context, **authority.asked))[0] == "unusable key"
    assert not authority.tokens


@pytest.mark.parametrize(
    "page",
    [
        [],
        {"provisioners": None},
        {"provisioners": ["x"]},
        {"provisioners": [{"type": "JWK"}]},
        {"provisioners": [{"type": 1, "name": 2}]},
    ],
    ids=str,
)
async def test_a_list_of_provisioners_that_is_none(stage: Stage, context: StandIn, page: Any) -> None:
    authority = Authority(stage)
    authority.replies["GET /provisioners?limit=100"] = as_json(page)
    assert (await symptom(context, **authority.asked))[0] == "not JSON"


async def test_two_provisioners_of_one_name(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    both = [authority.provisioner, {**authority.provisioner, "type": "X5C"}, jwk_provisioner(NAME)]
    authority.replies["GET /provisioners?limit=100"] = as_json({"provisioners": both})
    assert (await symptom(context, **authority.asked))[0] == "no provisioner"


async def test_pages_without_an_end(stage: Stage, context: StandIn) -> None:
    authority = Authority(stage)
    page = {"provisioners": [{"type": "ACME", "name": "x"}], "nextCursor": "a b&c"}
    authority.replies["GET /provisioners?limit=100"] = as_json(page)
    authority.replies["GET /provisioners?limit=100&cursor=a%20b%26c"] = as_json(page)
    assert (await symptom(context, **authority.asked))[0] == "no provisioner"
    assert len(authority.server.requests) == 2


@pytest.mark.parametrize("missing", ["root", "intermediate", "trust"])
async def test_a_missing_file_is_told_before_anything_is_asked(stage: Stage, context: StandIn, missing: str) -> None:
    authority = Authority(stage)
    kind, said = await symptom(context, **{**authority.asked, missing: "nowhere.crt"})
    assert kind == "file missing"
    assert "nowhere.crt" in said
    assert not context.operator.asked
    assert not authority.server.requests


async def test_without_openssl_nothing_is_asked(
    stage: Stage, context: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    authority = Authority(stage)
    assert (await symptom(context, **authority.asked))[0] == "program not found"
    assert not authority.server.requests
    assert not context.operator.asked


async def test_the_server_itself_is_judged_first(stage: Stage, context: StandIn) -> None:
    """Another root answers: no password is asked for."""
    other = make_root()
    authority = Authority(stage)
    rogue = stage.serve(lambda *_: answer(200, b"{}"), stage.leaf(issuer=other))
    assert (await symptom(context, **{**authority.asked, "connect": rogue.connect}))[0] == "another root"
    assert not context.operator.asked
    assert not rogue.requests


def test_what_it_will_do() -> None:
    given = {"url": URL, "provisioner": NAME, "root": "a/root_ca.crt", "intermediate": "b/intermediate_ca.crt"}
    plan = "\n".join(Certificate(Certificate.Params.model_validate(given)).plan())
    assert URL in plan
    assert "proof.test" in plan
    assert "a/root_ca.crt" in plan
    assert "b/intermediate_ca.crt" in plan


@pytest.mark.parametrize(
    "wrong", [{"subject": "-x"}, {"subject": "a b"}, {"subject": ""}, {"minutes": -1}, {"provisioner": ""}], ids=str
)
def test_parameters(wrong: dict[str, Any]) -> None:
    given = {"url": URL, "provisioner": NAME, "root": "r", "intermediate": "i"}
    with pytest.raises(ValidationError):
        Certificate.Params.model_validate({**given, **wrong})
