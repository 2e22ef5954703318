"""What comes to light about an SSH certificate and the host that it is shown to, as evidence and as an outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from checks.artefacts.fingerprints import openssh_name, openssh_sha256
from checks.ca.issued import Judged, first_wrong
from checks.ca.issued import said as judged_as
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.ssh_login import SshLogin
from checks.hosts.ssh_keys import LATEST
from runbook.outcome import Outcome
from runbook.text import clean_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHCertificate

    from checks.artefacts.keys import Artefact
    from checks.ca.ssh_issuing import SshIssued
    from checks.ca.ssh_login import SshLoginParams

STOP: Final = "Critical. Stop: another SSH CA answers there than the one whose key the hosts trust."


class SshFound:
    """What came to light."""

    def __init__(
        self,
        given: SshLoginParams,
        server: str,
        issued: SshIssued,
        *,
        ca: Artefact,
        judged: list[Judged],
        printed: tuple[str, ...],
    ) -> None:
        self.given = given
        self._server = server
        self._certificate = issued.certificate
        self._ca = ca
        self._judged = judged
        self._printed = printed
        self._reached: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return all(one.holds for one in self._judged)

    def reached(self, shown: tuple[str, ...]) -> None:
        self._reached = shown

    def say(self, symptom: str, right: str, wrong: str, *, holds: bool) -> None:
        self._judged.append(judged_as(holds, symptom, right, wrong))

    def outcome(self, remedy: str = "") -> Outcome:
        given = self.given
        if wrong := first_wrong(self._judged):
            text, symptom = wrong
            stop = STOP if symptom == "another ssh ca" else ""
            return Outcome.failed(text, self._evidence(), symptom=symptom, remedy=remedy or stop)
        return Outcome.passed(f"{given.on} let {given.user} in by the CA's certificate", self._evidence())

    def _evidence(self) -> SshLogin:
        given, found = self.given, self._certificate
        return SshLogin(
            server=self._server,
            provisioner=given.provisioner,
            key_id=_text(found.key_id),
            serial=str(found.serial),
            principals=tuple(_text(one) for one in found.valid_principals),
            begins=_time(found.valid_after),
            ends=_time(found.valid_before),
            ca=FingerprintPair(
                form="OpenSSH SHA256",
                left_title=self._ca.path.name,
                left=openssh_sha256(self._ca.public_key) or "",
                right_title="what has signed it",
                right=openssh_sha256(found.signature_key()) or "",
                left_key=openssh_name(self._ca.public_key),
                right_key=openssh_name(found.signature_key()),
            ),
            options=tuple(_options(found)),
            host=given.on,
            account=given.user,
            reached=self._reached,
            statements=tuple(one.statement for one in self._judged),
            printed=self._printed,
        )


def _options(found: SSHCertificate) -> Iterator[str]:
    for options in (found.critical_options, found.extensions):
        yield from (" ".join(filter(None, (_text(name), _text(value)))) for name, value in options.items())


def _text(raw: bytes) -> str:
    return clean_line(raw.decode("utf-8", errors="replace"), 200)


def _time(seconds: int) -> str:
    """RFC 3339; the largest number stands for no end (PROTOCOL.certkeys), and so does what no calendar has."""
    return "for ever" if seconds > LATEST else dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
