"""The check `ca_config`: the ca.json of a step-ca whose keys are on a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from checks.documents import ca_uri
from checks.documents.ca_expect import EXAMPLE, KNOWN_KEYS, SECRET_KEYS, Expect
from checks.documents.json_tree import parse_json
from checks.documents.judging import SYMPTOMS, DocumentCheck, DocumentsParams, Finding, Source, remark, right, wrong
from checks.documents.malformed import Malformed
from checks.documents.places import Places
from checks.evidence.documents import Said
from checks.hosts.machine import Machine
from checks.hsm.errors import SYMPTOMS as TOKEN_SYMPTOMS
from runbook.context import Context
from runbook.errors import StepError
from runbook.files.document import Map
from runbook.files.problems import did_you_mean
from runbook.kind import TokenName
from runbook.threads import in_thread

CA_SYMPTOMS: Mapping[str, str] = {
    "address": "The port or the DNS names are others.",
    "log": "The log has another format.",
    "database": "The database is of another type or in another folder.",
    "certificate": "A certificate is expected in another place.",
    "not pkcs11": "The keys are not looked for on a token.",
    "remote administration": "Remote administration is on, or not switched off in so many words.",
    "ssh ca off": "The SSH CA is not switched on.",
    "provisioners": "There are provisioners already.",
    "tls": "TLS versions or cipher suites are others.",
    "secret in file": "A PIN or password stands in the file.",
    "bad uri": "A PKCS#11 URI is not one (RFC 7512).",
    "serial": "The URI names another serial number than the paper, or none.",
    "not the token": "The token that is plugged in has another serial number than the file.",
    "module": "The PKCS#11 module is another, or given for the host and not for the container.",
    "pin source": "The PIN is looked for in another place.",
    "key id": "A key is looked for under another id.",
}


class Params(DocumentsParams):
    """The configuration, and what it must say."""

    token: TokenName | None = Field(
        None, description="A token to compare the serial with; no PIN is needed.", examples=["intermediate"]
    )
    expect: Expect = Field(description="What the configuration must say.", examples=[EXAMPLE])


class CaConfig(DocumentCheck[Params]):
    """A step-ca configuration leads to the keys of the right token, without a PIN in it, and holds nothing surprising.

    Always: remote administration off, SSH CA on, no provisioner yet, no secret in the file, no renegotiation. The URI
    is read by RFC 7512; its serial must be the one on paper and the one of the token. Keys that step-ca does not know,
    or that nobody expects, are remarked.
    """

    name = "ca_config"
    format = "step-ca configuration"
    Params = Params
    symptoms: ClassVar = {**TOKEN_SYMPTOMS, **SYMPTOMS, **CA_SYMPTOMS}
    loads: ClassVar = ("checks.hsm.pool",)

    async def judge(self, source: Source, _machine: Machine, ctx: Context) -> Iterable[Finding]:
        root = await in_thread(lambda: parse_json(source.text))
        if not isinstance(root, Map):
            raise Malformed(root.mark, "expected an object, `{ … }`")
        places, expect = Places(root), self.params.expect
        findings = [*_secrets(places)]
        uri = ca_uri.read(places)
        findings += [*uri.findings, *ca_uri.judge(uri, expect)]
        findings += await self._token(uri, ctx)
        for at, wanted in (
            ("key", expect.key),
            ("ssh.userKey", expect.ssh_user_key),
            ("ssh.hostKey", expect.ssh_host_key),
        ):
            findings.append(ca_uri.key(places, at, wanted))
        for symptom, assertion in expect.assertions():
            findings += [_with(finding, symptom) for finding in assertion.judge(places)]
        return [*findings, *_surplus(root)]

    async def _token(self, uri: ca_uri.Uri, ctx: Context) -> list[Finding]:
        """The serial in the file is the one of the token that is there."""
        if self.params.token is None:
            return []
        from checks.hsm.pool import use_token

        try:
            survey = await (await use_token(ctx, self.params.token)).survey()
        except StepError as error:
            return [wrong(error.symptom, f"the token was not asked: {error.what}")]
        if survey.problem or survey.selected is None or survey.selected.token is None:
            problem = survey.problem
            return [wrong(problem.symptom if problem else "no token", problem.what if problem else "no token is there")]
        found = survey.selected.token.serial
        if uri.parsed is None:
            return []
        said = f"the serial of the token that is plugged in is {found}"
        if uri.parsed.serial == found:
            return [right(f"{said}, as in the file")]
        because = "step-ca would find no token of that serial number."
        return [wrong("not the token", f"{said}, the file has {uri.parsed.serial}", uri.at("serial"), because)]


def _with(finding: Finding, symptom: str) -> Finding:
    return replace(finding, symptom=symptom) if finding.state is Said.WRONG else finding


def _secrets(places: Places) -> Iterator[Finding]:
    for at in SECRET_KEYS:
        found = places.ask(at)
        if not found.nothing:
            because = "The file is committed; take it out, and change the secret."
            yield wrong("secret in file", f"`{at}` holds a secret (it is not shown)", found.mark, because)


def _surplus(root: Map) -> Iterator[Finding]:
    """Keys that are not expected: they are told, and nothing more is known of them."""
    for section, known in KNOWN_KEYS.items():
        holder = root.map(section) if section else root
        for name, mark in holder.keys.items() if holder else ():
            path = f"{section}.{name}" if section else name
            if name not in known:
                hint = did_you_mean(name, known)
                yield remark(f"step-ca knows no key `{path}`{hint and '; '}{hint}", mark)
            elif path not in EXPECTED:
                yield remark(f"nothing is expected of `{path}`, and it was not judged", mark)


EXPECTED = frozenset(
    {
        *("address", "dnsNames", "logger", "db", "root", "crt", "key", "kms", "ssh", "authority", "tls"),
        *("kms.type", "kms.uri", "ssh.userKey", "ssh.hostKey", "authority.enableAdmin", "authority.claims"),
        *("authority.provisioners", *(f"tls.{name}" for name in KNOWN_KEYS["tls"]), *SECRET_KEYS),
    }
)
"""Keys that are judged."""
