"""The one key and certificate that a connection is made with, whatever else there is to offer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from checks.hosts.ssh_config import SshSettings

_ONLY: Final = {
    "identitiesonly": "yes",
    "identityagent": "none",
    "pubkeyauthentication": "yes",
    "preferredauthentications": "publickey",
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "hostbasedauthentication": "no",
    "gssapiauthentication": "no",
}
"""Nothing else is offered: no key of the agent, no password, no ticket."""

_OF_THE_HOST: Final = (
    *("hostname", "user", "port", "hostkeyalias", "userknownhostsfile", "globalknownhostsfile", "knownhostscommand"),
    *("revokedhostkeys", "hostkeyalgorithms", "casignaturealgorithms", "kexalgorithms", "ciphers", "macs"),
    *("pubkeyacceptedalgorithms", "requiredrsasize", "proxycommand", "proxyusefdpass", "addressfamily"),
    *("bindaddress", "bindinterface", "compression", "rekeylimit", "ipqos", "tcpkeepalive", "connecttimeout"),
)
"""What an ssh configuration says of how a host is reached, and by which key it is known."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key without a passphrase, and the certificate for it; both files are the account's alone."""

    key: Path
    certificate: Path

    def instead(self, settings: SshSettings) -> SshSettings:
        """The same way to the same host, with this to offer and nothing else."""
        raw = {keyword: value for keyword, value in settings.raw.items() if keyword in _OF_THE_HOST}
        raw |= {keyword: (value,) for keyword, value in _ONLY.items()}
        raw |= {"identityfile": (str(self.key),), "certificatefile": (str(self.certificate),)}
        return replace(
            settings,
            identity_files=(self.key,),
            certificate_files=(self.certificate,),
            identities_only=True,
            agent="",
            raw=raw,
        )


def as_configuration(settings: SshSettings) -> str:
    """Settings as a file for the system's `ssh`, in the place of the operator's: identities in theirs would add up."""
    lines = (f"    {keyword} {_quoted(keyword, value)}" for keyword, given in settings.raw.items() for value in given)
    return "\n".join(("Host *", *(line for line in lines if line.split(" ")[-1]), ""))


def _quoted(keyword: str, value: str) -> str:
    return f'"{value}"' if keyword in ("identityfile", "certificatefile") else value
