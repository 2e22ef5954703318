"""OpenSSL's own judgement of a chain: another program's, beside ours."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.files.process import Finished, run
from runbook.text import clean_line

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True)
class Verified:
    """What `openssl verify` came to."""

    accepted: bool
    said: tuple[str, ...]
    """Its version and its lines."""


async def verify(
    certificate: x509.Certificate, intermediate: x509.Certificate, root: x509.Certificate, name: str, deadline: float
) -> Verified:
    """`openssl verify` with this root alone, for a TLS server of that name (openssl-verify(1)).

    The three certificates, which are public, go through files that only we can read. Raises ProgramNotFound.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    folder = await asyncio.to_thread(lambda: tempfile.TemporaryDirectory(prefix="runbook-verify-"))
    try:
        place = Path(folder.name)
        files = {"root.pem": root, "intermediate.pem": intermediate, "issued.pem": certificate}
        for file, one in files.items():
            await asyncio.to_thread((place / file).write_bytes, one.public_bytes(Encoding.PEM))
        # The machine's own roots would count beside -CAfile; where they are looked for, there are none.
        env = {**os.environ, "LC_ALL": "C", "SSL_CERT_DIR": str(place / "none"), "SSL_CERT_FILE": str(place / "none")}
        version = await run(("openssl", "version"), deadline=deadline, env=env)
        finished = await run(
            (
                *("openssl", "verify", "-CAfile", "root.pem", "-untrusted", "intermediate.pem"),
                *("-purpose", "sslserver", "-verify_hostname", name, "issued.pem"),
            ),
            deadline=deadline,
            cwd=place,
            env=env,
        )
    finally:
        await asyncio.to_thread(folder.cleanup)
    said = (*_lines(version), *_lines(finished))
    accepted = finished.exit_code == 0 and finished.stdout.text.strip() == "issued.pem: OK"
    return Verified(accepted, said if not finished.ended_by else (*said, f"ended by {finished.ended_by}"))


def _lines(finished: Finished) -> tuple[str, ...]:
    text = f"{finished.stdout.text}\n{finished.stderr.text}"
    return tuple(clean_line(line, 300) for line in text.splitlines() if line.strip())[:20]
