"""Fingerprints and keys, with openssl and ssh-keygen as judges."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from checks.artefacts import fingerprints
from checks.artefacts.formats import Format
from checks.artefacts.keys import CERTIFICATES, key_type, load_artefact, parse_artefact, weaknesses
from checks.artefacts.symptoms import SYMPTOMS, WrongArtefact
from checks.files.reading import FileProblem
from tests.artefacts.conftest import Authority, Ceremony, tool

ALGORITHMS = {
    "EC P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "EC P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "EC P-521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "EC brainpoolP384r1": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"),
    "RSA 2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "RSA 1024": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
    "Ed25519": ("-algorithm", "ED25519"),
    "Ed448": ("-algorithm", "ED448"),
}


@pytest.mark.parametrize("name", ALGORITHMS)
async def test_key_fingerprints_are_those_of_the_tools(tmp_path: Path, name: str) -> None:
    private, public = str(tmp_path / "k.key"), tmp_path / "k.pem"
    tool("openssl", "genpkey", *ALGORITHMS[name], "-out", private)
    tool("openssl", "pkey", "-in", private, "-pubout", "-out", str(public))
    artefact = await load_artefact(public)
    der = tool("openssl", "pkey", "-in", private, "-pubout", "-outform", "DER")
    assert artefact.format is Format.SPKI_PEM
    assert key_type(artefact.public_key) == name
    assert fingerprints.spki_sha256(artefact.public_key) == hashlib.sha256(der).hexdigest()
    if name in ("EC brainpoolP384r1", "Ed448"):
        assert fingerprints.openssh_sha256(artefact.public_key) is None
    elif name == "Ed25519":
        assert fingerprints.openssh_sha256(artefact.public_key) is not None
    else:
        line = tmp_path / "k.pub"
        line.write_bytes(tool("ssh-keygen", "-i", "-m", "PKCS8", "-f", str(public)))
        printed = tool("ssh-keygen", "-l", "-E", "sha256", "-f", str(line)).decode().split()[1]
        assert printed == f"SHA256:{fingerprints.openssh_sha256(artefact.public_key)}"
    assert (weaknesses(artefact.public_key) != []) == (name == "RSA 1024")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
async def test_openssh_lines(tmp_path: Path, kind: str) -> None:
    tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "two words", "-f", str(tmp_path / "k"))
    artefact = await load_artefact(tmp_path / "k.pub")
    printed = tool("ssh-keygen", "-l", "-E", "sha256", "-f", str(tmp_path / "k.pub")).decode().split()[1]
    assert printed == f"SHA256:{fingerprints.openssh_sha256(artefact.public_key)}"
    assert (artefact.format, artefact.comment) == (Format.OPENSSH_PUBLIC, "two words")
    if kind != "ed25519":
        pem = tool("ssh-keygen", "-e", "-m", "PKCS8", "-f", str(tmp_path / "k.pub"))
        assert fingerprints.spki_sha256(load_pem_public_key(pem)) == fingerprints.spki_sha256(artefact.public_key)


@pytest.mark.parametrize("form", ["PEM", "DER"])
async def test_certificate_fingerprints(tmp_path: Path, ceremony: Ceremony, form: str) -> None:
    path = tmp_path / "c"
    tool("openssl", "x509", "-in", str(ceremony["root_ca.crt"]), "-outform", form, "-out", str(path))
    artefact = await load_artefact(path, CERTIFICATES)
    assert artefact.certificate is not None
    for computed, algorithm in (
        (fingerprints.certificate_sha256(artefact.certificate), "-sha256"),
        (fingerprints.certificate_sha1(artefact.certificate), "-sha1"),
    ):
        printed = tool(
            "openssl", "x509", "-in", str(path), "-inform", form, "-noout", "-fingerprint", algorithm
        ).decode()
        assert printed.split("=")[1].strip().replace(":", "").lower() == computed
    spki = tool("openssl", "x509", "-in", str(path), "-inform", form, "-noout", "-pubkey")
    der = tool("openssl", "pkey", "-pubin", "-outform", "DER", stdin=spki)
    assert fingerprints.spki_sha256(artefact.public_key) == hashlib.sha256(der).hexdigest()


async def test_the_same_key_in_every_container(tmp_path: Path, ceremony: Ceremony) -> None:
    certificate = str(ceremony["intermediate_ca.crt"])
    spki = tool("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
    (tmp_path / "k.pem").write_bytes(spki)
    (tmp_path / "k.der").write_bytes(tool("openssl", "pkey", "-pubin", "-outform", "DER", stdin=spki))
    (tmp_path / "k.pub").write_bytes(tool("ssh-keygen", "-i", "-m", "PKCS8", "-f", str(tmp_path / "k.pem")))
    paths = [ceremony["intermediate_ca.crt"], *(tmp_path / f"k.{end}" for end in ("pem", "der", "pub"))]
    loaded = [await load_artefact(path) for path in paths]
    assert [artefact.format for artefact in loaded] == [
        Format.CERTIFICATE_PEM,
        Format.SPKI_PEM,
        Format.SPKI_DER,
        Format.OPENSSH_PUBLIC,
    ]
    assert len({fingerprints.spki_sha256(artefact.public_key) for artefact in loaded}) == 1


async def test_rsa_keys_in_their_own_form(tmp_path: Path) -> None:
    private = str(tmp_path / "k.key")
    tool("openssl", "genpkey", "-algorithm", "RSA", "-out", private)
    for form in ("PEM", "DER"):
        path = tmp_path / f"k.{form}"
        tool("openssl", "rsa", "-in", private, "-RSAPublicKey_out", "-outform", form, "-out", str(path))
        assert key_type((await load_artefact(path)).public_key) == "RSA 2048"


@pytest.mark.parametrize(
    ("name", "symptom", "words"),
    [
        ("root.csr", "wrong format", "certificate signing request"),
        ("root.key", "private key", "ALARM"),
        ("ssh_user_ca", "private key", "OpenSSH private key"),
        ("absent", "file missing", "no such file"),
    ],
)
async def test_what_is_no_public_artefact(ceremony: Ceremony, name: str, symptom: str, words: str) -> None:
    with pytest.raises((WrongArtefact, FileProblem), match=words) as caught:
        await load_artefact(ceremony[name])
    assert caught.value.symptom == symptom
    assert symptom in SYMPTOMS
    assert caught.value.remedy


def test_a_damaged_certificate_is_an_error_at_every_byte(ceremony: Ceremony) -> None:
    """Any one byte changed or any end missing: an artefact or a WrongArtefact, never another exception."""
    der = tool("openssl", "x509", "-in", str(ceremony["root_ca.crt"]), "-outform", "DER")
    spoiled = [der[:at] + bytes([der[at] ^ bit]) + der[at + 1 :] for at in range(len(der)) for bit in (0x01, 0x80)]
    spoiled += [der[:size] for size in range(0, len(der), 7)]
    refused = 0
    for data in spoiled:
        try:
            parse_artefact(data, Path("spoiled"))
        except WrongArtefact:
            refused += 1
    assert refused > 100


def test_a_damaged_openssh_line(ceremony: Ceremony) -> None:
    algorithm, blob, _ = ceremony["ssh_user_ca.pub"].read_text().split(maxsplit=2)
    for spoiled in (
        blob[:-8],
        blob[:-1],
        blob + "AAAA",
        "AAAA",
        blob.replace("A", "!", 1),
        blob[:60] + "x" + blob[61:],
    ):
        with pytest.raises(WrongArtefact):
            parse_artefact(f"{algorithm} {spoiled} c\n".encode(), Path("spoiled"), (Format.OPENSSH_PUBLIC,))


def test_a_certificate_with_fields_nobody_can_read(authority: Authority) -> None:
    path = authority.certificate("odd", extensions="basicConstraints=critical,DER:30:03:01:01:07\n")
    with pytest.raises(WrongArtefact) as caught:
        parse_artefact(path.read_bytes(), path)
    assert caught.value.symptom == "damaged file"
