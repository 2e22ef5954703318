"""What `step ca bootstrap` would see (playbook §H1): the root by its fingerprint, then the CA under that root."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.artefacts.spellings import find_sha256
from checks.ca.errors import SYMPTOMS as SERVER_SYMPTOMS
from checks.ca.errors import AnotherRoot, ServerError
from checks.ca.server import PlaceParams, client_with
from checks.ca.trust import Trust
from checks.evidence.ca import BootstrapSeen, ChainLink, Statement
from checks.evidence.fingerprints import FingerprintPair
from runbook.context import Context
from runbook.kind import Check
from runbook.outcome import Outcome
from runbook.threads import in_thread

if TYPE_CHECKING:
    from cryptography import x509

    from checks.ca.client import Client
    from checks.ca.exchange import Answer

STOP = "Critical. Stop, let nobody bootstrap, and find out who answers there before anything else."


class BootstrapParams(PlaceParams):
    """Which authority, and the fingerprint of its root."""

    fingerprint: str = Field(
        min_length=1,
        max_length=500,
        description="The SHA-256 of the root, as it was announced; in any usual spelling.",
        examples=["{{ root_fingerprint }}"],
    )


@dataclass(slots=True)
class _Seen:
    """What came to light so far."""

    server: str
    statements: list[Statement] = field(default_factory=list)
    subject: str = ""
    pair: FingerprintPair | None = None
    chain: tuple[ChainLink, ...] = ()

    def say(self, text: str, holds: bool) -> None:
        self.statements.append(Statement(text=text, holds=holds))

    @property
    def evidence(self) -> BootstrapSeen:
        return BootstrapSeen(
            server=self.server,
            subject=self.subject,
            pair=self.pair,
            statements=tuple(self.statements),
            chain=self.chain,
        )

    def failed(self, what: str, symptom: str, remedy: str = "") -> Outcome:
        self.say(what, holds=False)
        return Outcome.failed(what, self.evidence, symptom=symptom, remedy=remedy)


class Bootstrap(Check[BootstrapParams]):
    """A client that bootstraps with this fingerprint gets this root, and the CA answers under it.

    The root is fetched by its fingerprint from whoever answers, as `step ca bootstrap` does, and compared; then the
    CA's health is asked for with that root as the only one that is trusted.
    """

    name = "ca.bootstrap"
    Params = BootstrapParams
    evidence = (BootstrapSeen,)
    symptoms: ClassVar = {
        **SERVER_SYMPTOMS,
        "another root": "Critical: who answers there does not have this root, or is not certified by it.",
        "public certificate": "The root is right, but the server shows a certificate of a public CA, so that clients "
        "that have bootstrapped do not believe it.",
        "no CA": "What has the fingerprint is not usable as the root of a CA.",
        "unhealthy": "The CA answers, but not that it is well.",
        "no fingerprint": "The fingerprint given is no SHA-256 value.",
        "several fingerprints": "Different values are given, and nothing says which is meant.",
    }
    loads = ("checks.ca.client", "cryptography.x509")

    def plan(self) -> tuple[str, ...]:
        return (f"fetch the root of {self.params.url} by its fingerprint", *self.params.reached, "then ask for /health")

    async def run(self, ctx: Context) -> Outcome:
        wanted = find_sha256(self.params.fingerprint, where="fingerprint")
        client = client_with(self.params, Trust.anybody(), ctx)
        seen = _Seen(client.where)
        answer = await client.ask("GET", path := f"/root/{wanted}")
        if answer.status == 404:
            return seen.failed("it knows of no root with this fingerprint", "another root", STOP)
        if answer.status != 200:
            raise client.refusal(answer, path)
        said = client.parse(answer, path)
        pem = said.get("ca") if isinstance(said, dict) else None
        if not isinstance(pem, str):
            raise client.not_json(path, "there is no certificate in it")
        root = await in_thread(lambda: _certificate(pem, client, path))
        seen.chain = await in_thread(lambda: _chain(answer, root))
        if outcome := _compare(seen, root, wanted):
            return outcome
        return await _health(seen, client.with_trust(Trust("that root", _pem(root))))


def _certificate(pem: str, client: Client, path: str) -> x509.Certificate:
    """Raises NotJson."""
    from checks.artefacts.keys import parse_certificate
    from checks.artefacts.symptoms import WrongArtefact

    try:
        return parse_certificate(pem.encode(), Path("root"))
    except WrongArtefact as error:
        raise client.not_json(path, error.what) from None


def _chain(answer: Answer, root: x509.Certificate) -> tuple[ChainLink, ...]:
    from checks.ca.chain import served

    return served(answer.chain, root)


def _compare(seen: _Seen, root: x509.Certificate, wanted: str) -> Outcome | None:
    """Whether what came is the root that is meant; None: so it is."""
    from checks.artefacts.certificates import judge_root
    from checks.artefacts.fingerprints import certificate_sha256

    got = certificate_sha256(root)
    seen.subject = root.subject.rfc4514_string() or "no subject"
    seen.pair = FingerprintPair(
        form="SHA-256", left_title="announced", left=wanted, right_title="what the CA gave", right=got
    )
    if got != wanted:
        return seen.failed("the root that it gives has another fingerprint", "another root", STOP)
    seen.say("the root that it gives has the fingerprint announced", holds=True)
    if problems := judge_root(root, dt.datetime.now(dt.UTC)).problems:
        return seen.failed(f"the root cannot be used: {problems[0]}", "no CA")
    seen.say("it is the self-signed certificate of a CA, and valid", holds=True)
    return None


async def _health(seen: _Seen, client: Client) -> Outcome:
    """The CA, with the root as the only one that is trusted."""
    try:
        said = await client.json("GET", "/health")
    except AnotherRoot as error:
        if await _is_public(client):
            return seen.failed(
                "the root is right, but the server's own certificate is of a public CA: clients that trust the root "
                "alone refuse it (`x509: certificate signed by unknown authority`)",
                "public certificate",
                "The CA has to be reached directly, not through a proxy with a certificate of its own; or the clients "
                "have to trust the public CA too.",
            )
        return seen.failed(error.what, "another root", STOP)
    except ServerError as error:
        return seen.failed(error.what, error.symptom, error.remedy)
    if not isinstance(said, dict) or said.get("status") != "ok":
        return seen.failed("the CA does not say that it is well", "unhealthy")
    seen.say("the CA answers under that root, and says that it is well", holds=True)
    return Outcome.passed(
        "a client that bootstraps gets the root announced, and the CA answers under it", seen.evidence
    )


async def _is_public(client: Client) -> bool:
    """Whether the server's certificate leads to a root of this machine."""
    try:
        await client.with_trust(Trust.system()).ask("GET", "/health")
    except ServerError:
        return False
    return True


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")
