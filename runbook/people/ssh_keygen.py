"""Signatures by OpenSSH's own tool: `ssh-keygen -Y` signs and judges (ssh-keygen(1); PROTOCOL.sshsig of OpenSSH).

So keys in files, in agents and on FIDO2 devices, certificates, validity and revocation mean here what they mean to
OpenSSH. No secret passes through this program: ssh-keygen asks for passphrases and touches itself, at the terminal.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from runbook.children import start
from runbook.errors import EnvironmentLacks, RunbookError
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import die_with
from runbook.text import clean_line
from runbook.threads import in_thread

PROGRAM = "ssh-keygen"

LONGEST = 32 * 1024
"""Characters of an armoured signature that is looked at; one by a certificate of RSA keys has about 6,000."""

_SECONDS = 20.0
"""For an answer from ssh-keygen where no person is needed."""

_PERSON_SECONDS = 120.0
"""For a signature: an agent may ask a person on its own."""

Terminal = Callable[[TerminalRequest], Awaitable[int]]
"""Gives the whole terminal to a command (`Operator.terminal`)."""


class CannotSign(RunbookError):
    """No signature came about."""


class SignatureRefused(RunbookError):
    """A signature that does not hold, or not here, not now, or not for this person."""


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose keys are trusted."""

    allowed: Path
    """ssh-keygen(1), ALLOWED SIGNERS."""
    revoked: Path | None = None
    """A key revocation list (ssh-keygen(1), KEY REVOCATION LISTS), or public keys, one a line; None: no key is."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What an armoured signature says of itself, unverified (PROTOCOL.sshsig, Blob format)."""

    public_key: bytes
    """Wire encoding of the key, or of the certificate (RFC 4253 section 6.6)."""
    namespace: str


async def sign(key: Path, text: str, namespace: str, terminal: Terminal | None = None) -> str:
    """The armoured signature of the text's UTF-8.

    `key` is a private key, or a public key or certificate whose private part is in the agent, on a FIDO2 device or
    beside it. `terminal`: where ssh-keygen may ask for a passphrase, a FIDO2 PIN or a touch. Raises CannotSign, and
    what `terminal` raises.
    """
    if not await in_thread(key.is_file):
        raise CannotSign("there is no such file", where=clean_line(str(key)), remedy="Name the file of your key.")
    listed = await _call("-l", "-f", str(key))
    arguments = ("-Y", "sign", "-n", namespace, "-f", str(key))
    if not re.search(r"-SK\)\s*$", listed.out):
        made = await _call(*arguments, stdin=text.encode(), seconds=_PERSON_SECONDS)
        if made.code == 0:
            return made.out
        if "passphrase" not in made.err:
            raise CannotSign(made.said(), where=clean_line(str(key)))
    if terminal is None:
        raise CannotSign(
            "this key needs a passphrase or a touch, and there is no terminal for it",
            where=clean_line(str(key)),
            remedy="Put the key into an agent (ssh-add), or sign at a terminal.",
        )
    with tempfile.TemporaryDirectory(prefix="runbook-sign-") as folder:
        file = Path(folder) / "statement"
        await asyncio.to_thread(file.write_text, text, encoding="utf-8")
        code = await terminal(TerminalRequest((PROGRAM, *arguments, str(file)), cwd=folder))
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(file.with_name("statement.sig").read_text, encoding="ascii")
        raise CannotSign(f"{PROGRAM} made no signature (it ended with {code})", where=clean_line(str(key)))


async def verify(text: str, signature: str, namespace: str, *, signers: Signers, principal: str, at: datetime) -> str:
    """Check that `principal` signed the text; the key's fingerprint, `SHA256:…`.

    `at` is the moment at which the key had to be valid. Raises SignatureRefused with the reason.
    """
    blob = parse(signature)
    if blob.namespace != namespace:
        raise SignatureRefused(
            f"it was made for another purpose: its namespace is `{clean_line(blob.namespace)}`, not `{namespace}`"
        )
    with tempfile.NamedTemporaryFile(mode="w", prefix="runbook-", suffix=".sig", encoding="ascii") as file:
        file.write(signature)
        file.flush()
        seal = ("-s", file.name)
        when = f"-Overify-time={at.astimezone():%Y%m%d%H%M%S}"  # in the time zone that the file's times are in
        whole = await _call("-Y", "check-novalidate", "-n", namespace, *seal, stdin=text.encode())
        if whole.code != 0:
            raise SignatureRefused("the statement is not what was signed: it was altered, or the signature was")
        fingerprint = _fingerprint(whole.out)
        trusted = ("-f", str(signers.allowed), when, *seal)
        held = await _call("-Y", "verify", "-I", principal, "-n", namespace, *trusted, stdin=text.encode())
        if held.code != 0:
            known = await _call("-Y", "find-principals", *trusted)
            raise SignatureRefused(_not_theirs(held.err + known.err, known.out, fingerprint, principal, signers))
        if signers.revoked:
            revoked = ("-r", str(signers.revoked))
            held = await _call(
                "-Y", "verify", "-I", principal, "-n", namespace, *trusted, *revoked, stdin=text.encode()
            )
            if held.code != 0:
                raise SignatureRefused(f"the key {fingerprint} is revoked ({signers.revoked.name})")
    return fingerprint


def parse(signature: str) -> Blob:
    """What the armour holds; raises SignatureRefused where it is no SSH signature."""
    match = re.fullmatch(
        r"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n?", signature[: LONGEST + 1]
    )
    if match is None or len(signature) > LONGEST:
        raise SignatureRefused("this is no SSH signature")
    try:
        data = base64.b64decode(match[1])
        if data[:6] != b"SSHSIG" or data[6:10] != b"\0\0\0\1":
            raise SignatureRefused("this is no SSH signature of the version known here (1)")
        public_key, rest = _string(data[10:])
        return Blob(public_key, _string(rest)[0].decode("utf-8"))
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused("this is no SSH signature") from error


def _string(data: bytes) -> tuple[bytes, bytes]:
    """An SSH string and what follows it (RFC 4251 section 5)."""
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 + length:
        raise ValueError("it ends too early")
    return data[4 : 4 + length], data[4 + length :]


def _fingerprint(said: str) -> str:
    found = re.search(r"SHA256:[A-Za-z0-9+/]{43}", said)
    return found[0] if found else "unknown"


def _not_theirs(said: str, owners: str, fingerprint: str, principal: str, signers: Signers) -> str:
    """Why it does not hold: ssh-keygen tells the lines of the file that name the key, and what is against each."""
    file = signers.allowed.name
    if "has expired" in said or "Certificate invalid: expired" in said:
        return f"the key {fingerprint} has expired ({file})"
    if "not yet valid" in said:
        return f"the key {fingerprint} is not yet valid ({file})"
    if "not permitted for use in signature namespace" in said:
        return f"{file} does not allow the key {fingerprint} to approve steps (`namespaces`)"
    if owners:
        return (
            f"the key {fingerprint} belongs to {clean_line(', '.join(owners.split()))}, not to {clean_line(principal)}"
        )
    return f"the key {fingerprint} is unknown: {file} does not list it"


@dataclass(frozen=True, slots=True)
class _Said:
    code: int
    out: str
    err: str

    def said(self) -> str:
        lines = [line for line in self.err.splitlines() if not line.startswith(("Signing data", "Enter "))]
        return f"{PROGRAM} refuses it: {clean_line('; '.join(lines)) or f'it ended with {self.code}'}"


async def _call(*arguments: str, stdin: bytes = b"", seconds: float = _SECONDS) -> _Said:
    """Run ssh-keygen away from the terminal, so that it asks nobody; raises EnvironmentLacks, CannotSign."""
    env: Mapping[str, str] = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        process = await start(
            PROGRAM,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),
        )
    except OSError as error:
        raise EnvironmentLacks(
            f"{PROGRAM} cannot be started: {error.strerror}", remedy="Install OpenSSH 8.9 or newer (openssh-client)."
        ) from error
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        raise CannotSign(f"{PROGRAM} gave no answer within {seconds:g} seconds") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return _Said(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))
