"""A key on a token beside an artefact; keys made by openssl and imported, so that both sides are known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from checks.evidence.fingerprints import KeyMatch
from checks.hsm.key_match import KeyMatchCheck, KeyMatchParams
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.artefacts.conftest import Authority, tool
from tests.fake_context import FakeContext
from tests.softhsm import LABEL, PIN, SoftHsm

Contexts = Callable[..., FakeContext]


@dataclass(frozen=True)
class Bound:
    """A token whose keys are known, and a context to use it in."""

    token: SoftHsm
    context: FakeContext


@pytest.fixture
def bound(empty_softhsm: SoftHsm, authority: Authority, context: Contexts) -> Bound:
    """A token with three imported keys, and the artefacts over them in the authority's folder."""
    empty_softhsm.init_token(LABEL)
    authority.certificate("root")
    authority.certificate("intermediate", issuer="root")
    for key_id, name in (("01", "intermediate"), ("02", "ssh_user"), ("03", "ssh_host")):
        private = authority.key(name)
        empty_softhsm.tool(
            *("softhsm2-util", "--import", str(private), "--token", LABEL, "--pin", PIN),
            *("--id", key_id, "--label", name),
        )
        pem = authority.folder / f"{name}.pem"
        tool("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(pem))
        (authority.folder / f"{name}.pub").write_bytes(tool("ssh-keygen", "-i", "-m", "PKCS8", "-f", str(pem)))
    return Bound(empty_softhsm, context(empty_softhsm.site()))


async def match(context: FakeContext, folder: Path, key: str, artefact: str) -> Outcome:
    params = KeyMatchParams(token="intermediate", key=key, artefact=str(folder / artefact))
    outcome = await KeyMatchCheck(params).run(context)  # type: ignore[arg-type]
    assert outcome.symptom in {"", *KeyMatchCheck.symptoms}
    return outcome


@pytest.mark.parametrize(
    ("key", "artefact", "format_"),
    [
        ("01", "intermediate.crt", "X.509 certificate (PEM)"),
        ("2", "ssh_user.pub", "OpenSSH public key"),
        ("0x03", "ssh_host.pub", "OpenSSH public key"),
        ("03", "ssh_host.pem", "public key (PEM, SubjectPublicKeyInfo)"),
    ],
)
async def test_the_same_key_on_both_sides(
    bound: Bound, authority: Authority, key: str, artefact: str, format_: str
) -> None:
    outcome = await match(bound.context, authority.folder, key, artefact)
    assert outcome.verdict is Verdict.PASSED
    found = outcome.evidence[0]
    assert isinstance(found, KeyMatch)
    assert (found.key_id, found.key_type) == (f"0{key[-1]}", "EC P-384")
    assert found.artefact_format == format_
    assert found.token == f"{LABEL} [{bound.token.serials[LABEL]}]"
    name = Path(artefact).stem
    der = tool("openssl", "pkey", "-in", str(authority.folder / f"{name}.key"), "-pubout", "-outform", "DER")
    spki, ssh = found.pairs
    listed = list(found.on_request())
    if artefact.endswith(".pub"):
        drawn = tool("ssh-keygen", "-lvf", str(authority.folder / artefact)).decode().splitlines()[1:]
        assert listed[1:] == [f"{line}   {line}" for line in drawn]
    if artefact.endswith(".crt"):
        for one, option in zip(found.certificate, ("-sha256", "-sha1"), strict=True):
            printed = tool("openssl", "x509", "-in", str(authority.folder / artefact), "-noout", "-fingerprint", option)
            assert one.value == printed.decode().partition("=")[2].strip().replace(":", "").lower()
    else:
        assert found.certificate == ()
    assert (spki.form, spki.left, spki.right) == ("SPKI SHA-256", *[hashlib.sha256(der).hexdigest()] * 2)
    if artefact.endswith(".pub"):
        printed = tool("ssh-keygen", "-lf", str(authority.folder / artefact)).decode().split()[1]
        assert (ssh.form, f"SHA256:{ssh.left}", f"SHA256:{ssh.right}") == ("OpenSSH SHA256", printed, printed)


async def test_the_fingerprint_of_a_root_is_not_shown(bound: Bound, authority: Authority) -> None:
    """It is on paper, and typed from there without having been seen."""
    outcome = await match(bound.context, authority.folder, "01", "root.crt")
    printed = tool("openssl", "x509", "-in", str(authority.folder / "root.crt"), "-outform", "DER")
    shown = "\n".join(line for one in outcome.evidence for line in one.plain()).replace(" ", "").replace("\n", "")
    found = outcome.evidence[0]
    assert isinstance(found, KeyMatch)
    assert found.certificate == ()
    assert hashlib.sha256(printed).hexdigest()[:8] not in shown


async def test_another_key(bound: Bound, authority: Authority) -> None:
    outcome = await match(bound.context, authority.folder, "01", "ssh_user.pub")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "keys differ")
    found = outcome.evidence[0]
    assert isinstance(found, KeyMatch)
    assert not [pair for pair in found.pairs if pair.matches]
    assert found.pairs[0].different_groups


@pytest.mark.parametrize(
    ("key", "artefact", "symptom"),
    [
        ("01", "intermediate.csr", "wrong format"),
        ("01", "intermediate.key", "private key"),
        ("01", "absent", "file missing"),
        ("04", "intermediate.crt", "key missing"),
    ],
)
async def test_no_verdict(bound: Bound, authority: Authority, key: str, artefact: str, symptom: str) -> None:
    with pytest.raises(StepError) as caught:
        await match(bound.context, authority.folder, key, artefact)
    assert caught.value.symptom == symptom
    assert symptom in KeyMatchCheck.symptoms


async def test_keys_that_openssh_does_not_know(softhsm: SoftHsm, authority: Authority, context: Contexts) -> None:
    """A token key beside one on a curve that OpenSSH has no name for: one form, and it differs."""
    brainpool = authority.key("b", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1")
    tool("openssl", "pkey", "-in", str(brainpool), "-pubout", "-out", str(authority.folder / "b.pem"))
    outcome = await match(context(softhsm.site()), authority.folder, "01", "b.pem")
    assert outcome.verdict is Verdict.FAILED
    found = outcome.evidence[0]
    assert isinstance(found, KeyMatch)
    assert [pair.form for pair in found.pairs] == ["SPKI SHA-256"]


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [("1", "01"), ("01", "01"), ("0x01", "01"), ("A", "0a"), ("0X1F", "1f"), ("01:0A", "010a")],
)
def test_key_ids_as_people_write_them(spelled: str, expected: str) -> None:
    assert KeyMatchParams(token="t", key=spelled, artefact="a").key == expected


@pytest.mark.parametrize("spelled", ["", "xyz", "0x", " 01 ", "01 02 zz", "123", "00" * 65])
def test_what_is_no_key_id(spelled: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        KeyMatchParams(token="t", key=spelled, artefact="a")
