"""An SSH user certificate that was asked for, and the host that let its holder in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from checks.evidence.ca import Statement
from checks.evidence.fingerprints import FingerprintPair
from runbook.outcome import Evidence, ForeignLine


class SshLogin(Evidence):
    """The certificate, who signed it, and what the host said."""

    kind: ClassVar[str] = "ssh_login"
    server: ForeignLine
    provisioner: ForeignLine
    key_id: ForeignLine
    serial: ForeignLine
    """Decimal, as `ssh-keygen -L` prints it."""
    principals: tuple[ForeignLine, ...]
    begins: ForeignLine
    ends: ForeignLine
    """RFC 3339 in UTC."""
    ca: FingerprintPair
    """The exported key of the SSH user CA beside the one that has signed the certificate."""
    options: tuple[ForeignLine, ...] = ()
    """Critical options and extensions, as `NAME` or `NAME VALUE`."""
    host: ForeignLine
    """As the site profile names it."""
    account: ForeignLine
    reached: tuple[ForeignLine, ...] = ()
    """How the host was reached and what let us in; empty: it was not tried, or did not let us in."""
    statements: tuple[Statement, ...]
    printed: tuple[ForeignLine, ...] = ()
    """What `ssh-keygen -L` said."""

    @property
    def right(self) -> bool:
        return all(statement.holds for statement in self.statements)

    def on_request(self) -> Iterator[str]:
        yield from self.ca.on_request()

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.right else 'BAD'} SSH certificate “{self.key_id}” from {self.server}"
        yield f"      provisioner {self.provisioner}"
        yield f"      serial {self.serial}, for {', '.join(self.principals) or 'nobody'}"
        yield f"      valid {self.begins} to {self.ends}"
        yield from (f"      option {option}" for option in self.options)
        for statement in self.statements:
            yield from (f"  {line}" for line in statement.plain())
        yield from (f"  {line}" for line in self.ca.plain())
        if self.reached:
            yield f"      logged in as {self.account} at {self.host}"
        yield from (f"      {line}" for line in self.reached)
        yield from (f"      | {line}" for line in self.printed)
