"""A certificate's fingerprint beside the one on paper (playbook §B1)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from checks.artefacts.spellings import find_sha256
from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.evidence.fingerprints import FingerprintPair, PaperFingerprint
from runbook.context import Context
from runbook.fields import Line
from runbook.groups import veiled
from runbook.kind import Check, InputName, Params
from runbook.operator import CompareRequest
from runbook.outcome import Outcome
from runbook.paths import resolve

PAPER_DIFFERS = "paper differs"


class PaperFingerprintParams(Params):
    """The certificate, and the input that is typed from paper."""

    file: Line = Field(
        description="The certificate (PEM or DER); relative to the runbook's folder.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    input: InputName = Field(description="A sha256 input with `source: paper`.", examples=["root_fingerprint"])
    method: Literal["blind", "compare"] = Field(
        "blind",
        description="`blind`: typed without seeing the computed value, compared by the program; what differs stays "
        "hidden. `compare`: both are shown as well, and the operator has to say that they are the same.",
    )


class PaperFingerprintCheck(Check[PaperFingerprintParams]):
    """The SHA-256 of a certificate is the one on paper, typed from there before the computed one is shown."""

    name = "paper_fingerprint"
    Params = PaperFingerprintParams
    evidence = (PaperFingerprint,)
    symptoms: ClassVar = {
        PAPER_DIFFERS: "What the paper says is not the certificate's fingerprint.",
        "not seen as the same": "The operator, comparing by eye, did not find them the same.",
        "no fingerprint": "What was typed is no SHA-256 value.",
        **ARTEFACT_SYMPTOMS,
    }

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.fingerprints import certificate_sha256
        from checks.artefacts.keys import load_certificate

        # Everything that can fail without a person comes first; the value stays unseen until the paper's is typed.
        path = resolve(ctx.folder, self.params.file)
        certificate = await load_certificate(path)
        computed = certificate_sha256(certificate)
        paper = find_sha256(await ctx.ask_input(self.params.input), where=self.params.input)
        by_eye = self.params.method == "compare"
        # A second try must be as blind as the first: what the paper is to say is not shown, nor on the record.
        shown = computed if by_eye else veiled(computed, paper)
        pair = FingerprintPair(form="SHA-256", left_title="paper", left=paper, right_title=path.name, right=shown)
        found = PaperFingerprint(
            file=str(path),
            subject=certificate.subject.rfc4514_string(),
            method="compared by eye" if by_eye else "blind",
            pair=pair,
        )
        seen_same = not by_eye or await ctx.operator.compare(
            CompareRequest("Are they the same?", pair.left_title, pair.left, pair.right_title, pair.right)
        )
        return self._judge(found, seen_same)

    def _judge(self, found: PaperFingerprint, seen_same: bool) -> Outcome:
        pair = found.pair
        if not pair.matches:
            places = pair.different_groups
            return Outcome.failed(
                f"paper and {pair.right_title} differ in {_places(places)}",
                found,
                symptom=PAPER_DIFFERS,
                remedy="Look at these groups on paper, and type it once more if a character was mistyped. If the "
                "paper was typed as it stands, stop and investigate.",
            )
        if not seen_same:
            return Outcome.failed(
                "the operator did not find the two values the same, although they are",
                found,
                symptom="not seen as the same",
                remedy="Look again together.",
            )
        return Outcome.passed(f"the paper's fingerprint is that of {pair.right_title}", found)


def _places(places: list[str]) -> str:
    if len(places) > 8:
        return f"{len(places)} of the groups, from {places[0]} on"
    return ("group " if len(places) == 1 else "groups ") + ", ".join(places)
