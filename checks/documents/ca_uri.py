"""The PKCS#11 URIs of a step-ca configuration (RFC 7512)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.documents.ca_expect import Expect
from checks.documents.judging import Finding, remark, right, wrong
from checks.documents.places import Places
from checks.documents.veil import veil_text
from checks.hsm.uri import Pkcs11Uri, UriError
from runbook.files.problems import Mark

_OF_QUERY = ("module-path", "module-name", "pin-source")

_PIN = re.compile(r"[?&;]?pin-value=[^;?&]*")


@dataclass(frozen=True, slots=True)
class Uri:
    """The URI under `kms`, as far as it could be read."""

    parsed: Pkcs11Uri | None
    text: str
    mark: Mark
    """Of the opening quote."""
    findings: tuple[Finding, ...]

    def at(self, attribute: str) -> Mark:
        """Where the attribute stands in the file; the whole URI where it has none, or is spelled with escapes."""
        offset = self.text.find(f"{attribute}=")
        return Mark(self.mark.line, self.mark.column + 1 + offset) if offset >= 0 else self.mark


def read(places: Places) -> Uri:
    """The URI of `kms.uri`. A PIN in it is told and then left out, so that the rest is judged too."""
    found = places.ask("kms.uri")
    if not isinstance(found.value, str):
        missing = wrong("bad uri", "there is no `kms.uri`", found.mark, "It tells step-ca where the token is.")
        return Uri(None, "", found.mark, (missing,))
    uri = Uri(None, found.value, found.mark, ())
    findings: list[Finding] = []
    if _PIN.search(uri.text):
        because = "The file is committed. Take it out and change the PIN; `pin-source` names a file in memory."
        findings.append(wrong("secret in file", "a PIN stands in the URI (`pin-value`)", uri.at("pin-value"), because))
    else:
        findings.append(right("there is no PIN in the URI"))
    plain = _PIN.sub("", uri.text).replace("pkcs11:;", "pkcs11:")
    if re.search(r"serial=<[^>]*>", plain):
        because = "It comes from the ceremony's paper."
        findings.append(wrong("serial", "the placeholder for the serial is still there", uri.at("serial"), because))
        plain = re.sub(r"serial=<[^>]*>;?", "", plain)
    if "?" not in plain:
        plain = plain.replace("&", "?", 1)  # the PIN was the first attribute of the query
    plain, moved = _as_rfc(plain)
    if moved:
        said = f"by RFC 7512 `{'` and `'.join(moved)}` belongs behind the `?`; step-ca takes it here too"
        findings.append(remark(said, uri.at(moved[0])))
    try:
        parsed = Pkcs11Uri.parse(plain)
    except UriError as error:
        findings.append(wrong("bad uri", f"kms.uri: {veil_text(error.what)}", uri.mark, error.remedy))
        parsed = None
    return Uri(parsed, uri.text, uri.mark, tuple(findings))


def _as_rfc(text: str) -> tuple[str, list[str]]:
    """With the attributes of the query that stand in the path moved to where RFC 7512, section 2.3, has them."""
    path, mark, query = text.partition("?")
    parts = path.removeprefix("pkcs11:").split(";")
    strays = [part for part in parts if part.partition("=")[0] in _OF_QUERY]
    if not strays or not path.startswith("pkcs11:"):
        return text, []
    kept = ";".join(part for part in parts if part not in strays)
    whole = "&".join([*strays, query] if mark and query else strays)
    return f"pkcs11:{kept}?{whole}", [part.partition("=")[0] for part in strays]


def judge(uri: Uri, expect: Expect) -> Iterator[Finding]:
    """Serial, module and place of the PIN, as far as there is a URI."""
    if uri.parsed is None:
        return
    yield from _serial(uri, uri.parsed, expect)
    yield from _module(uri, uri.parsed, expect)
    source = uri.parsed.pin_source
    if source == expect.pin_source:
        yield right(f"the PIN comes from {source}")
    else:
        said = f"the PIN comes from {source}" if source is not None else "the URI has no `pin-source`"
        because = "The entrypoint puts the PIN into that file, in memory and for step-ca alone."
        yield wrong("pin source", f"{said}, expected {expect.pin_source}", uri.at("pin-source"), because)


def _serial(uri: Uri, parsed: Pkcs11Uri, expect: Expect) -> Iterator[Finding]:
    because = "By the serial the token is found whatever its label; a label with spaces and brackets has to be escaped."
    if parsed.serial is None:
        if "serial=<" not in uri.text:
            named = next((f" (it is named by `{name}`)" for name in ("token", "slot-id") if f"{name}=" in uri.text), "")
            yield wrong("serial", f"the URI has no `serial`{named}, expected {expect.serial}", uri.mark, because)
    elif parsed.serial != expect.serial:
        said = f"the serial is {parsed.serial}, on paper it is {expect.serial}"
        yield wrong("serial", said, uri.at("serial"), "step-ca would look for another token.")
    else:
        yield right(f"the serial is {parsed.serial}, as on paper")
    if parsed.slot_id is not None:
        said = "a slot number (`slot-id`) is in the URI"
        yield wrong("serial", said, uri.at("slot-id"), "It changes when the token is plugged in again.")


def _module(uri: Uri, parsed: Pkcs11Uri, expect: Expect) -> Iterator[Finding]:
    found = parsed.module_path
    if found == expect.module_path:
        yield right(f"the module is {found}")
        return
    said = f"the module is {found}" if found is not None else "the URI has no `module-path`"
    if found is not None and (found == expect.host_module or found.startswith("/usr/lib64/")):
        said += ", which is the host's"
    because = "step-ca runs in the container, and the module is looked for there."
    yield wrong("module", f"{said}, expected {expect.module_path}", uri.at("module-path"), because)


def key(places: Places, at: str, wanted: str) -> Finding:
    """The key under `at` has this id.

    step-ca reads an id that looks like hex as hex (`id=01`); by RFC 7512 those would be the two characters. Both `01`
    and `%01` are taken as the byte 01 here.
    """
    found = places.ask(at)
    if not isinstance(found.value, str):
        return wrong("key id", f"there is no `{at}`, expected pkcs11:id={wanted}", found.mark)
    try:
        uri = Pkcs11Uri.parse(found.value)
    except UriError as error:
        return wrong("bad uri", f"{at}: {veil_text(error.what)}", found.mark, error.remedy)
    number = _id(uri.id)
    said = f"{at} has the id {number}" if number else f"{at} names no `id`"
    if number == wanted:
        return right(said)
    because = "Under another id is another key, whose signatures nobody expects."
    return wrong("key id", f"{said}, expected {wanted}", found.mark, because)


def _id(raw: bytes | None) -> str:
    if raw is None:
        return ""
    text = raw.decode("latin-1")
    return text.lower() if re.fullmatch(r"([0-9A-Fa-f]{2})+", text) else raw.hex()
