"""What the system's `ssh` says while it connects (`LogLevel DEBUG1`, OpenSSH 8.4 and newer), and what it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.hosts.errors import HostError, Unreachable
from checks.hosts.host_keys import SeenKey, certificate_refused, judge, revoked, unknown, where
from checks.hosts.known_hosts import Entry
from checks.hosts.signatures import CERT
from checks.hosts.ssh_config import SshSettings
from checks.hosts.ssh_keys import Candidates, not_let_in
from runbook.text import clean_line

_MAX_LINES = 2000

_HOST_KEY = re.compile(r"debug1: Server host key: (\S+) (SHA256:\S+)")
_HOST_CERT = re.compile(
    r"debug1: Server host certificate: (\S+) (SHA256:\S+), serial \d+ ID \"(.*)\" CA (\S+) (SHA256:\S+)"
)
_FOUND = re.compile(r"debug1: Found (?:CA )?key in (.+:\d+)")
_OFFERED = re.compile(r"debug1: Offering public key: (.*?)(?: explicit| agent)*$")
_ACCEPTED = re.compile(r"debug1: Server accepts key: (.*?)(?: explicit| agent)*$")
_AUTHENTICATED = re.compile(r"Authenticated to \S+ .*using \"([^\"]+)\"")
_SERVER = re.compile(r"remote software version (.*)$")
_REFUSING = re.compile(r"Permission denied \(([^)]*)\)|Too many authentication failures|No more authentication methods")
_CERTIFICATE = re.compile(r"^(Certificate invalid: .*|.*host certificate.*(?:expired|not yet valid).*)$")
_REVOKED = re.compile(r"REVOKED HOST KEY|marked as revoked|was revoked and you|revoked by file")
_READY = "debug1: Entering interactive session."


@dataclass(slots=True)
class Said:
    """Line by line, what is known so far."""

    ready: bool = False
    key: SeenKey | None = None
    ca: SeenKey | None = None
    found_in: str = ""
    server: str = ""
    offered: list[str] = field(default_factory=list)
    accepted: str = ""
    method: str = ""
    wrong_passphrases: list[str] = field(default_factory=list)
    partial: bool = False
    """A first method was right, and more is wanted."""
    lines: list[str] = field(default_factory=list)
    """What is not debugging."""

    def take(self, line: str) -> None:
        """One line, without its end."""
        if found := _HOST_KEY.match(line):
            self.key = SeenKey(found[1], found[2])
        elif found := _HOST_CERT.match(line):
            self.key = SeenKey(found[1], found[2])
            self.ca = SeenKey(found[4], found[5])
        elif found := _FOUND.match(line):
            self.found_in = found[1]
        elif found := _OFFERED.match(line):
            self.offered.append(clean_line(found[1], 300))
        elif found := _ACCEPTED.match(line):
            self.accepted = clean_line(found[1], 300)
        elif found := _AUTHENTICATED.match(line):
            self.method = found[1]
        elif found := _SERVER.search(line):
            self.server = clean_line(found[1], 100)
        elif "partial success" in line:
            self.partial = True
        elif line == _READY:
            self.ready = True
        elif not line.startswith("debug") and line.strip("@ ") and len(self.lines) < _MAX_LINES:
            self.lines.append(clean_line(line.strip("@ "), 400))

    def let_in_by(self, candidates: Candidates) -> str:
        """What let us in, for people."""
        if self.accepted and self.method == "publickey":
            return candidates.in_words(self.accepted)
        return self.method or "?"

    def passphrases_given(self, paths: Sequence[str]) -> None:
        """ssh does not say that a passphrase was wrong: the host took the key, and yet it was not used."""
        if not self.partial:
            self.wrong_passphrases = [path for path in paths if self.accepted.startswith(f"{path} ")]

    @property
    def waits_for_touch(self) -> bool:
        """The host took a key that is on a device, and has not said yet what comes of it."""
        kind = self.accepted.split(" ")[-2:-1]
        return bool(kind) and "-SK" in kind[0] and not self.method and not self.lines

    @property
    def host_key(self) -> str:
        """The host's key and why it is believed, for people."""
        vouched = f", certified by {self.ca}" if self.ca else ""
        return f"{self.key or '?'}{vouched}, on file in {self.found_in or '?'}"


def failure(said: Said, settings: SshSettings, known: Sequence[Entry], candidates: Candidates) -> HostError:
    """Why there is no connection: the same errors and words as for the other transport."""
    text = "\n".join(said.lines)
    if said.ca and (why := next((line for line in said.lines if _CERTIFICATE.match(line)), "")):
        return certificate_refused(settings, said.key, why)
    if "verification failed" in text or _REVOKED.search(text):
        return _host_key(said, settings, known)
    if _REFUSING.search(text):
        return not_let_in(settings, _refusal(said, candidates))
    why = said.lines[-1] if said.lines else "ssh ended without a word"
    if said.server and not said.key:
        why = f"no agreement on a connection: {why}"
    return Unreachable(
        f"no connection to {settings.address}: {why}",
        where=where(settings),
        remedy=f"Try `ssh {settings.alias}` on a terminal; see to the name, the network and the port.",
    )


def _host_key(said: Said, settings: SshSettings, known: Sequence[Entry]) -> HostError:
    seen = said.key or SeenKey("a key", "not told")
    if any(_REVOKED.search(line) for line in said.lines):
        places = [entry.place for entry in known if entry.marker == "@revoked" and entry.fingerprint == _shown(said)]
        return revoked(settings, seen, ", ".join(places) or "RevokedHostKeys of the ssh configuration")
    if said.ca:
        return certificate_refused(settings, seen, f"no known_hosts file trusts the CA that signed it, {said.ca}")
    plain = SeenKey(seen.key_type.removesuffix(CERT), seen.fingerprint)
    try:
        judge(known, settings, plain)
    except HostError as verdict:
        return verdict
    return unknown(settings, plain)


def _shown(said: Said) -> str:
    return said.key.fingerprint if said.key else ""


def _refusal(said: Said, candidates: Candidates) -> str:
    offered = "; ".join(candidates.in_words(line) for line in said.offered) or "nothing: there was no key to offer"
    asks = next((found[1] for line in said.lines if (found := _REFUSING.search(line)) and found[1]), "")
    wrong = (f"{path}: the passphrase does not open it" for path in said.wrong_passphrases)
    notes = "; ".join((*wrong, *candidates.notes))
    return f"it asks for {asks.replace(',', ', ') or 'something else'}. Offered: {offered}." + (
        f" Not offered: {notes}." if notes else ""
    )
