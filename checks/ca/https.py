"""An answer over HTTPS: its status, and what it says as JSON."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.ca.errors import SYMPTOMS as SERVER_SYMPTOMS
from checks.ca.server import ServerParams, client_of
from checks.documents.assertion import Assertion
from checks.documents.document import ASSERTION_SYMPTOMS
from checks.documents.judging import Source, shown
from checks.documents.malformed import Malformed
from checks.documents.places import Places
from checks.evidence.ca import ServerAnswer
from checks.evidence.documents import DocumentJudged, Said
from checks.hosts.stat import Stat
from runbook.context import Context
from runbook.files.document import split_lines
from runbook.kind import Check
from runbook.outcome import Outcome
from runbook.threads import in_thread

if TYPE_CHECKING:
    from checks.ca.client import Client
    from checks.ca.exchange import Answer


class HttpsParams(ServerParams):
    """A URL, and what it must answer."""

    status: int = Field(
        200, ge=100, le=599, description="The status that is expected; no redirection is followed.", examples=[200]
    )
    expect: tuple[Assertion, ...] = Field(
        (),
        description="What the answer must say as JSON, as in the check `document`; none: its status counts alone.",
        examples=[[{"at": "status", "equals": "ok"}]],
    )


class Https(Check[HttpsParams]):
    """A URL answers with the status expected, from a server whose certificate leads to the root expected.

    `expect` holds statements about its JSON: JMESPath expressions and what each comes to.
    """

    name = "https"
    Params = HttpsParams
    evidence = (ServerAnswer, DocumentJudged)
    symptoms: ClassVar = {**SERVER_SYMPTOMS, **ASSERTION_SYMPTOMS}
    loads = ("checks.ca.client", "cryptography.x509")

    def plan(self) -> tuple[str, ...]:
        wanted = (f"  {one.at}" for one in self.params.expect)
        return (f"GET {self.params.url}: {self.params.status}", *self.params.shown, *wanted)

    async def run(self, ctx: Context) -> Outcome:
        client = await client_of(self.params, ctx)
        answer = await client.ask("GET", "")
        seen = answered(client, answer, self.params.status)
        if answer.status != self.params.status:
            error = client.refusal(answer, "")
            what = f"{error.what}; expected {self.params.status}"
            return Outcome.failed(what, seen, symptom=error.symptom, remedy=error.remedy)
        if not self.params.expect:
            return Outcome.passed(f"{self.params.url} answers {seen.status}", seen)
        judged, symptom = await in_thread(lambda: self._judge(client, answer))
        if symptom:
            said = f"{self.params.url}: {judged.those(Said.WRONG)[0].text}"
            return Outcome.failed(said, seen, judged, symptom=symptom)
        return Outcome.passed(f"{self.params.url} answers {seen.status}: {judged.verdict}", seen, judged)

    def _judge(self, client: Client, answer: Answer) -> tuple[DocumentJudged, str]:
        """Every statement, and the symptom of the first that does not hold. Raises NotJson."""
        from checks.ca.client import beginning
        from checks.documents.json_tree import parse_json

        try:
            text = answer.body.decode("utf-8-sig")
            places = Places(parse_json(text))
        except UnicodeDecodeError:
            raise client.not_json("", "it is not UTF-8") from None
        except Malformed as error:
            raise client.not_json("", f"{error.message}; it begins with {beginning(answer.body)}") from None
        source = Source(self.params.url, text, Stat("file"), lines=tuple(split_lines(text)))
        findings = [finding for one in self.params.expect for finding in one.judge(places)]
        judged = DocumentJudged(
            path=self.params.url,
            on=client.where,
            format="json",
            sha256=hashlib.sha256(answer.body).hexdigest(),
            findings=tuple(shown(finding, source) for finding in findings),
        )
        return judged, next((finding.symptom for finding in findings if finding.state is Said.WRONG), "")


def answered(client: Client, answer: Answer, expected: int) -> ServerAnswer:
    """The answer and its server, for people."""
    from cryptography import x509

    from checks.ca.chain import served
    from checks.ca.client import status_words

    certificate = x509.load_der_x509_certificate(answer.certificate)
    return ServerAnswer(
        url=client.url(""),
        server=client.where,
        trusting=client.trust.shown,
        tls=answer.tls,
        subject=certificate.subject.rfc4514_string() or "no subject",
        issuer=certificate.issuer.rfc4514_string(),
        ends=certificate.not_valid_after_utc.isoformat(),
        sha256=hashlib.sha256(answer.certificate).hexdigest(),
        status=status_words(answer.status),
        expected=expected,
        size=len(answer.body),
        chain=served(answer.chain),
    )
