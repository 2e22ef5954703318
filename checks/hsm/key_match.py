"""A key on a token and an artefact hold the same public key (playbook §A4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.evidence.fingerprints import Fingerprint, FingerprintPair, KeyMatch
from checks.hsm.errors import SYMPTOMS as TOKEN_SYMPTOMS
from checks.hsm.key_id import KeyId
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Check, Params, TokenName
from runbook.outcome import Outcome
from runbook.paths import resolve

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from checks.artefacts.keys import Artefact

KEYS_DIFFER = "keys differ"


class KeyMatchParams(Params):
    """Which key, and the file to hold against it."""

    token: TokenName
    key: KeyId
    artefact: Line = Field(
        description="A certificate (PEM or DER), a public key (PEM or DER), or an OpenSSH public key; relative to the "
        "runbook's folder.",
        examples=["{{ export_usb }}/intermediate_ca.crt"],
    )


class KeyMatchCheck(Check[KeyMatchParams]):
    """The public key of an id on the token is the one in an artefact: certificate, public key or OpenSSH line.

    Both are read afresh; no PIN is needed. Two fingerprints stand side by side: SHA-256 over the
    SubjectPublicKeyInfo, and OpenSSH's SHA256 as `ssh-keygen -l` prints it. Of a certificate its own SHA-256 and SHA-1
    are shown as well, so that it can be found where it is known by these; not of a root, whose is on paper.
    """

    name = "key_match"
    Params = KeyMatchParams
    evidence = (KeyMatch,)
    symptoms: ClassVar = {
        KEYS_DIFFER: "The token and the artefact hold different keys.",
        **ARTEFACT_SYMPTOMS,
        **TOKEN_SYMPTOMS,
    }
    loads = ("checks.hsm.pool", "checks.artefacts.keys", "checks.artefacts.fingerprints")

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.keys import load_artefact
        from checks.hsm.pool import use_token

        artefact = await load_artefact(resolve(ctx.folder, self.params.artefact))
        token = await use_token(ctx, self.params.token)
        held = await token.public_key(bytes.fromhex(self.params.key))
        found = KeyMatch(
            token=(await token.info()).name,
            key_id=held.key_id,
            key_type=held.key_type,
            artefact=str(artefact.path),
            artefact_format=artefact.format,
            pairs=_pairs(held.public_key, artefact.public_key, f"token, key {held.key_id}", artefact.path.name),
            certificate=_certificate(artefact),
        )
        if found.matches:
            return Outcome.passed(f"key {held.key_id} is the key in {artefact.path.name}", found)
        return Outcome.failed(
            f"key {held.key_id} ({held.key_type}) is NOT the key in {artefact.path.name}",
            found,
            symptom=KEYS_DIFFER,
            remedy="Stop. This is not the token the artefact was made with, or the artefact was changed.",
        )


def _pairs(
    held: PublicKeyTypes, artefact: PublicKeyTypes, held_title: str, artefact_title: str
) -> tuple[FingerprintPair, ...]:
    from checks.artefacts.fingerprints import openssh_name, openssh_sha256, spki_sha256

    titles = {"left_title": held_title, "right_title": artefact_title}
    spki = FingerprintPair(form="SPKI SHA-256", left=spki_sha256(held), right=spki_sha256(artefact), **titles)
    left, right = openssh_sha256(held), openssh_sha256(artefact)
    # OpenSSH has no keys on some curves; one side alone would look like a difference of its own.
    if left is None or right is None:
        return (spki,)
    keys = {"left_key": openssh_name(held), "right_key": openssh_name(artefact)}
    return (spki, FingerprintPair(form="OpenSSH SHA256", left=left, right=right, **titles, **keys))


def _certificate(artefact: Artefact) -> tuple[Fingerprint, ...]:
    from checks.artefacts.fingerprints import certificate_sha1, certificate_sha256

    certificate = artefact.certificate
    # A root's fingerprint is on paper, and is typed from there before the computed one is seen.
    if certificate is None or certificate.subject == certificate.issuer:
        return ()
    forms = (("X.509 SHA-256", certificate_sha256), ("X.509 SHA-1", certificate_sha1))
    return tuple(Fingerprint(form=form, title=artefact.path.name, value=digest(certificate)) for form, digest in forms)
