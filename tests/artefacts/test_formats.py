"""What a file is: every format made by the tool that knows it, and any bytes at all."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.artefacts.formats import PRIVATE, Format, Identified, identify
from tests.artefacts.conftest import Authority, Ceremony, tool


def pem(label: str, payload: bytes) -> bytes:
    body = base64.encodebytes(payload)
    return f"-----BEGIN {label}-----\n".encode() + body + f"-----END {label}-----\n".encode()


def tlv(tag: str, value: bytes) -> bytes:
    """A BER value with a definite length in its shortest form."""
    size = len(value)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2)
    return bytes.fromhex(tag) + length + value


CV_CERTIFICATE = tlv(
    "7f21",
    tlv(
        "7f4e",
        tlv("5f29", b"\0") + tlv("42", b"DESRCACC100001") + tlv("7f49", bytes(200)) + tlv("5f20", b"DENK0100001"),
    )
    + tlv("5f37", bytes(64)),
)
"""The shape of a SmartCard-HSM's device certificate (BSI TR-03110-3, appendix C)."""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("openssl x509 -in root.crt", Format.CERTIFICATE_PEM),
        ("openssl x509 -in root.crt -text", Format.CERTIFICATE_PEM),
        ("openssl x509 -in root.crt -trustout", Format.CERTIFICATE_PEM),
        ("openssl x509 -in root.crt -outform DER", Format.CERTIFICATE_DER),
        ("cat root.crt intermediate.crt", Format.CHAIN_PEM),
        ("cat root.csr", Format.REQUEST_PEM),
        ("openssl req -in root.csr -outform DER", Format.REQUEST_DER),
        ("openssl pkey -in root.key -pubout", Format.SPKI_PEM),
        ("openssl pkey -in root.key -pubout -outform DER", Format.SPKI_DER),
        ("openssl pkey -in rsa.key -pubout", Format.SPKI_PEM),
        ("openssl rsa -in rsa.key -RSAPublicKey_out", Format.RSA_PUBLIC_PEM),
        ("openssl rsa -in rsa.key -RSAPublicKey_out -outform DER", Format.RSA_PUBLIC_DER),
        ("openssl crl2pkcs7 -nocrl -certfile root.crt", Format.PKCS7_PEM),
        ("openssl crl2pkcs7 -nocrl -certfile root.crt -outform DER", Format.PKCS7_DER),
        ("openssl pkcs12 -export -in root.crt -inkey root.key -passout pass:x", Format.PKCS12),
        ("openssl pkcs12 -export -in root.crt -nokeys -passout pass:x", Format.PKCS12),
        ("cat root.key", Format.PKCS8_PRIVATE),
        ("openssl pkey -in root.key -outform DER", Format.PRIVATE_DER),
        ("openssl pkcs8 -topk8 -in root.key -passout pass:x", Format.PKCS8_ENCRYPTED),
        ("openssl pkcs8 -topk8 -in root.key -passout pass:x -outform DER", Format.PRIVATE_DER),
        ("openssl ec -in root.key", Format.LEGACY_PRIVATE),
        ("openssl ec -in root.key -outform DER", Format.PRIVATE_DER),
        ("openssl rsa -in rsa.key -traditional", Format.LEGACY_PRIVATE),
        ("openssl rsa -in rsa.key -traditional -aes128 -passout pass:xxxx", Format.LEGACY_PRIVATE),
        ("openssl rsa -in rsa.key -traditional -outform DER", Format.PRIVATE_DER),
        ("openssl genpkey -algorithm ed25519 -outform DER", Format.PRIVATE_DER),
        ("cat ssh_user_ca", Format.OPENSSH_PRIVATE),
        ("cat ssh_user_ca.pub", Format.OPENSSH_PUBLIC),
        ("cat ssh_user_ca.pub ssh_host_ca.pub", Format.OPENSSH_PUBLIC_SEVERAL),
        ("ssh-keygen -e -m RFC4716 -f ssh_user_ca.pub", Format.SSH2_PUBLIC),
        ("ssh-keygen -e -m PKCS8 -f ssh_user_ca.pub", Format.SPKI_PEM),
        ("cat user-cert.pub", Format.OPENSSH_CERTIFICATE),
        ("cat root.crt root.key", Format.PKCS8_PRIVATE),
        ("openssl ecparam -name secp384r1", Format.PEM_OTHER),
        ("head -c 300 root.crt", Format.PEM_TRUNCATED),
        ("tail -c 300 root.crt", Format.PEM_TRUNCATED),
        ("head -c 15 root.crt", Format.PEM_TRUNCATED),
        ("head -c 200 root.der", Format.DER_TRUNCATED),
        ("head -c 0 root.crt", Format.EMPTY),
        ("echo", Format.EMPTY),
        ("echo a readable line", Format.TEXT),
        ("echo 0123", Format.TEXT),
        ("cat /bin/true", Format.BINARY),
    ],
)
def test_formats_by_the_tool_that_makes_them(tmp_path: Path, ceremony: Ceremony, made: str, expected: Format) -> None:
    folder = _workshop(tmp_path, ceremony)
    data = tool(*made.split(), cwd=folder)
    found = identify(data)
    assert found.format is expected
    assert found.private == (expected in PRIVATE)


def _workshop(folder: Path, ceremony: Ceremony) -> Path:
    for path in ceremony.work.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "ssh_user_ca").chmod(0o600)
    tool("openssl", "genpkey", "-algorithm", "RSA", "-out", "rsa.key", cwd=folder)
    tool("openssl", "x509", "-in", "root.crt", "-outform", "DER", "-out", "root.der", cwd=folder)
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "user", cwd=folder)
    tool("ssh-keygen", "-q", "-s", "ssh_user_ca", "-I", "id", "-n", "me", "user.pub", cwd=folder)
    return folder


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_openssh_keys_of_each_kind(tmp_path: Path, kind: str) -> None:
    tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a comment, with words", "-f", str(tmp_path / "k"))
    line = (tmp_path / "k.pub").read_bytes()
    algorithm = line.split()[0].decode()
    for spelled in (
        line,
        line.rstrip(),
        b"# a comment\n\n" + line,
        line.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + line,
    ):
        assert identify(spelled) == Identified(Format.OPENSSH_PUBLIC, algorithm)
    assert identify(b'cert-authority,principals="x" ' + line).format is Format.OPENSSH_WITH_OPTIONS
    assert identify(b"host.example " + line).format is Format.OPENSSH_WITH_OPTIONS
    short = line.split()[1][:40]
    assert "damaged" in identify(line.split()[0] + b" " + short).detail


def test_certificate_revocation_lists(authority: Authority) -> None:
    authority.certificate("root")
    (authority.folder / "root.db").write_text("")
    crl = tool(
        *("openssl", "ca", "-gencrl", "-config", "root.cnf", "-crldays", "1"),
        *("-keyfile", "root.key", "-cert", "root.crt"),
        cwd=authority.folder,
    )
    assert identify(crl).format is Format.CRL_PEM
    assert identify(tool("openssl", "crl", "-outform", "DER", stdin=crl)).format is Format.CRL_DER


def test_smartcard_hsm_certificates_are_named_also_in_armour() -> None:
    assert identify(CV_CERTIFICATE).format is Format.CV_CERTIFICATE
    assert identify(CV_CERTIFICATE + CV_CERTIFICATE).format is Format.CV_CERTIFICATE
    assert identify(tlv("67", CV_CERTIFICATE + tlv("42", b"DESRCACC100001"))).format is Format.CV_CERTIFICATE
    for label in ("CERTIFICATE", "CV CERTIFICATE", "CERTIFICATE REQUEST"):
        assert identify(pem(label, CV_CERTIFICATE)).format is Format.CV_CERTIFICATE_PEM


def test_a_private_key_is_seen_among_other_things(ceremony: Ceremony) -> None:
    certificate, key = ceremony["root.crt"].read_bytes(), ceremony["root.key"].read_bytes()
    for data in (certificate + key, key + certificate, b"words\n" + key, key[:200], certificate + key[:100]):
        assert identify(data).private
    assert identify(pem("CERTIFICATE", tool("openssl", "pkey", "-outform", "DER", stdin=key))).private
    assert identify(b"PuTTY-User-Key-File-3: ssh-ed25519\n").private
    assert not identify(certificate).private


def test_damaged_armour(ceremony: Ceremony) -> None:
    good = ceremony["root.crt"].read_bytes()
    lines = good.splitlines(keepends=True)
    assert identify(good.replace(lines[2], b"*" * 64 + b"\n")).format is Format.PEM_DAMAGED
    assert identify(b"".join(lines[:3] + lines[5:])).format in (Format.PEM_DAMAGED, Format.CERTIFICATE_PEM)
    assert identify(b"".join(lines[:-1])).format is Format.PEM_TRUNCATED
    assert identify("ﬁngerprint".encode("utf-16")).format is Format.TEXT_UTF16


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    assert identify(data).format in Format


@given(st.sampled_from(["30", "7f21", "67", "02"]), st.binary(max_size=300), st.binary(max_size=20))
def test_anything_that_begins_like_der_gets_an_answer(tag: str, value: bytes, rest: bytes) -> None:
    assert identify(tlv(tag, value) + rest).format in Format


@given(st.text("-BEGIND RTFCAKYPUSH5\n=+/0123456789.", max_size=200))
def test_anything_that_looks_like_armour_gets_an_answer(text: str) -> None:
    found = identify(b"-----BEGIN CERTIFICATE-----\n" + text.encode() + b"\n-----END CERTIFICATE-----\n")
    assert found.format in Format


@given(st.binary(max_size=300))
def test_anything_under_an_openssh_name_gets_an_answer(blob: bytes) -> None:
    found = identify(b"ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + blob) + b" c\n")
    assert found.format is Format.OPENSSH_PUBLIC


def test_every_prefix_and_every_changed_byte_gets_an_answer(ceremony: Ceremony) -> None:
    der = tool("openssl", "x509", "-in", str(ceremony["root.crt"]), "-outform", "DER")
    for size in range(len(der)):
        assert identify(der[:size]).format in (Format.DER_TRUNCATED, Format.BINARY, Format.TEXT, Format.EMPTY)
    for at in range(60):
        for value in (0, 0x7F, 0x80, 0xFF):
            identify(der[:at] + bytes([value]) + der[at + 1 :])
