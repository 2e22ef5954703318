"""OpenSSH one-line public keys (RFC 4253 §6.6)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from checks.artefacts.formats import ssh_lines, ssh_whole


@dataclass(frozen=True, slots=True)
class OpenSshKey:
    """A public key and the comment behind it."""

    public_key: PublicKeyTypes
    algorithm: str
    comment: str
    """Foreign text."""


def load_openssh(data: bytes) -> OpenSshKey:
    """The one key in `data`; lines of comment and blank lines do not count. Raises ValueError with the reason."""
    found = ssh_lines(data)
    if len(found) != 1:
        raise ValueError(f"{len(found)} keys, one is expected")
    algorithm, blob = found[0]
    if not ssh_whole(algorithm, blob):
        raise ValueError("the key is cut short or damaged, its parts do not add up to its length")
    line = next(line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines() if algorithm.encode() in line)
    try:
        key = load_ssh_public_key(b" ".join(line.split()[:2]))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"the key cannot be used: {error}") from None
    comment = line.split(maxsplit=2)[2:]
    return OpenSshKey(key, algorithm, comment[0].decode("utf-8", errors="replace") if comment else "")
