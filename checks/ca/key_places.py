"""Where a step-ca configuration looks for its keys: on one token, through one module, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from checks.documents import ca_uri
from checks.documents.ca_expect import SECRET_KEYS
from checks.documents.json_tree import parse_json
from checks.documents.malformed import Malformed
from checks.documents.places import Places
from checks.documents.veil import veil_text
from checks.evidence.documents import Said
from checks.hsm.uri import Pkcs11Uri, UriError
from runbook.files.document import Map

KEYS: Final = ("key", "ssh.userKey", "ssh.hostKey")
"""The configuration's keys, by JMESPath."""

SYMPTOMS: Mapping[str, str] = {
    "malformed": "The configuration in the container is not JSON.",
    "not pkcs11": "The configuration looks for a key, or for all of them, somewhere else than on a token.",
    "module": "The configuration names another PKCS#11 module.",
    "bad uri": "A PKCS#11 URI is not one (RFC 7512).",
    "secret in file": "A PIN or password stands in the configuration.",
}


@dataclass(slots=True)
class KeyPlaces:
    """What the configuration says."""

    keys: list[str] = field(default_factory=list)
    """Each key with its URI, without secrets."""
    certificate: str = ""
    """Path of the intermediate certificate, in the container."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Symptom and sentence."""


def key_places(text: str, module: str) -> KeyPlaces:
    """Judge the text of a `ca.json`; `module` is the module's path in the container, as the configuration has it."""
    found = KeyPlaces()
    try:
        places = Places(_object(text))
    except Malformed as error:
        found.problems.append(("malformed", f"line {error.mark.line}: {error.message}"))
        return found
    certificate = places.ask("crt").value
    found.certificate = certificate if isinstance(certificate, str) else ""
    found.problems += _kms(places, module)
    for at in KEYS:
        value = places.ask(at).value
        found.problems += _key(at, value, module)
        found.keys.append(f"{at}: {veil_text(value) if isinstance(value, str) else 'none'}")
    issuer = places.ask("authority.type").value
    if issuer not in (None, "", "softcas"):
        found.problems.append(
            ("not pkcs11", f"certificates are issued by another service (`authority.type`: {issuer})")
        )
    found.problems += [
        ("secret in file", f"`{at}` holds a secret (it is not shown)")
        for at in SECRET_KEYS
        if not places.ask(at).nothing
    ]
    return found


def _object(text: str) -> Map:
    root = parse_json(text)
    if not isinstance(root, Map):
        raise Malformed(root.mark, "expected an object, `{ … }`")
    return root


def _kms(places: Places, module: str) -> Iterator[tuple[str, str]]:
    kind = places.ask("kms.type").value
    if kind != "pkcs11":
        yield "not pkcs11", f"`kms.type` is {kind or 'not set: keys are files'}, expected pkcs11"
        return
    uri = ca_uri.read(places)
    yield from ((finding.symptom, finding.text) for finding in uri.findings if finding.state is Said.WRONG)
    if uri.parsed is not None and uri.parsed.module_path != module:
        yield "module", f"`kms.uri` names the module {uri.parsed.module_path or 'by no path'}, expected {module}"


def _key(at: str, value: Any, module: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not value:
        yield "not pkcs11", f"there is no `{at}`"
    elif not value.startswith("pkcs11:"):
        yield "not pkcs11", f"`{at}` is {veil_text(value)}, which is not on a token"
    else:
        try:
            uri = Pkcs11Uri.parse(value)
        except UriError as error:
            yield "bad uri", f"{at}: {veil_text(error.what)}"
            return
        if uri.module_path not in (None, module):
            yield "module", f"`{at}` names the module {uri.module_path}, expected {module}"
