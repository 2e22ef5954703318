"""A whole rehearsal leaves nothing of its PINs but on the sheet: no spelling of them and no digest."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from rehearsal.ccat import ENV_FILE
from runbook.secrets import Redactor, Secret
from tests.rehearsal.program import journals, pin_of, runbook, so_pin_of

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s")


def traces(secret: bytes) -> Iterator[bytes]:
    """The secret, its encodings, and its digests in each of them, as any tool would write them."""
    yield secret
    values = [secret]
    for salted in (secret, secret + b"\n", secret + b"\0"):
        values += [hashlib.new(name, salted).digest() for name in DIGESTS]
    for value in values:
        yield value.hex().encode()
        yield value.hex().upper().encode()
        yield value.hex(":").encode()
        yield base64.b64encode(value).rstrip(b"=")
        yield base64.urlsafe_b64encode(value).rstrip(b"=")
    yield from values[1:]


def test_no_file_of_a_rehearsal_holds_a_pin_or_its_digest(home: Path) -> None:
    lab = home / "lab"
    done = runbook("rehearse", "--headless", "--token", "softhsm", "--folder", lab)
    assert done.returncode == 0, done.stdout + done.stderr
    (journal,) = journals(home)
    assert len(list(journal.parent.iterdir())) >= 2, "the journal and the lock, at least"
    sheet = lab / "paper-sheet.yaml"
    # The token's own files hold the PINs as SoftHSM2 keeps them: they stand for a card. And stage C is there to put one
    # into the environment file of the CA's host.
    kept = (sheet, lab / "hosts" / "input-b" / ENV_FILE)
    assert all(path.exists() for path in kept)
    files = [path for path in home.rglob("*") if path.is_file() and path not in kept and "tokens" not in path.parts]
    assert journal in files
    for secret in (pin_of(sheet), so_pin_of(sheet)):
        redact = Redactor()
        redact.learn(Secret.from_text(secret))
        assert redact(done.stdout + done.stderr) == done.stdout + done.stderr
        for path in files:
            content = path.read_bytes()
            assert [trace for trace in traces(secret.encode()) if trace in content] == [], path
            text = content.decode("utf-8", "surrogateescape")
            assert redact(text) == text, path
