"""What a certificate authority said and gave: an answer over HTTPS, its provisioners, a certificate, its root."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from checks.evidence.fingerprints import FingerprintPair
from runbook.outcome import Evidence, ForeignLine


class Statement(Evidence):
    """What was found in one respect, and whether it is as it must be."""

    kind: ClassVar[str] = "statement"
    text: ForeignLine
    holds: bool

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.holds else 'BAD'} {self.text}"


class ChainLink(Evidence):
    """One certificate of a chain."""

    kind: ClassVar[str] = "chain_link"
    role: ForeignLine
    """`issued` or `server`, `intermediate`, `root`."""
    subject: ForeignLine
    key: ForeignLine = ""
    """For example `EC P-384`."""
    signed_with: ForeignLine
    """The algorithm of the signature on it."""
    begins: ForeignLine = ""
    ends: ForeignLine
    """RFC 3339 in UTC."""
    sha256: ForeignLine
    """Of its DER, in hex."""
    problem: ForeignLine = ""
    """What is wrong about it in its place; empty: nothing."""

    def plain(self) -> Iterator[str]:
        key = f", key {self.key}" if self.key else ""
        begins = f"valid {self.begins} to" if self.begins else "until"
        yield f"{self.role}: {self.subject}{key}, signed with {self.signed_with}, {begins} {self.ends}"
        yield f"  sha256 {self.sha256}"
        if self.problem:
            yield f"  ! {self.problem}"


class ServerAnswer(Evidence):
    """An answer over HTTPS, and who gave it."""

    kind: ClassVar[str] = "server_answer"
    url: ForeignLine
    server: ForeignLine
    """Its name, and where it was reached if that is elsewhere."""
    trusting: ForeignLine
    """Which roots its certificate had to lead to."""
    tls: ForeignLine
    """Protocol and cipher suite."""
    subject: ForeignLine
    issuer: ForeignLine
    ends: ForeignLine
    """When the server's certificate expires, RFC 3339 in UTC."""
    sha256: ForeignLine
    """Of the server's certificate, in hex."""
    status: ForeignLine
    """The number and its meaning."""
    expected: int
    """The number that was expected."""
    size: int
    """Bytes of the answer."""
    chain: tuple[ChainLink, ...] = ()
    """From the server's certificate to the root."""

    @property
    def right(self) -> bool:
        return self.status.split(" ", 1)[0] == str(self.expected)

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.right else 'BAD'} {self.url}: {self.status}, {self.size} bytes"
        yield f"      server {self.server}, trusting {self.trusting}"
        yield f"      {self.tls}"
        yield f"      certificate {self.subject}, issued by {self.issuer}, until {self.ends}"
        yield f"      sha256 {self.sha256}"
        for link in self.chain[1:]:
            yield from (f"      {line}" for line in link.plain())
        if not self.right:
            yield f"    ! expected {self.expected}"


class Listed(StrEnum):
    """A provisioner against the list of those expected."""

    EXPECTED = "expected"
    SURPLUS = "surplus"
    MISSING = "missing"
    WRONG_TYPE = "wrong type"


class ProvisionerRow(Evidence):
    """One provisioner."""

    kind: ClassVar[str] = "provisioner"
    type: ForeignLine
    name: ForeignLine
    state: Listed
    expected: ForeignLine = ""
    """The type it should have, where it has another."""

    def plain(self) -> Iterator[str]:
        mark = "ok " if self.state is Listed.EXPECTED else "BAD"
        said = {
            Listed.EXPECTED: "",
            Listed.SURPLUS: ": not expected",
            Listed.MISSING: ": missing",
            Listed.WRONG_TYPE: f": expected {self.expected}",
        }[self.state]
        yield f"{mark} {self.type:<6} {self.name}{said}"


class ProvisionersListed(Evidence):
    """The provisioners of an authority, and those that it should have."""

    kind: ClassVar[str] = "provisioners"
    server: ForeignLine
    found: int
    expected: int
    rows: tuple[ProvisionerRow, ...]

    @property
    def right(self) -> bool:
        return all(row.state is Listed.EXPECTED for row in self.rows)

    def plain(self) -> Iterator[str]:
        mark = "ok " if self.right else "BAD"
        yield f"{mark} provisioners of {self.server}: {self.found} there, {self.expected} expected"
        for row in self.rows:
            yield from (f"  {line}" for line in row.plain())


class CertificateIssued(Evidence):
    """A certificate that was asked for, and whether it is what was asked for."""

    kind: ClassVar[str] = "certificate_issued"
    server: ForeignLine
    provisioner: ForeignLine
    subject: ForeignLine
    names: tuple[ForeignLine, ...]
    """Its subject alternative names."""
    serial: ForeignLine
    """In hex, as `openssl x509 -serial` prints it."""
    begins: ForeignLine
    ends: ForeignLine
    """RFC 3339 in UTC."""
    key: ForeignLine
    signed_with: ForeignLine
    chain: tuple[ChainLink, ...] = ()
    """From the certificate to the root, as far as there is a way."""
    statements: tuple[Statement, ...]
    openssl: tuple[ForeignLine, ...] = ()
    """Its version, and what `openssl verify` said."""

    @property
    def right(self) -> bool:
        return all(statement.holds for statement in self.statements)

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.right else 'BAD'} certificate for {self.subject} from {self.server}"
        yield f"      provisioner {self.provisioner}"
        yield f"      names {', '.join(self.names) or 'none'}"
        yield f"      serial {self.serial}"
        yield f"      valid {self.begins} to {self.ends}"
        yield f"      key {self.key}, signed with {self.signed_with}"
        for link in self.chain:
            yield from (f"      {line}" for line in link.plain())
        for statement in self.statements:
            yield from (f"  {line}" for line in statement.plain())
        yield from (f"      | {line}" for line in self.openssl)


class BootstrapSeen(Evidence):
    """What a client would see that bootstraps with a fingerprint."""

    kind: ClassVar[str] = "bootstrap"
    server: ForeignLine
    subject: ForeignLine = ""
    """Of the root that came; empty: none came."""
    pair: FingerprintPair | None = None
    """The fingerprint that is known beside that of the root that came."""
    statements: tuple[Statement, ...]
    chain: tuple[ChainLink, ...] = ()
    """From the server's certificate to the root that came."""

    @property
    def right(self) -> bool:
        return all(statement.holds for statement in self.statements)

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.right else 'BAD'} bootstrap from {self.server}"
        if self.subject:
            yield f"      root {self.subject}"
        for statement in self.statements:
            yield from (f"  {line}" for line in statement.plain())
        for link in self.chain:
            yield from (f"      {line}" for line in link.plain())
        if self.pair is not None:
            yield from (f"  {line}" for line in self.pair.plain())
