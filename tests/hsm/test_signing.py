"""Test signatures: openssl agrees with every one, and nothing that is not one verifies."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.evidence.sign_test import SignTest
from checks.hsm import errors
from checks.hsm.sign_test import SignTestCheck, SignTestParams
from checks.hsm.signing import Plan, plan, signature_length, verify
from runbook.outcome import Verdict
from tests.fake_context import FakeContext
from tests.hsm.shim import C_LOGIN, C_SIGN, Shim
from tests.softhsm import PIN, SoftHsm

MakeContext = Callable[..., FakeContext]

P256 = ec.generate_private_key(ec.SECP256R1()).public_key()
P384 = ec.generate_private_key(ec.SECP384R1()).public_key()
P521 = ec.generate_private_key(ec.SECP521R1()).public_key()
RSA = rsa.generate_private_key(65537, 2048).public_key()

SOFTHSM = frozenset({"CKM_ECDSA", "CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS", "CKM_SHA384"})
SC_HSM = frozenset({"CKM_ECDSA", "CKM_ECDSA_SHA256", "CKM_ECDSA_SHA384", "CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS"})


@pytest.mark.parametrize(
    ("key", "offered", "requested", "mechanism", "hashed_by"),
    [
        (P384, SC_HSM, "", "CKM_ECDSA_SHA384", "token"),
        (P384, SC_HSM, "ECDSA-SHA384", "CKM_ECDSA_SHA384", "token"),
        (P384, SC_HSM, "CKM_ECDSA_SHA384", "CKM_ECDSA_SHA384", "token"),
        (P384, SC_HSM, "ecdsa", "CKM_ECDSA", "software (SHA-384)"),
        (P384, SOFTHSM, "", "CKM_ECDSA", "software (SHA-384)"),
        (P384, SOFTHSM, "ECDSA-SHA384", "CKM_ECDSA", "software (SHA-384)"),
        (P384, SOFTHSM, "ECDSA-SHA256", "CKM_ECDSA", "software (SHA-256)"),
        (P256, SC_HSM, "", "CKM_ECDSA_SHA256", "token"),
        (P521, SC_HSM, "", "CKM_ECDSA", "software (SHA-512)"),
        (RSA, SOFTHSM, "", "CKM_SHA256_RSA_PKCS", "token"),
        (RSA, SOFTHSM, "SHA384-RSA-PKCS", "CKM_RSA_PKCS", "software (SHA-384)"),
        (RSA, SOFTHSM, "RSA-PKCS", "CKM_RSA_PKCS", "software (SHA-256)"),
    ],
)
def test_the_mechanism_is_chosen_from_the_tokens_list(
    key: object, offered: frozenset[str], requested: str, mechanism: str, hashed_by: str
) -> None:
    how = plan(key, offered, requested)  # type: ignore[arg-type]
    assert (how.mechanism, how.hashed_by) == (mechanism, hashed_by)


@pytest.mark.parametrize(
    ("key", "offered", "requested", "error"),
    [
        (P384, frozenset({"CKM_RSA_PKCS"}), "", errors.MechanismMissing),
        (P384, SC_HSM, "ECDSA-SHA1", errors.MechanismMissing),
        (RSA, SC_HSM, "RSA-X-509", errors.MechanismMissing),
        (RSA, SC_HSM, "SHA256-RSA-PKCS-PSS", errors.MechanismMissing),
        (P384, SC_HSM, "SHA256-RSA-PKCS", errors.WrongKeyType),
        (RSA, SC_HSM, "ECDSA-SHA384", errors.WrongKeyType),
    ],
)
def test_a_mechanism_that_cannot_be_is_refused(
    key: object, offered: frozenset[str], requested: str, error: type[errors.TokenError]
) -> None:
    with pytest.raises(error):
        plan(key, offered, requested)  # type: ignore[arg-type]


def test_a_digest_longer_than_the_order_is_truncated() -> None:
    assert len(plan(P256, SOFTHSM, "ECDSA-SHA384").message(b"x")) == 32
    assert len(plan(P521, SOFTHSM, "ECDSA-SHA512").message(b"x")) == 64
    assert len(plan(P384, SOFTHSM, "ECDSA-SHA256").message(b"x")) == 32


# -- on SoftHSM2, with openssl as the judge -----------------------------------------------------------------------


def openssl_verifies(folder: Path, key: object, signature: bytes, test: SignTest, how: str) -> bool:
    """`openssl dgst -verify` on the statement, with the signature in DER for ECDSA."""
    der = signature
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    (folder / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "signature").write_bytes(der)
    (folder / "statement").write_text(test.statement)
    argv = ["openssl", "dgst", f"-{how}", "-verify", "key.pem", "-signature", "signature", "statement"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode == 0 and "Verified OK" in done.stdout


@pytest.mark.parametrize(
    ("key_type", "mechanism", "hash_name", "length"),
    [
        ("EC:secp384r1", "", "sha384", 96),
        ("EC:secp384r1", "ECDSA-SHA384", "sha384", 96),
        ("EC:secp384r1", "ECDSA-SHA512", "sha512", 96),
        ("EC:prime256v1", "ECDSA-SHA384", "sha384", 64),
        ("EC:secp521r1", "", "sha512", 132),
        ("rsa:2048", "", "sha256", 256),
        ("rsa:2048", "RSA-PKCS", "sha256", 256),
    ],
)
async def test_openssl_verifies_what_is_shown(
    *,
    context: MakeContext,
    softhsm: SoftHsm,
    tmp_path: Path,
    key_type: str,
    mechanism: str,
    hash_name: str,
    length: int,
) -> None:
    softhsm.keypair("0a", key_type)
    ctx = context(softhsm.site(), PIN)
    outcome = await SignTestCheck(SignTestParams(token="intermediate", key="0A", mechanism=mechanism)).run(ctx)
    assert outcome.verdict is Verdict.PASSED, outcome
    (test,) = outcome.evidence
    assert isinstance(test, SignTest)
    assert (test.length, test.verified_by_token_key, test.verified_by_artefact) == (length, True, None)
    assert test.statement.startswith("NOT A CERTIFICATE | run-1 | A3.sign | ")
    key = (await ctx.pool.token("intermediate").public_key(b"\x0a")).public_key
    assert openssl_verifies(tmp_path, key, bytes.fromhex(test.signature), test, hash_name)
    tampered = bytearray.fromhex(test.signature)
    tampered[-1] ^= 1
    assert not openssl_verifies(tmp_path, key, bytes(tampered), test, hash_name)
    assert ctx.lines


async def test_each_signature_is_over_another_statement(context: MakeContext, softhsm: SoftHsm) -> None:
    ctx = context(softhsm.site(), PIN)
    check = SignTestCheck(SignTestParams(token="intermediate", key="01"))
    first, second = (await check.run(ctx)).evidence[0], (await check.run(ctx)).evidence[0]
    assert isinstance(first, SignTest)
    assert isinstance(second, SignTest)
    assert first.statement != second.statement


async def test_the_artefact_must_verify_too(context: MakeContext, softhsm: SoftHsm, tmp_path: Path) -> None:
    ctx = context(softhsm.site(), PIN)
    token = ctx.pool.token("intermediate")
    for name, key_id in (("right.pem", b"\x01"), ("wrong.pem", b"\x02")):
        key = (await token.public_key(key_id)).public_key
        (tmp_path / name).write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    rsa_pem = RSA.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "other-kind.pem").write_bytes(rsa_pem)

    async def outcome_with(artefact: str):
        return await SignTestCheck(SignTestParams(token="intermediate", key="01", artefact=artefact)).run(ctx)

    right = await outcome_with("right.pem")
    assert right.verdict is Verdict.PASSED
    assert right.evidence[0].verified_by_artefact is True
    for name in ("wrong.pem", "other-kind.pem"):
        wrong = await outcome_with(name)
        assert (wrong.verdict, wrong.symptom) == (Verdict.FAILED, "other key")
        assert wrong.evidence[0].verified_by_token_key is True
        assert wrong.evidence[0].verified_by_artefact is False


async def test_no_pin_is_asked_for_where_the_test_cannot_succeed(context: MakeContext, softhsm: SoftHsm) -> None:
    ctx = context(softhsm.site())
    for params in (
        SignTestParams(token="intermediate", key="09"),
        SignTestParams(token="intermediate", key="01", mechanism="SHA256-RSA-PKCS"),
        SignTestParams(token="intermediate", key="01", artefact="nowhere.pem"),
    ):
        with pytest.raises(Exception, match=r"no public key 09|another kind|nowhere"):
            await SignTestCheck(params).run(ctx)
    assert ctx.operator.requests == []


async def test_a_login_without_an_answer_leaves_the_step_in_doubt(context: MakeContext, shim: Shim) -> None:
    ctx = context(shim.token.site(intermediate=shim.profile()), PIN)
    shim.faults(f"fault {C_LOGIN} crash-after")
    outcome = await SignTestCheck(SignTestParams(token="intermediate", key="01")).run(ctx)
    assert (outcome.verdict, outcome.symptom) == (Verdict.IN_DOUBT, "login in doubt")
    assert shim.calls(C_LOGIN) == [len(PIN)]


async def test_a_token_that_signs_nothing_does_not_pass(context: MakeContext, shim: Shim) -> None:
    ctx = context(shim.token.site(intermediate=shim.profile()), PIN)
    shim.faults(f"fault {C_SIGN} rv 0")
    outcome = await SignTestCheck(SignTestParams(token="intermediate", key="01")).run(ctx)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "bad signature")


def test_what_is_no_signature_does_not_verify() -> None:
    how = Plan("CKM_ECDSA", "SHA384", in_software=True)
    for signature in (b"", bytes(96), bytes(95), b"\xff" * 96, b"\x01" * 97):
        assert verify(P384, how, signature, b"x") is False
    assert verify(RSA, Plan("CKM_RSA_PKCS", "SHA256", in_software=True), bytes(256), b"x") is False
    assert verify(RSA, how, bytes(256), b"x") is False
    assert verify(object(), how, bytes(96), b"x") is False
    assert (signature_length(P521), signature_length(RSA)) == (132, 256)
