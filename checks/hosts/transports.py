"""Which transport a host needs: paramiko, or the system's `ssh` for what paramiko does not have; and why."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from checks.hosts.known_hosts import Entry, Marker
from checks.hosts.ssh_config import SshSettings

_SETTINGS = {
    "proxycommand": "ProxyCommand",
    "knownhostscommand": "KnownHostsCommand",
    "revokedhostkeys": "RevokedHostKeys",
    "pkcs11provider": "PKCS11Provider",
    "bindaddress": "BindAddress",
    "bindinterface": "BindInterface",
}
"""Settings that the system's ssh alone follows, when they are set at all."""

_ALGORITHMS = {
    "kexalgorithms": (
        "KexAlgorithms",
        "curve25519-sha256@libssh.org mlkem768x25519-sha256 ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521 "
        "diffie-hellman-group16-sha512 diffie-hellman-group-exchange-sha256 diffie-hellman-group14-sha256",
    ),
    "ciphers": ("Ciphers", "aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com"),
    "hostkeyalgorithms": (
        "HostKeyAlgorithms",
        "ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256",
    ),
}
"""What both transports have. A configuration that allows none of it needs the system's ssh."""


def certified(known: Sequence[Entry]) -> tuple[str, ...]:
    """The CAs on file that vouch for the host; paramiko does not verify host certificates (PROTOCOL.certkeys)."""
    places = (entry.place for entry in known if entry.marker is Marker.CERT_AUTHORITY)
    return tuple(f"host certificates of the CA in {place}" for place in dict.fromkeys(places))


def lacks(settings: SshSettings) -> tuple[str, ...]:
    """The settings that paramiko cannot follow; empty: none. It looks at the disk."""
    found = [name for keyword, name in _SETTINGS.items() if settings.value(keyword).lower() not in ("", "none")]
    if settings.says("hostbasedauthentication"):
        found.append("HostbasedAuthentication")
    if settings.says("gssapiauthentication") and _has_ticket():
        # Debian's default is yes; without a ticket nothing comes of it.
        found.append("GSSAPIAuthentication with a Kerberos ticket")
    found += [f"a key on a FIDO2 device, {path}" for path in settings.identity_files if _on_device(path)]
    for keyword, (name, common) in _ALGORITHMS.items():
        allowed = settings.value(keyword)
        if allowed and not set(allowed.split(",")) & set(common.split()):
            found.append(name)
    return tuple(found)


def _on_device(path: Path) -> bool:
    """An identity file that stands for a key on a device, not only a public key to choose one in the agent."""
    try:
        public = path.with_name(f"{path.name}.pub").read_bytes()
    except OSError:
        return False
    return public.startswith(b"sk-") and path.exists()


def _has_ticket() -> bool:
    return bool(os.environ.get("KRB5CCNAME")) or Path(f"/tmp/krb5cc_{os.getuid()}").exists()  # noqa: S108 - its place
