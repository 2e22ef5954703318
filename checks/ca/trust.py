"""Which roots a server's certificate must lead to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.context import Context
from runbook.paths import resolve

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots, and how they are called."""

    shown: str
    roots: str | None = ""
    """Certificates (PEM); empty: those of this machine; None: whoever answers is believed."""

    @classmethod
    def system(cls) -> Trust:
        """The roots that this machine trusts (SSL_CERT_FILE and SSL_CERT_DIR count, as with OpenSSL)."""
        return cls("a root that this machine trusts")

    @classmethod
    def anybody(cls) -> Trust:
        """No root at all: for what is compared with a known value afterwards."""
        return cls("nothing", None)

    def context(self) -> ssl.SSLContext:
        """For a client, TLS 1.2 or newer; raises ssl.SSLError where a root cannot be used."""
        import ssl

        context = ssl.create_default_context(cadata=self.roots or None)
        if self.roots is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.hostname_checks_common_name = False  # RFC 9525 §2: names stand in the subject alternative names alone
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def pinned(data: bytes, path: Path) -> Trust:
    """Only the certificates in these bytes (PEM, one or several; or DER). Raises WrongArtefact."""
    import ssl

    from checks.artefacts.formats import Format, identify
    from checks.artefacts.symptoms import WrongArtefact, refusal

    expected = (Format.CERTIFICATE_PEM, Format.CHAIN_PEM, Format.CERTIFICATE_DER)
    found = identify(data)
    if found.private or found.format not in expected:
        raise refusal(found, expected, where=str(path))
    try:
        text = ssl.DER_cert_to_PEM_cert(data) if found.format is Format.CERTIFICATE_DER else data.decode("ascii")
        trust = Trust(path.name, text)
        trust.context()
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise WrongArtefact(
            f"it looks like {found.format}, but cannot be used: {error}",
            where=str(path),
            remedy="Copy it again from where it was made.",
            symptom="damaged file",
        ) from None
    return trust


async def trust_of(name: str, ctx: Context) -> Trust:
    """The roots in the file of that name (relative to the runbook's folder); empty: this machine's.

    Raises FileProblem and WrongArtefact.
    """
    from checks.files.reading import read_file
    from runbook.threads import in_thread

    if not name:
        return Trust.system()
    path = resolve(ctx.folder, name)
    data = await read_file(path)
    return await in_thread(lambda: pinned(data, path))
