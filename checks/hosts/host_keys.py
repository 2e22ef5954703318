"""Whether the key that a host shows is the one on file; the same verdict and words for every transport.

The program never accepts a key and never stores one: a host key is put on file by a person, who compared it with what
the host's console or the site's inventory says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.hosts.errors import HostCertificateRefused, HostError, HostKeyChanged, HostKeyRevoked, HostKeyUnknown
from checks.hosts.known_hosts import Entry, Marker, about
from checks.hosts.ssh_config import SSH_PORT, SshSettings

_HOW_TO_ADD = (
    "Get the host's fingerprint in another way (its console, the site's records), compare it, and put the key on file "
    "by hand, as with `ssh {alias}` on a terminal. The program never accepts a key."
)
_HOW_TO_CHANGE = (
    "Stop here unless it is known that the host has a new key: somebody may stand between. If it has one, compare its "
    "fingerprint in another way and replace the line by hand (`ssh-keygen -R {name}`)."
)


@dataclass(frozen=True, slots=True)
class SeenKey:
    """The key that a host showed."""

    key_type: str
    """As on the wire, such as `ssh-ed25519`."""
    fingerprint: str
    """`SHA256:…`."""

    def __str__(self) -> str:
        return f"{self.key_type} {self.fingerprint}"


def judge(entries: Sequence[Entry], settings: SshSettings, seen: SeenKey) -> Entry:
    """The entry that vouches for the key. Raises HostKeyRevoked, HostKeyChanged or HostKeyUnknown.

    A key on file for the host on any port counts also for one of its ports, as with OpenSSH; one that says something
    else is of no weight then.
    """
    known = [entry for name in names(settings) for entry in about(entries, name)]
    for entry in known:
        if entry.marker is Marker.REVOKED and entry.fingerprint == seen.fingerprint:
            raise revoked(settings, seen, entry.place)
    plain = [entry for entry in known if entry.marker is Marker.KEY]
    for entry in plain:
        if entry.fingerprint == seen.fingerprint:
            return entry
    own = [entry for entry in plain if entry.matches(settings.known_as)]
    raise changed(settings, seen, own) if own else unknown(settings, seen)


def names(settings: SshSettings) -> tuple[str, ...]:
    """Under what the host may be on file, the best first; the bare name also stands for every port."""
    if settings.port == SSH_PORT or settings.host_key_alias:
        return (settings.known_as,)
    return (settings.known_as, settings.hostname.lower())


def where(settings: SshSettings) -> str:
    """How errors name the host."""
    return settings.alias if settings.alias == settings.hostname else f"{settings.alias} ({settings.address})"


def unknown(settings: SshSettings, seen: SeenKey) -> HostKeyUnknown:
    """Nothing is on file."""
    files = ", ".join(str(path) for path in settings.known_hosts) or "none"
    return HostKeyUnknown(
        f"no known_hosts file holds a key for {settings.known_as}; it shows {seen} (files: {files})",
        where=where(settings),
        remedy=_HOW_TO_ADD.format(alias=settings.alias),
    )


def changed(settings: SshSettings, seen: SeenKey, expected: Sequence[Entry]) -> HostKeyChanged:
    """Another key is on file."""
    listed = "; ".join(f"{entry.key_type} {entry.fingerprint} ({entry.place})" for entry in expected)
    return HostKeyChanged(
        f"the host shows {seen}, expected is {listed}",
        where=where(settings),
        remedy=_HOW_TO_CHANGE.format(name=f"'{settings.known_as}'"),
    )


def revoked(settings: SshSettings, seen: SeenKey, place: str) -> HostKeyRevoked:
    """The key is marked as one that no longer counts."""
    return HostKeyRevoked(
        f"the host shows {seen}, which is marked as revoked ({place})",
        where=where(settings),
        remedy="Nothing was sent to it. Ask who runs the host: a revoked key is no longer in its owner's hands alone.",
    )


def certificate_refused(settings: SshSettings, seen: SeenKey | None, why: str) -> HostError:
    """A host certificate does not hold."""
    shown = f" ({seen})" if seen else ""
    return HostCertificateRefused(
        f"the host's certificate does not hold{shown}: {why}",
        where=where(settings),
        remedy=f"Have the site's SSH CA sign the host's key anew, with the principal {settings.known_as} and a time "
        "that holds; look at it there with `ssh-keygen -L`.",
    )
