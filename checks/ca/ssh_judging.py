"""Whether an SSH certificate is what was asked for, by cryptography and by `ssh-keygen -L` (PROTOCOL.certkeys)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import SSHCertificateType

from checks.artefacts.fingerprints import openssh_sha256, spki
from checks.artefacts.keys import Artefact
from checks.ca.issued import Judged, said
from checks.ca.ssh_issuing import SshIssued, SshRequest
from checks.files.process import run
from runbook.text import clean_line

ANOTHER: Final = "another ssh ca"
WRONG: Final = "wrong certificate"
PRINCIPAL: Final = "principal missing"
NOT_VALID: Final = "not valid"
KEYGEN: Final = "ssh-keygen disagrees"

SKEW: Final = 60.0
"""Seconds that the authority's clock may be ahead."""

_CA = re.compile(r"^\s*Signing CA: \S+ SHA256:(?P<sha256>\S+)", re.MULTILINE)
_TYPE = re.compile(r"^\s*Type: \S+ (?P<type>user|host) certificate$", re.MULTILINE)
_KEY = re.compile(r"^\s*Public key: \S+ SHA256:(?P<sha256>\S+)", re.MULTILINE)
_ID = re.compile(r'^\s*Key ID: "(?P<id>.*)"$', re.MULTILINE)
_PRINCIPALS = re.compile(r"^(?P<space>\s*)Principals: *\n(?P<names>(?:(?P=space)\s+\S.*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Printed:
    """What `ssh-keygen -L` printed (ssh-keygen(1)), and what it means."""

    lines: tuple[str, ...]
    type: str = ""
    ca: str = ""
    """SHA-256 in base64, without `SHA256:`."""
    key: str = ""
    key_id: str = ""
    principals: tuple[str, ...] = ()


async def print_certificate(path: Path, deadline: float) -> Printed:
    """What the program says of the file. Raises ProgramNotFound."""
    finished = await run(("env", "LC_ALL=C", "TZ=UTC", "ssh-keygen", "-L", "-f", str(path)), deadline=deadline)
    if finished.exit_code != 0:
        words = clean_line(finished.stderr.text.strip(), 300) or finished.ended_by
        return Printed((f"ssh-keygen -L ended with {finished.exit_code}: {words}",))
    return read_printed(finished.stdout.text, str(path))


def read_printed(text: str, path: str) -> Printed:
    """The program's output for that file, whose name it begins with."""
    named = _PRINCIPALS.search(text)
    return Printed(
        lines=tuple(clean_line(line, 300) for line in text.replace(f"{path}:", "", 1).splitlines() if line.strip()),
        type=_group(_TYPE, text, "type"),
        ca=_group(_CA, text, "sha256"),
        key=_group(_KEY, text, "sha256"),
        key_id=_group(_ID, text, "id"),
        principals=tuple(line.strip() for line in named["names"].splitlines()) if named else (),
    )


def _group(pattern: re.Pattern[str], text: str, name: str) -> str:
    match = pattern.search(text)
    return match[name] if match else ""


def judge_ssh(issued: SshIssued, wanted: SshRequest, ca: Artefact) -> Iterator[Judged]:
    """Every statement, the weightiest first; `ca` is the exported key of the SSH user CA."""
    found, name, now = issued.certificate, ca.path.name, time.time()
    signed = spki(found.signature_key()) == spki(ca.public_key)
    yield said(signed, ANOTHER, f"the key in {name} has signed it", f"another key than the one in {name} has signed it")
    yield said(_signature_holds(issued), ANOTHER, "its signature holds", "its signature does not hold")
    user = found.type is SSHCertificateType.USER
    yield said(user, WRONG, "it is the certificate of a user", "it is the certificate of a host, not of a user")
    own = spki(found.public_key()) == spki(wanted.key.public_key())
    yield said(own, WRONG, "it holds the key that was made here", "it holds another key than the one made here")
    key_id = clean_line(found.key_id.decode(errors="replace"), 200)
    right_id = found.key_id == wanted.key_id.encode()
    yield said(right_id, WRONG, f"its key id is {key_id}", f"its key id is {key_id}, not {wanted.key_id}")
    names = {one.decode(errors="replace") for one in found.valid_principals}
    for principal in wanted.principals:
        yield said(principal in names, PRINCIPAL, f"it is for {principal}", f"it is not for {principal}")
    more = clean_line(", ".join(sorted(names - set(wanted.principals))) or "anybody", 300)
    alone = bool(names) and names <= set(wanted.principals)
    yield said(alone, WRONG, "it is for nobody else", f"it is for {more} too")
    valid = found.valid_after <= now + SKEW and now < found.valid_before
    yield said(valid, NOT_VALID, "it is valid now", "it is not valid now")


def judge_printed(printed: Printed, wanted: SshRequest, ca: Artefact) -> Judged:
    """Whether OpenSSH's own program reads the same in it."""
    expected = Printed(
        lines=printed.lines,
        type="user",
        ca=openssh_sha256(ca.public_key) or "",
        key=openssh_sha256(wanted.key.public_key()) or "",
        key_id=wanted.key_id,
        principals=wanted.principals,
    )
    return said(
        printed == expected,
        KEYGEN,
        "ssh-keygen -L reads the same signer, key, key id and principals",
        "ssh-keygen -L reads another signer, key, key id or principals",
    )


def _signature_holds(issued: SshIssued) -> bool:
    try:
        issued.certificate.verify_cert_signature()
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
