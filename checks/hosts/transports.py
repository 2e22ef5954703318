"""Which transport a host needs: paramiko, or the system's `ssh` for what paramiko does not have; and why."""

from __future__ import annotations

from collections.abc import Sequence

from checks.hosts.known_hosts import Entry, Marker, about
from checks.hosts.ssh_config import SSH_PORT, SshSettings

_SETTINGS = {
    "proxycommand": "ProxyCommand",
    "knownhostscommand": "KnownHostsCommand",
    "revokedhostkeys": "RevokedHostKeys",
    "pkcs11provider": "PKCS11Provider",
    "bindaddress": "BindAddress",
    "bindinterface": "BindInterface",
}
"""Settings that the system's ssh alone follows, when they are set at all."""

_SWITCHES = {
    "hostbasedauthentication": "HostbasedAuthentication",
}
"""Settings that the system's ssh alone follows, when they are `yes`."""

_ALGORITHMS = {
    "kexalgorithms": (
        "KexAlgorithms",
        "curve25519-sha256 curve25519-sha256@libssh.org mlkem768x25519-sha256 ecdh-sha2-nistp256 ecdh-sha2-nistp384 "
        "ecdh-sha2-nistp521 diffie-hellman-group16-sha512 diffie-hellman-group-exchange-sha256 "
        "diffie-hellman-group14-sha256",
    ),
    "ciphers": ("Ciphers", "aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com"),
    "hostkeyalgorithms": (
        "HostKeyAlgorithms",
        "ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256",
    ),
}
"""What both transports have. A configuration that allows none of it needs the system's ssh."""


def reasons(settings: SshSettings, known: Sequence[Entry]) -> tuple[str, ...]:
    """Why paramiko cannot reach this host; empty: it can."""
    names = [settings.known_as]
    if settings.port != SSH_PORT and not settings.host_key_alias:
        names.append(settings.hostname.lower())
    found = [
        f"host certificates of the CA in {entry.place}"
        for entry in {entry: None for name in names for entry in about(known, name)}
        if entry.marker is Marker.CERT_AUTHORITY
    ]
    for keyword, name in _SETTINGS.items():
        if settings.value(keyword).lower() not in ("", "none"):
            found.append(name)
    found += [name for keyword, name in _SWITCHES.items() if settings.says(keyword)]
    for keyword, (name, common) in _ALGORITHMS.items():
        allowed = settings.value(keyword)
        if allowed and not set(allowed.split(",")) & set(common.split()):
            found.append(name)
    return tuple(found)
