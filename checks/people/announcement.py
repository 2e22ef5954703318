"""The check `announcement`: a text for sending, put together and proved before it is sent (playbook §G1, §H1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.people import Announcement
from checks.files.keeping import KEPT_SYMPTOMS, keep_text
from checks.files.reading import FileProblem, read_file
from checks.people import wording
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import Line, Name
from runbook.files import inputs
from runbook.files.templates import BadTemplate
from runbook.groups import veiled
from runbook.kind import Check, Params
from runbook.outcome import Outcome
from runbook.paths import resolve

ATTACHED_AS = "announcement.txt"


class AnnouncementParams(Params):
    """The text, what is put into it, and where it goes."""

    template: str = Field(
        "",
        description="A file with the text (UTF-8); relative to the runbook's folder.",
        examples=["{{ repository }}/docs/announcement.txt"],
    )
    text: Annotated[str, Field(max_length=20_000)] = Field(
        "",
        description="The text itself, or what follows the template's. `<fingerprint>`, `<fingerprint groups>` (a "
        "line of its own) and `<bootstrap command>` are filled in.",
        examples=["The root is <fingerprint>."],
    )
    values: Mapping[Name, str] = Field(
        default_factory=dict,
        description="What the template's own `{{ name }}` stand for.",
        examples=[{"window": "Tuesday, 22:00 to 23:30"}],
    )
    fingerprint: Line = Field(
        description="The fingerprint that is sent, as it stands on paper: an input.",
        examples=["{{ root_fingerprint }}"],
    )
    root: Line = Field(
        description="The root certificate: its computed fingerprint has to be that one.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    ca_url: Line = Field(description="The CA, as the members' command names it.", examples=["https://ca.example.org"])
    write_to: str = Field(
        "",
        description="A file for the text (mode 0644); one that holds another text is never overwritten.",
        examples=["{{ announcement }}"],
    )

    @model_validator(mode="after")
    def _something(self) -> AnnouncementParams:
        if not (self.template or self.text.strip()):
            raise ValueError("say what is to be sent: `template`, `text` or both")
        return self


class AnnouncementCheck(Check[AnnouncementParams]):
    """A text for sending holds the root's fingerprint, computed from the certificate, and the command to bootstrap.

    The fingerprint must be in it twice, as one word and in lettered groups, and no other may; nothing may be left to
    fill in. The text is shown in full, kept with the record, and written to a file where one is named.
    """

    name = "announcement"
    Params = AnnouncementParams
    evidence = (Announcement, FingerprintPair)
    symptoms: ClassVar = {
        "another fingerprint": "The text, or the paper, gives another fingerprint than the root certificate has.",
        "fingerprint missing": "The text does not give the fingerprint, or not both as a word and in groups.",
        "command missing": "The text does not give the command that each member runs.",
        "placeholder left": "Something in the text still stands for something else.",
        "no fingerprint": "What is given as the fingerprint is no SHA-256 value.",
        "unusable template": "The template asks for a value that the step does not give, or is no text.",
        **KEPT_SYMPTOMS,
        **ARTEFACT_SYMPTOMS,
    }

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.fingerprints import certificate_sha256
        from checks.artefacts.keys import load_certificate

        params = self.params
        given = _given(params.fingerprint)
        path = resolve(ctx.folder, params.root)
        certificate = await load_certificate(path)
        computed = certificate_sha256(certificate)
        if given != computed:
            pair = FingerprintPair(
                form="SHA-256",
                left_title="to be sent",
                left=given,
                right_title=path.name,
                right=veiled(computed, given),
            )
            return Outcome.failed(
                f"the fingerprint to be sent is not that of {path.name}",
                pair,
                symptom="another fingerprint",
                remedy="Send nothing. Find out which of the two is wrong before anybody is told.",
            )
        text = wording.fill(await self._text(ctx), fingerprint=computed, url=params.ca_url)
        found = list(wording.problems(text, fingerprint=computed, url=params.ca_url))
        said = Announcement(
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            root=str(path),
            subject=certificate.subject.rfc4514_string(),
            fingerprint=computed,
            problems=tuple(problem for _, problem in found),
        )
        if found:
            symptom, problem = found[0]
            remedy = "Correct the text; nothing was kept or written." if len(found) == 1 else "Correct all of it."
            return Outcome.failed(f"the text cannot be sent: {problem}", said, symptom=symptom, remedy=remedy)
        await ctx.attach(ATTACHED_AS, [text.encode()])
        return await self._kept(ctx, said)

    async def _kept(self, ctx: Context, said: Announcement) -> Outcome:
        summary = "ready to be sent, with the root's fingerprint"
        if not self.params.write_to:
            return Outcome.passed(summary, said)
        path = resolve(ctx.folder, self.params.write_to)
        await ctx.touch("file", str(path), how="written")
        await keep_text(path, said.text)
        return Outcome.passed(f"{summary}: {path}", said.model_copy(update={"file": str(path)}))

    async def _text(self, ctx: Context) -> str:
        """The words, with the values in them."""
        if not self.params.template:
            return self.params.text
        path = resolve(ctx.folder, self.params.template)
        read = _decoded(await read_file(path), path)
        try:
            words = wording.insert(read, self.params.values)
        except BadTemplate as error:
            raise StepError(error.what, where=str(path), remedy=error.remedy, symptom="unusable template") from None
        return f"{words.rstrip()}\n\n{self.params.text}" if self.params.text.strip() else words


def _given(text: str) -> str:
    try:
        return inputs.sha256(text)
    except ValueError as error:
        raise StepError(str(error), where="fingerprint", symptom="no fingerprint") from None


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FileProblem(f"byte {error.start + 1} is no UTF-8", where=str(path), symptom="unusable template") from None
