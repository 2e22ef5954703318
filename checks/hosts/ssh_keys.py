"""What this side may show to be let in: keys and certificates from files and from the agent, in OpenSSH's order."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from checks.hosts import signatures, ssh_agent
from checks.hosts.errors import NotLetIn
from checks.hosts.host_keys import where
from checks.hosts.known_hosts import fingerprint
from checks.hosts.passphrases import KeyUnusable, Passphrases
from checks.hosts.patience import Prompts
from checks.hosts.ssh_config import SshSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPublicKeyTypes

LATEST = 253_402_300_799
"""The last second of the year 9999. A certificate may name a later one, the largest for no end (PROTOCOL.certkeys)."""

_CERT = signatures.CERT
_MAX_KEY = 1024 * 1024

Sign = Callable[[bytes, str], Awaitable[bytes]]
"""Signs data by an algorithm (RFC 8332 names RSA's); gives the signature as on the wire."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key or certificate that may be offered."""

    blob: bytes
    """The public key or certificate as on the wire; empty: not known before the passphrase is typed."""
    source: str
    """Where it is from, for people."""
    sign: Sign
    load: Callable[[], Awaitable[bytes]] | None = None
    """Gets the public key, where it is not known yet."""


@dataclass(slots=True)
class Candidates:
    """All that may be offered, and what was passed over."""

    keys: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def in_words(self, offered: str) -> str:
        """`offered` is what OpenSSH says of a key (name, type, fingerprint): the same as it is called here."""
        *_, kind, printed = ("", "", *offered.split())
        for candidate in self.keys:
            is_cert = blob_type(candidate.blob).endswith(_CERT)
            # OpenSSH shows the fingerprint of the key within a certificate.
            plain = certified_key(candidate.blob) if is_cert else candidate.blob
            if is_cert == kind.endswith("-CERT") and plain and fingerprint(plain) == printed:
                return describe(candidate.blob, candidate.source)
        return offered

    def add(self, candidate: Candidate) -> None:
        if not candidate.blob or all(candidate.blob != other.blob for other in self.keys):
            self.keys.append(candidate)


async def candidates(settings: SshSettings, passphrases: Passphrases, prompts: Prompts) -> Candidates:
    """Certificates on file whose key is here, the agent's keys (those on file first), then keys on file."""
    found = Candidates()
    agent: dict[bytes, ssh_agent.AgentKey] = {}
    if settings.agent:
        try:
            agent = {key.blob: key for key in await ssh_agent.identities(settings.agent)}
        except ssh_agent.AgentSilent as silent:
            found.notes.append(str(silent))
    files = await asyncio.to_thread(_read_files, settings, found.notes)
    for cert_path, cert in await asyncio.to_thread(_certificates, settings):
        key = certified_key(cert)
        holder = next((file for file in files if file.public == key and file.private), None)
        if cert in agent or key in agent:
            found.add(Candidate(cert, f"{cert_path}, key in the agent", _by_agent(settings.agent, cert, key, agent)))
        elif holder:
            found.add(Candidate(cert, str(cert_path), _by_file(holder, passphrases, prompts)))
        else:
            found.notes.append(f"{cert_path}: neither the agent nor a file has its key")
    on_file = [file.public for file in files]
    for blob, key_in_agent in sorted(agent.items(), key=lambda item: _rank(item[0], on_file)):
        if blob in on_file or not settings.identities_only:
            name = f"agent, {key_in_agent.comment}" if key_in_agent.comment else "agent"
            found.add(Candidate(blob, name, _by_agent(settings.agent, blob, blob, agent)))
    for file in files:
        if file.private and file.public not in agent:
            found.add(
                Candidate(
                    file.public,
                    str(file.path),
                    _by_file(file, passphrases, prompts),
                    _loader(file, passphrases, prompts),
                )
            )
    return found


def _rank(blob: bytes, on_file: list[bytes]) -> int:
    return on_file.index(blob) if blob in on_file else len(on_file)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An identity file."""

    path: Path
    public: bytes
    """Empty: not known before the passphrase."""
    private: bool
    """The private part is there too, and may be used."""


def _read_files(settings: SshSettings, notes: list[str]) -> list[KeyFile]:
    files = []
    for path in settings.identity_files:
        public = _public(path.with_name(path.name + ".pub")) or _public(path)
        try:
            text = path.read_bytes()[:_MAX_KEY]
        except OSError:
            text = b""
        private = b"PRIVATE KEY-----" in text
        if private:
            public = public or _public_of_private(text)
            status = path.stat()
            if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == os.getuid():
                notes.append(f"{path}: others may read this private key, so it is not used (chmod 600)")
                private = False
            elif blob_type(public).startswith("sk-"):
                notes.append(f"{path}: a key on a FIDO2 device; it is used through the agent (ssh-add)")
                private = False
        if public or private:
            files.append(KeyFile(path, public, private))
    return files


def _certificates(settings: SshSettings) -> list[tuple[Path, bytes]]:
    paths = [*settings.certificate_files, *(p.with_name(p.name + "-cert.pub") for p in settings.identity_files)]
    found = ((path, _public(path)) for path in dict.fromkeys(paths))
    return [(path, blob) for path, blob in found if blob_type(blob).endswith(_CERT)]


def _public(path: Path) -> bytes:
    """A public key or certificate in OpenSSH's one-line form; empty if it is none."""
    try:
        fields = path.read_bytes()[:_MAX_KEY].split(None, 2)
        blob = base64.b64decode(fields[1], validate=True)
    except (OSError, IndexError, binascii.Error, ValueError):
        return b""
    return blob if blob_type(blob).encode() == fields[0] else b""


def _public_of_private(text: bytes) -> bytes:
    """The public part of a private key in OpenSSH's format, which stands there in the clear (PROTOCOL.key)."""
    body = text.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")[2].partition(b"-----END")[0]
    magic = b"openssh-key-v1\0"
    try:
        data = base64.b64decode(b"".join(body.split()))
        if not data.startswith(magic):
            return b""
        rest = data[len(magic) :]
        for _ in range(3):
            rest = _string(rest)[1]
        return _string(rest[4:])[0]
    except (binascii.Error, ValueError):
        return b""


def _by_agent(path: str, offered: bytes, key: bytes, agent: dict[bytes, ssh_agent.AgentKey]) -> Sign:
    # The agent knows a certificate as a key of its own; where it has the plain key alone, that signs.
    held = offered if offered in agent else key

    async def sign(data: bytes, algorithm: str) -> bytes:
        try:
            return await ssh_agent.sign(path, held, data, algorithm)
        except ssh_agent.AgentSilent as silent:
            raise KeyUnusable(str(silent)) from silent

    return sign


def _by_file(file: KeyFile, passphrases: Passphrases, prompts: Prompts) -> Sign:
    async def sign(data: bytes, algorithm: str) -> bytes:
        key = await passphrases.private_key(file.path, prompts)
        return await asyncio.to_thread(signatures.sign, key, data, algorithm)

    return sign


def _loader(file: KeyFile, passphrases: Passphrases, prompts: Prompts) -> Callable[[], Awaitable[bytes]]:
    async def load() -> bytes:
        key = await passphrases.private_key(file.path, prompts)
        return _blob(key.public_key())

    return load


def blob_type(blob: bytes) -> str:
    """The type that a public key or certificate says it has."""
    try:
        return _string(blob)[0].decode("ascii")
    except ValueError:
        return ""


def certified_key(cert: bytes) -> bytes:
    """The plain public key within a certificate (PROTOCOL.certkeys): without the nonce and all that follows the key."""
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

    line = blob_type(cert).encode() + b" " + base64.b64encode(cert)
    try:
        loaded = load_ssh_public_identity(line)
    except Exception:  # noqa: BLE001 - whatever the library does not read is no certificate for us
        return b""
    if not isinstance(loaded, SSHCertificate):
        return b""
    return _blob(loaded.public_key())


def _blob(key: SSHPublicKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def describe(blob: bytes, source: str) -> str:
    """For people: type, fingerprint, where it is from, and of a certificate what it is for and until when."""
    kind = blob_type(blob)
    if not kind.endswith(_CERT):
        return f"{kind or 'key'} {fingerprint(blob) if blob else ''} ({source})".replace("  ", " ")
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

    try:
        cert = load_ssh_public_identity(kind.encode() + b" " + base64.b64encode(blob))
    except Exception:  # noqa: BLE001 - it is offered all the same, and the host judges it
        return f"{kind} ({source})"
    if not isinstance(cert, SSHCertificate):
        return f"{kind} ({source})"
    from runbook.text import clean_line

    names = ", ".join(clean_line(name.decode(errors="replace"), 80) for name in cert.valid_principals) or "anybody"
    key_id = clean_line(cert.key_id.decode(errors="replace"), 80)
    return f"{kind} “{key_id}”, for {names}, {_validity(cert.valid_after, cert.valid_before)} ({source})"


def _validity(after: int, before: int) -> str:
    now = datetime.now(UTC).timestamp()
    if before > LATEST:
        return "without end"
    end = datetime.fromtimestamp(before, UTC)
    if now >= before:
        return f"EXPIRED on {end:%Y-%m-%d %H:%M} UTC"
    if now < after:
        return f"NOT VALID before {datetime.fromtimestamp(min(after, LATEST), UTC):%Y-%m-%d %H:%M} UTC"
    return f"valid until {end:%Y-%m-%d %H:%M} UTC"


def _string(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 or len(data) < 4 + length:
        raise ValueError("cut short")
    return data[4 : 4 + length], data[4 + length :]


def not_let_in(settings: SshSettings, why: str) -> NotLetIn:
    """The same words for every transport."""
    return NotLetIn(
        f"the host does not let {settings.user} in: {why}",
        where=where(settings),
        remedy="See that the key or certificate is in the agent (`ssh-add -L`) or named in the ssh configuration; "
        "that the certificate's principals and time hold (`ssh-keygen -L`), and that the account is the right one.",
    )
