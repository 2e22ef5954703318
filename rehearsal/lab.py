"""The lab: everything the runbook needs, made in one private folder (design §9)."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.artefacts import KEY_LABELS, SSH_HOST, SSH_USER, software_points, write_export
from rehearsal.faults import Fault, change_one_character
from rehearsal.repository import make_repository
from rehearsal.sheet import write_sheet
from rehearsal.softhsm import SoftToken, make_token, require_programs
from runbook.errors import EnvironmentLacks, UsageError
from runbook.secrets import Secret

TOKEN_LABEL = "ccat-intermediate"  # noqa: S105 - the label of a token, not a secret
TOKEN_KIND = "a SoftHSM2 token in software: it needs no privileges and no card"  # noqa: S105 - a description

_PIN_LENGTH = 12
_PIN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike on paper."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is ready."""

    folder: Path
    site: Path
    """The site profile."""
    sheet: Path
    """The paper sheet, also an answers file."""
    token: SoftToken
    fault: Fault | None

    def remove(self) -> None:
        """Delete the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def make_lab(
    folder: Path | None = None, fault: Fault | None = None, say: Callable[[str], None] = lambda _: None
) -> Lab:
    """Make the lab in `folder` (absent or empty; None: a fresh temporary one, mode 0700).

    `say` is told of each part before it is made. Raises EnvironmentLacks and UsageError. Where something fails, a
    temporary folder is removed again.
    """
    require_programs()
    place = _prepare(folder)
    try:
        return _fill(place, fault, say)
    except BaseException:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
        raise


def _fill(place: Path, fault: Fault | None, say: Callable[[str], None]) -> Lab:
    pin, so_pin = _random_pin(), _random_pin()
    say(f"token: {TOKEN_KIND}")
    token = make_token(place / "hsm", TOKEN_LABEL, KEY_LABELS, pin=pin, so_pin=so_pin)
    so_pin.wipe()

    say("the ceremony's export")
    elsewhere = fault is Fault.WRONG_DONGLE
    points = software_points() if elsewhere else token.points
    export = write_export(place / "export-usb", points)
    fingerprint = export.root_fingerprint
    if fault is Fault.TAMPERED_EXPORT:
        _exchange(export.folder, token)
    if fault is Fault.WRONG_PAPER:
        fingerprint = change_one_character(fingerprint, secrets.randbelow(len(fingerprint)))

    say("a git repository with the host role")
    working_tree = place / "system-integration"
    make_repository(working_tree, place / "upstream.git", module=token.module, config=token.config, label=TOKEN_LABEL)

    say("the paper sheet and the site profile")
    serial = secrets.token_hex(len(token.serial) // 2) if elsewhere else token.serial
    sheet = place / "paper-sheet.yaml"
    write_sheet(sheet, serial=serial, pin=pin, fingerprint=fingerprint)
    pin.wipe()
    site = place / "site.yaml"
    site.write_text(yaml.safe_dump(_profile(token, sheet, export.folder, working_tree), sort_keys=False))
    return Lab(place, site, sheet, token, fault)


def _exchange(folder: Path, token: SoftToken) -> None:
    """Put a stranger's root and intermediate in place of the real ones; the SSH keys stay."""
    shutil.rmtree(folder)
    real = {key_id: token.points[key_id] for key_id in (SSH_USER, SSH_HOST)}
    write_export(folder, {**software_points(), **real})


def _profile(token: SoftToken, sheet: Path, export: Path, repository: Path) -> dict[str, object]:
    return {
        "site": 1,
        "name": "Rehearsal",
        "rehearsal": {"token": TOKEN_KIND, "sheet": str(sheet)},
        "tokens": {
            "intermediate": {
                "module": str(token.module),
                # The serial is not given here: it comes from paper, and the runbook compares it.
                "label": token.label,
                "env": {"SOFTHSM2_CONF": str(token.config)},
            }
        },
        "inputs": {"export_usb": str(export), "repository": str(repository)},
    }


def _prepare(folder: Path | None) -> Path:
    if folder is not None and {"#", "\n"} & set(str(folder.resolve())):
        raise UsageError(
            "SoftHSM2's configuration takes no `#` and no line break in a path",
            where=str(folder),
            remedy="Name another folder.",
        )
    try:
        if folder is None:
            return Path(tempfile.mkdtemp(prefix="runbook-rehearsal-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError("the folder for the rehearsal is not empty", where=str(folder), remedy="Name another one.")
        folder.chmod(0o700)
        return folder.resolve()
    except OSError as error:
        raise EnvironmentLacks(
            f"the folder for the rehearsal cannot be used: {error.strerror}",
            where=str(folder or tempfile.gettempdir()),
            remedy="Name a folder that you may write to with --folder.",
        ) from error


def _random_pin() -> Secret:
    return Secret.from_text("".join(secrets.choice(_PIN_ALPHABET) for _ in range(_PIN_LENGTH)))
