"""What can be wrong with an artefact, in words that hints match on. Cheap to import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checks.artefacts.formats import Format, Identified
from checks.files.reading import SYMPTOMS as READING
from runbook.errors import StepError

SYMPTOMS: Mapping[str, str] = {
    **READING,
    "wrong format": "The file is of another format than the one expected, for example DER for PEM.",
    "damaged file": "The file is of the right format, but cut short or changed.",
    "private key": "The file holds a private key where something public is expected.",
}
"""The symptoms of FileProblem and WrongArtefact, for the kinds that read artefacts."""

_OPENSSH = "`ssh-keygen -i -m PKCS8` makes an OpenSSH line of a PEM public key."
_REMEDIES: Mapping[Format, str] = {
    Format.CERTIFICATE_DER: "Convert it: openssl x509 -inform DER -in FILE -out FILE.pem",
    Format.OPENSSH_PUBLIC: "This is an SSH key, X.509 tools cannot read it. Look whether two files were swapped.",
    Format.SPKI_PEM: _OPENSSH,
    Format.SSH2_PUBLIC: "Convert it: ssh-keygen -i -m RFC4716 -f FILE",
    Format.PKCS7_PEM: "Take the certificates out: openssl pkcs7 -print_certs -in FILE",
    Format.PKCS7_DER: "Take the certificates out: openssl pkcs7 -inform DER -print_certs -in FILE",
    Format.CHAIN_PEM: "Keep the one certificate that belongs into this file.",
    Format.CV_CERTIFICATE: "Neither OpenSSL nor X.509 tools read it: it names the device, not the key.",
    Format.CV_CERTIFICATE_PEM: "The armour misleads: no X.509 tool reads what is inside. Export the X.509 certificate.",
}


class WrongArtefact(StepError):
    """A file that is something else than what was expected; `symptom` is one of SYMPTOMS."""


def refusal(found: Identified, expected: Iterable[Format], *, where: str) -> WrongArtefact:
    """The error that names what a file is and what was expected."""
    wanted = " or ".join(expected)
    if found.private:
        return WrongArtefact(
            f"ALARM: this file holds a private key ({found}); expected: {wanted}",
            where=where,
            remedy="Treat that key as exposed: find out where it comes from and who could read it. Stop until then.",
            symptom="private key",
        )
    match found.format:
        case Format.EMPTY:
            symptom = "file empty"
        case Format.PEM_TRUNCATED | Format.PEM_DAMAGED | Format.DER_TRUNCATED:
            symptom = "damaged file"
        case _:
            symptom = "wrong format"
    remedy = _REMEDIES.get(found.format, "Copy the right file again from where it was made.")
    return WrongArtefact(f"this is: {found}; expected: {wanted}", where=where, remedy=remedy, symptom=symptom)
