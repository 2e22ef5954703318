"""The files a ceremony exports, each what its name says and all of them in agreement (playbook §0)."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.artefacts.spellings import NoFingerprint, SeveralFingerprints, find_sha256
from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.evidence.files import FileTable
from checks.files.examined import Examined
from checks.files.reading import read_file, require_folder
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import Line
from runbook.kind import Check, Params
from runbook.outcome import Outcome
from runbook.paths import resolve

if TYPE_CHECKING:
    from checks.artefacts.certificates import Judgement
    from checks.artefacts.formats import Format
    from checks.artefacts.keys import Artefact


class FilesParams(Params):
    """The folder, and the name of the file for each role."""

    folder: Line = Field(
        description="Where the export is; relative to the runbook's folder.", examples=["{{ export_usb }}"]
    )
    root: Line = Field("root_ca.crt", description="The root certificate (PEM).", examples=["root_ca.crt"])
    intermediate: Line = Field(
        "intermediate_ca.crt", description="The intermediate certificate (PEM).", examples=["intermediate_ca.crt"]
    )
    ssh_user_ca: Line = Field(
        "ssh_user_ca.pub", description="The SSH user CA's public key (OpenSSH).", examples=["ssh_user_ca.pub"]
    )
    ssh_host_ca: Line = Field(
        "ssh_host_ca.pub", description="The SSH host CA's public key (OpenSSH).", examples=["ssh_host_ca.pub"]
    )
    fingerprint: Line = Field(
        "FINGERPRINT.txt", description="A text that holds the root certificate's SHA-256.", examples=["FINGERPRINT.txt"]
    )


class Files(Check[FilesParams]):
    """The ceremony's five export files are there, are what they should be, and agree with each other.

    The root is a self-signed CA certificate, the intermediate is signed by it and may sign, the two SSH keys are
    OpenSSH public keys, and FINGERPRINT.txt holds the root's SHA-256. The fingerprint itself is not shown: it is
    compared with the paper later, blind.
    """

    name = "files"
    Params = FilesParams
    evidence = (FileTable,)
    symptoms: ClassVar = {
        "folder missing": "The folder is not there: the stick is not mounted, or elsewhere.",
        **ARTEFACT_SYMPTOMS,
        "not a root": "The root certificate is not a self-signed CA certificate that may sign an intermediate.",
        "not the intermediate": "The intermediate certificate is not signed by the root, or may not sign.",
        "no fingerprint": "FINGERPRINT.txt holds no SHA-256 value.",
        "several fingerprints": "FINGERPRINT.txt holds different SHA-256 values.",
        "fingerprint differs": "FINGERPRINT.txt holds another value than the root certificate's SHA-256.",
        "weak": "Everything agrees, but something is weak, unusual or about to expire.",
    }
    loads = ("checks.artefacts.keys", "checks.artefacts.certificates", "checks.artefacts.fingerprints")

    async def run(self, ctx: Context) -> Outcome:
        folder = resolve(ctx.folder, self.params.folder)
        await require_folder(folder, "Mount the export stick there, or correct the path.")
        files = await _examine(folder, self.params, dt.datetime.now(dt.UTC))
        return _judge(FileTable(folder=str(folder), files=tuple(file.finding() for file in files)), files)


async def _examine(folder: Path, names: FilesParams, now: dt.datetime) -> list[Examined]:
    from checks.artefacts.certificates import judge_intermediate, judge_root
    from checks.artefacts.formats import Format

    pem, ssh = (Format.CERTIFICATE_PEM,), (Format.OPENSSH_PUBLIC,)
    (
        (root, root_found),
        (intermediate, intermediate_found),
        (user, user_found),
        (host, host_found),
    ) = await asyncio.gather(
        _load(folder, names.root, pem),
        _load(folder, names.intermediate, pem),
        _load(folder, names.ssh_user_ca, ssh),
        _load(folder, names.ssh_host_ca, ssh),
    )
    root_certificate = root.certificate if root else None
    if root_certificate is not None:
        _take(root_found, judge_root(root_certificate, now), "not a root")
    if intermediate is not None and intermediate.certificate is not None:
        judgement = judge_intermediate(intermediate.certificate, root_certificate, now)
        _take(intermediate_found, judgement, "not the intermediate")
    _describe_ssh(user, user_found)
    _describe_ssh(host, host_found)
    if user and host and user.public_key == host.public_key:
        host_found.warnings.append(f"the same key as {names.ssh_user_ca}")
    fingerprint_found = await _fingerprint(folder, names, root, intermediate)
    return [root_found, intermediate_found, user_found, host_found, fingerprint_found]


async def _load(folder: Path, name: str, expected: tuple[Format, ...]) -> tuple[Artefact | None, Examined]:
    from checks.artefacts.keys import load_artefact

    found = Examined(name, expected=" or ".join(expected))
    try:
        artefact = await load_artefact(folder / name, expected)
    except StepError as error:
        found.refuse(error)
        return None, found
    found.found = artefact.format
    return artefact, found


def _take(found: Examined, judgement: Judgement, symptom: str) -> None:
    found.details += judgement.details
    found.warnings += judgement.warnings
    for problem in judgement.problems:
        found.problem(problem, symptom)


def _describe_ssh(artefact: Artefact | None, found: Examined) -> None:
    from checks.artefacts.keys import key_type, weaknesses

    if artefact is not None:
        comment = f", comment {artefact.comment}" if artefact.comment else ""
        found.details.append(f"key {key_type(artefact.public_key)}{comment}")
        found.warnings += weaknesses(artefact.public_key)


async def _fingerprint(
    folder: Path, names: FilesParams, root: Artefact | None, intermediate: Artefact | None
) -> Examined:
    from checks.artefacts.formats import Format, identify
    from checks.artefacts.symptoms import refusal

    found = Examined(names.fingerprint, expected="text with one SHA-256 value")
    try:
        data = await read_file(folder / names.fingerprint)
        what = identify(data)
        if what.private or what.format not in (Format.TEXT, Format.TEXT_UTF16):
            raise refusal(what, (Format.TEXT,), where=str(folder / names.fingerprint))
        found.found = what.format
        text = data.decode("utf-16" if what.format is Format.TEXT_UTF16 else "utf-8-sig", errors="replace")
        value = find_sha256(text, where=str(folder / names.fingerprint))
    except (NoFingerprint, SeveralFingerprints) as error:
        found.problem(error.what, error.symptom)
        return found
    except StepError as error:
        found.refuse(error)
        return found
    found.found = "text with one SHA-256 value"
    if root is None or root.certificate is None:
        found.warnings.append("whether it is the root's is not known, as there is no usable root")
    elif value == _sha256(root):
        found.details.append(f"agrees with {names.root}")
    else:
        other = _whose(value, await read_file(root.path), root, intermediate)
        found.problem(f"does not agree with {names.root}{other}", "fingerprint differs")
    return found


def _sha256(artefact: Artefact) -> str:
    from checks.artefacts.fingerprints import certificate_sha256

    return certificate_sha256(artefact.certificate) if artefact.certificate is not None else ""


def _whose(value: str, root_bytes: bytes, root: Artefact, intermediate: Artefact | None) -> str:
    """What else the value is the SHA-256 of, where it is a common mistake."""
    from checks.artefacts.fingerprints import spki_sha256

    known = {
        hashlib.sha256(root_bytes).hexdigest(): "the root's file as it stands, not of the certificate in it",
        spki_sha256(root.public_key): "the root's public key, not of the certificate",
    }
    if intermediate is not None:
        known[_sha256(intermediate)] = "the intermediate certificate"
    return f": it is the SHA-256 of {known[value]}" if value in known else ""


def _judge(table: FileTable, files: list[Examined]) -> Outcome:
    bad = [file for file in files if file.problems]
    if bad:
        # A private key in the open outranks everything else that is wrong.
        symptoms = [symptom for file in bad for symptom in file.symptoms]
        symptom = "private key" if "private key" in symptoms else symptoms[0]
        names = ", ".join(file.name for file in bad)
        said = f"{len(bad)} of {len(files)} files are not as they should be: {names}"
        return Outcome.failed(said, table, symptom=symptom, remedy=_remedy(bad, symptom))
    warnings = [f"{file.name}: {warning}" for file in files for warning in file.warnings]
    if warnings:
        return Outcome.warned("; ".join(warnings), table, symptom="weak")
    return Outcome.passed(f"all {len(files)} files are there and agree", table)


def _remedy(bad: list[Examined], symptom: str) -> str:
    """What to do about each file, the gravest symptom first; files with the same remedy are named together."""
    remedies: dict[str, list[str]] = {}
    for file in sorted(bad, key=lambda file: symptom not in file.symptoms):
        if file.remedy:
            remedies.setdefault(file.remedy, []).append(file.name)
    return " ".join(f"{', '.join(names)}: {remedy}" for remedy, names in remedies.items())
