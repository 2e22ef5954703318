"""A TLS certificate issued as a proof: by the provisioner's password, over the whole chain (playbook §G8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.ca.errors import SYMPTOMS as SERVER_SYMPTOMS
from checks.ca.provisioners import SYMPTOMS as KEY_SYMPTOMS
from checks.ca.server import ProvisionerParams, client_of
from checks.evidence.ca import CertificateIssued
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Check
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.threads import in_thread

if TYPE_CHECKING:
    from cryptography import x509

    from checks.ca.issued import Judged
    from checks.ca.issuing import Issued
    from checks.ca.openssl import Verified


class CertificateParams(ProvisionerParams):
    """Which authority, as which provisioner, and what the certificate must lead to."""

    subject: str = Field(
        "proof.test",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
        description="The DNS name that the certificate is for.",
        examples=["test.example.org"],
    )
    minutes: int = Field(
        0, ge=0, le=60 * 24 * 30, description="How long it is to be valid; 0: as the provisioner has it.", examples=[5]
    )
    root: Line = Field(
        description="The root that it must lead to (PEM or DER); relative to the runbook's folder.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    intermediate: Line = Field(
        description="The intermediate that must have signed it.", examples=["{{ export_usb }}/intermediate_ca.crt"]
    )


class Certificate(Check[CertificateParams]):
    """A step-ca issues a certificate that leads over the intermediate expected to the root expected.

    The password opens the provisioner's key in memory; a fresh key, which never leaves memory either, gets a
    certificate over the CA's API. It is judged here and by `openssl verify`, and kept with the record.
    """

    name = "ca.certificate"
    Params = CertificateParams
    evidence = (CertificateIssued,)
    symptoms: ClassVar = {
        **SERVER_SYMPTOMS,
        **KEY_SYMPTOMS,
        **ARTEFACT_SYMPTOMS,
        "refused": "The authority does not take the one-time token, or does not give what was asked for.",
        "wrong certificate": "The certificate is for another name or key than asked for, or for a CA.",
        "not valid": "The certificate is not valid at this time.",
        "another intermediate": "The certificate was signed by another intermediate than the one in the file.",
        "no chain": "There is no way from the certificate over the intermediate to the root in the file.",
        "openssl refuses": "OpenSSL does not accept the certificate with this intermediate and this root.",
        "program not found": "There is no `openssl` on this machine.",
    }
    loads = ("checks.ca.client", "checks.ca.jwk", "checks.ca.issued")

    def plan(self) -> tuple[str, ...]:
        given = self.params
        return (
            f"ask {given.url} for a certificate for {given.subject}, as the provisioner {given.provisioner}",
            *given.shown,
            f"  it must lead over {given.intermediate} to {given.root}, also for `openssl verify`",
        )

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.fingerprints import certificate_sha256
        from checks.artefacts.keys import load_certificate
        from checks.ca.issued import OPENSSL, first_wrong, judge, said
        from checks.ca.issuing import issue, request
        from checks.ca.openssl import verify
        from checks.ca.provisioners import ask_key
        from checks.files.programs import find_program

        given = self.params
        # Everything that can fail without the password comes first.
        find_program("openssl", None, None)
        root = await load_certificate(resolve(ctx.folder, given.root))
        intermediate = await load_certificate(resolve(ctx.folder, given.intermediate))
        client = await client_of(given, ctx)
        key = await ask_key(client, given.provisioner, ctx, given.ask)
        wanted = await in_thread(lambda: request(given.subject))
        issued = await issue(client, key, wanted, root=certificate_sha256(root), minutes=given.minutes)
        names = tuple(name.rpartition("/")[2] for name in (given.intermediate, given.root))
        judged = await in_thread(lambda: list(judge(issued, wanted, intermediate, root, (names[0], names[1]))))
        theirs = await verify(issued.certificate, intermediate, root, given.subject, time_left(ctx))
        refuses = f"openssl verify refuses it: {theirs.said[-1]}" if theirs.said else "openssl verify says nothing"
        judged.append(said(theirs.accepted, OPENSSL, "openssl verify accepts it", refuses))
        await ctx.attach(f"{given.subject}.crt", _pem(issued))
        evidence = self._evidence(client.where, issued, root, judged, theirs)
        if wrong := first_wrong(judged):
            return Outcome.failed(wrong[0], evidence, symptom=wrong[1])
        what = f"serial {evidence.serial}, signed with {evidence.signed_with}"
        return Outcome.passed(f"the CA issued a certificate for {given.subject}: {what}", evidence)

    def _evidence(
        self, server: str, issued: Issued, root: x509.Certificate, judged: list[Judged], theirs: Verified
    ) -> CertificateIssued:
        from checks.artefacts.certificates import signed_with
        from checks.artefacts.keys import key_type
        from checks.ca.chain import name_of
        from checks.ca.issued import dns_names, links

        found = issued.certificate
        serial = f"{found.serial_number:X}"
        return CertificateIssued(
            server=server,
            provisioner=self.params.provisioner,
            subject=name_of(found),
            names=dns_names(found),
            serial=serial.zfill(len(serial) + len(serial) % 2),
            begins=found.not_valid_before_utc.isoformat(),
            ends=found.not_valid_after_utc.isoformat(),
            key=key_type(found.public_key()),
            signed_with=signed_with(found),
            chain=links(issued, root),
            statements=tuple(one.statement for one in judged),
            openssl=theirs.said,
        )


def _pem(issued: Issued) -> bytes:
    """The certificate and those that came with it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(one.public_bytes(Encoding.PEM) for one in (issued.certificate, *issued.above))
