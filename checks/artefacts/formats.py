"""What a file is, told from its bytes alone: the formats of keys and certificates that people confuse.

An answer for any bytes, never an exception; nothing is verified here. Sources: RFC 7468 (PEM labels), RFC 5280,
RFC 5958, RFC 8017, RFC 5915, RFC 4253 §6.6 and OpenSSH's PROTOCOL.certkeys, RFC 2315, RFC 7292, BSI TR-03110-3
(CV certificates, tag 7F21).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from enum import StrEnum

from checks.artefacts import der


class Format(StrEnum):
    """The formats, by the name a person reads."""

    CERTIFICATE_PEM = "X.509 certificate (PEM)"
    CERTIFICATE_DER = "X.509 certificate (DER)"
    CHAIN_PEM = "several X.509 certificates (PEM)"
    REQUEST_PEM = "certificate signing request (PEM)"
    REQUEST_DER = "certificate signing request (DER)"
    CRL_PEM = "certificate revocation list (PEM)"
    CRL_DER = "certificate revocation list (DER)"
    SPKI_PEM = "public key (PEM, SubjectPublicKeyInfo)"
    SPKI_DER = "public key (DER, SubjectPublicKeyInfo)"
    RSA_PUBLIC_PEM = "RSA public key (PEM, PKCS#1)"
    RSA_PUBLIC_DER = "RSA public key (DER, PKCS#1)"
    PKCS7_PEM = "PKCS#7 container (PEM)"
    PKCS7_DER = "PKCS#7 container (DER)"
    PKCS12 = "PKCS#12 key store"
    CV_CERTIFICATE = "SmartCard-HSM card verifiable certificate (tag 7F21)"
    CV_CERTIFICATE_PEM = "SmartCard-HSM card verifiable certificate (tag 7F21) in PEM armour"
    OPENSSH_PUBLIC = "OpenSSH public key"
    OPENSSH_PUBLIC_SEVERAL = "several OpenSSH public keys"
    OPENSSH_WITH_OPTIONS = "line of authorized_keys or known_hosts (something stands before the OpenSSH key)"
    OPENSSH_CERTIFICATE = "OpenSSH certificate"
    SSH2_PUBLIC = "SSH2 public key (RFC 4716)"
    OPENSSH_PRIVATE = "OpenSSH private key"
    PKCS8_PRIVATE = "private key (PEM, PKCS#8)"
    PKCS8_ENCRYPTED = "encrypted private key (PEM, PKCS#8)"
    LEGACY_PRIVATE = "private key (PEM)"
    PRIVATE_DER = "private key (DER)"
    PRIVATE_OTHER = "private key"
    PEM_OTHER = "PEM file of another kind"
    PEM_TRUNCATED = "truncated PEM file"
    PEM_DAMAGED = "damaged PEM file"
    DER_TRUNCATED = "truncated DER file"
    DER_OTHER = "DER file of another kind"
    EMPTY = "empty file"
    TEXT_UTF16 = "text in UTF-16"
    TEXT = "text"
    BINARY = "binary data"


PRIVATE = frozenset(
    {
        Format.OPENSSH_PRIVATE,
        Format.PKCS8_PRIVATE,
        Format.PKCS8_ENCRYPTED,
        Format.LEGACY_PRIVATE,
        Format.PRIVATE_DER,
        Format.PRIVATE_OTHER,
        Format.PKCS12,
    }
)
"""Formats that hold a private key, or may."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What a file is."""

    format: Format
    detail: str = ""
    """More, where there is more to say, for example the algorithm or the PEM label."""
    private: bool = False
    """It holds a private key, perhaps among other things: an alarm where something public is expected."""

    def __str__(self) -> str:
        return f"{self.format}, {self.detail}" if self.detail else str(self.format)


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block of a PEM file."""

    label: str
    payload: bytes | None
    """None: what stands between its lines is not base64, or its headers say that it is encrypted."""


_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 .#/]{1,60})-----")
_SSH_TYPE = re.compile(
    rb"^(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+|(?:sk-|rsa-)[a-z0-9-]+)(@[a-z0-9.-]+)?[ \t]+(AAAA[A-Za-z0-9+/=]+)"
)
_SSH_WITHIN = re.compile(
    rb"^[^#\n]*[ \t](ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+)[ \t]+AAAA[A-Za-z0-9+/=]{20}", re.MULTILINE
)
_PEM_LABELS = {
    "CERTIFICATE": Format.CERTIFICATE_PEM,
    "TRUSTED CERTIFICATE": Format.CERTIFICATE_PEM,
    "X509 CERTIFICATE": Format.CERTIFICATE_PEM,
    "CERTIFICATE REQUEST": Format.REQUEST_PEM,
    "NEW CERTIFICATE REQUEST": Format.REQUEST_PEM,
    "X509 CRL": Format.CRL_PEM,
    "PUBLIC KEY": Format.SPKI_PEM,
    "RSA PUBLIC KEY": Format.RSA_PUBLIC_PEM,
    "PKCS7": Format.PKCS7_PEM,
    "CMS": Format.PKCS7_PEM,
    "OPENSSH PRIVATE KEY": Format.OPENSSH_PRIVATE,
    "PRIVATE KEY": Format.PKCS8_PRIVATE,
    "ENCRYPTED PRIVATE KEY": Format.PKCS8_ENCRYPTED,
    "RSA PRIVATE KEY": Format.LEGACY_PRIVATE,
    "EC PRIVATE KEY": Format.LEGACY_PRIVATE,
    "DSA PRIVATE KEY": Format.LEGACY_PRIVATE,
}
_DER_FORMATS = {
    der.Shape.CERTIFICATE: Format.CERTIFICATE_DER,
    der.Shape.REQUEST: Format.REQUEST_DER,
    der.Shape.CRL: Format.CRL_DER,
    der.Shape.SPKI: Format.SPKI_DER,
    der.Shape.RSA_PUBLIC: Format.RSA_PUBLIC_DER,
    der.Shape.PRIVATE: Format.PRIVATE_DER,
    der.Shape.PKCS7: Format.PKCS7_DER,
    der.Shape.PKCS12: Format.PKCS12,
    der.Shape.CV_CERTIFICATE: Format.CV_CERTIFICATE,
    der.Shape.OTHER: Format.DER_OTHER,
    der.Shape.TRUNCATED: Format.DER_TRUNCATED,
}


def identify(data: bytes) -> Identified:
    """What these bytes are."""
    if not data.strip():
        return Identified(Format.EMPTY, "only white space" if data else "")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Identified(Format.TEXT_UTF16, "as some editors of Windows save it")
    for known in (_ssh2(data), _pem(data), _ssh_lines(data), _der(data)):
        if known is not None:
            return known
    return Identified(Format.TEXT if _is_text(data) else Format.BINARY)


def pem_blocks(data: bytes) -> list[PemBlock]:
    """Every whole block, in order; a block without its last line is left out."""
    blocks = []
    for begin in _BEGIN.finditer(data):
        end = data.find(b"-----END " + begin[1] + b"-----", begin.end())
        if end >= 0:
            blocks.append(PemBlock(begin[1].decode("ascii"), _base64(data[begin.end() : end])))
    return blocks


def ssh_lines(data: bytes) -> list[tuple[str, bytes]]:
    """Algorithm and wire-format key of each OpenSSH one-line public key or certificate, in order."""
    found = []
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        match = _SSH_TYPE.match(line.strip())
        if match:
            found.append(((match[1] + (match[2] or b"")).decode("ascii"), _base64(match[3]) or b""))
    return found


def ssh_whole(algorithm: str, blob: bytes) -> bool:
    """Whether the wire-format key names that algorithm and ends where its fields end (RFC 4251 §5)."""
    offset, first = 0, b""
    while offset + 4 <= len(blob):
        (length,) = struct.unpack_from(">I", blob, offset)
        if offset == 0:
            first = blob[4 : 4 + length]
        offset += 4 + length
    return offset == len(blob) > 0 and first == algorithm.encode()


def _base64(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(re.sub(rb"\s+", b"", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _ssh2(data: bytes) -> Identified | None:
    if b"---- BEGIN SSH2 PUBLIC KEY ----" in data:
        return Identified(Format.SSH2_PUBLIC)
    if b"PuTTY-User-Key-File-" in data[:200]:
        return Identified(Format.PRIVATE_OTHER, "PuTTY", private=True)
    return None


def _pem(data: bytes) -> Identified | None:
    labels = [match[1].decode("ascii") for match in _BEGIN.finditer(data)]
    if not labels:
        # A beginning that is cut off in its own line, or what is left of a block whose beginning is missing.
        if data.lstrip().startswith(b"-----BEGIN") or b"-----END " in data:
            return Identified(Format.PEM_TRUNCATED, private=b"PRIVATE KEY" in data)
        return None
    private = any("PRIVATE KEY" in label for label in labels)
    blocks = pem_blocks(data)
    if len(blocks) < len(labels):
        return Identified(Format.PEM_TRUNCATED, f"{labels[len(blocks)]} without its last line", private)
    if private:
        label = next(label for label in labels if "PRIVATE KEY" in label)
        return Identified(_PEM_LABELS.get(label, Format.PRIVATE_OTHER), _among(label, labels), private=True)
    first = blocks[0]
    if first.payload is None:
        return Identified(Format.PEM_DAMAGED, f"{first.label}, not base64 inside")
    shape = der.shape(first.payload)
    if shape is der.Shape.CV_CERTIFICATE:
        return Identified(Format.CV_CERTIFICATE_PEM)
    if shape is der.Shape.PRIVATE:
        return Identified(Format.PKCS8_PRIVATE, f"under the label {first.label}", private=True)
    if shape is der.Shape.TRUNCATED:
        return Identified(Format.PEM_DAMAGED, f"{first.label}, cut short inside")
    if [block.label for block in blocks].count("CERTIFICATE") > 1:
        return Identified(Format.CHAIN_PEM, str(len(blocks)))
    known = _PEM_LABELS.get(first.label, Format.PEM_OTHER)
    return Identified(known, first.label if known is Format.PEM_OTHER else _among(first.label, labels))


def _among(label: str, labels: list[str]) -> str:
    others = [other for other in labels if other != label]
    return f"together with {', '.join(others[:3])}" if others else ""


def _ssh_lines(data: bytes) -> Identified | None:
    found = ssh_lines(data)
    if not found:
        return Identified(Format.OPENSSH_WITH_OPTIONS) if _SSH_WITHIN.search(data) else None
    algorithm, blob = found[0]
    if "-cert-v01@openssh.com" in algorithm:
        return Identified(Format.OPENSSH_CERTIFICATE, algorithm)
    if len(found) > 1:
        return Identified(Format.OPENSSH_PUBLIC_SEVERAL, str(len(found)))
    return Identified(Format.OPENSSH_PUBLIC, algorithm if ssh_whole(algorithm, blob) else f"{algorithm}, damaged")


def _der(data: bytes) -> Identified | None:
    shape = der.shape(data)
    if shape is None:
        return None
    found = _DER_FORMATS[shape]
    return Identified(found, private=found in PRIVATE)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not any(char < " " and char not in "\t\n\r\f\x1b" for char in text)
