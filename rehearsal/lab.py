"""The lab: everything the runbook needs, made in one private folder (design §9)."""

from __future__ import annotations

import getpass
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rehearsal.artefacts import KEY_LABELS, SSH_HOST, SSH_USER, software_points, write_export
from rehearsal.ccat import write_command
from rehearsal.choice import Choice, choose
from rehearsal.faults import Fault, change_one_character
from rehearsal.hosts import make_hosts
from rehearsal.lacking import lacking
from rehearsal.mark import SHEET_NAME, SITE_NAME, LabMark
from rehearsal.mark import write as write_mark
from rehearsal.people import make_people
from rehearsal.profile import inputs_of, tokens_of
from rehearsal.repository import make_repository
from rehearsal.sheet import Gates, write_sheet
from rehearsal.stay import remove
from rehearsal.token import LabToken, TokenKind
from runbook.errors import EnvironmentLacks, UsageError
from runbook.model import Runbook
from runbook.secrets import Secret

if TYPE_CHECKING:
    from rehearsal.full.cache import Cache

TOKEN_LABEL = "ccat-intermediate"  # noqa: S105 - the label of a token, not a secret

_PIN_LENGTH = 12
"""Within the 6 to 15 that a SmartCard-HSM takes."""
_PIN_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike on paper."""
_SO_PIN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is ready; where its token is a card, `rehearsal.reader.CardReader` has to put it into a reader."""

    folder: Path
    site: Path
    """The site profile."""
    sheet: Path
    """The paper sheet, also an answers file."""
    token: LabToken
    choice: Choice
    mark: LabMark

    def remove(self) -> None:
        """Delete the folder and all that is in it."""
        remove(self.folder, self.mark)


def make_lab(
    folder: Path | None = None,
    fault: Fault | None = None,
    say: Callable[[str], None] = lambda _: None,
    *,
    token: TokenKind | None = TokenKind.SOFTHSM,
    runbook: Runbook | None = None,
    kept: bool = False,
    full: bool = False,
) -> Lab:
    """Make the lab in `folder` (absent or empty; None: a fresh temporary one, mode 0700).

    `say` is told of each part before it is made; `token` None: a card where one can be used; `runbook`: the one that is
    to be walked in it; `kept`: it is to stay when nothing is left to do in it; `full`: with an engine and a CA.
    Raises EnvironmentLacks and UsageError.
    Where something fails, a temporary folder is removed again.
    """
    _require_programs()
    cache = _prepare_full(fault, say, full=full)
    place = _prepare(folder)
    try:
        choice = choose(None if full else token, fault, place, full=full)
        gates = Gates.of(runbook, cautious=fault is Fault.PIN_LOW)
        mark = LabMark(choice.kind, fault, kept, full)
        return _fill(place, mark, say, choice, gates, lacks=lacking(runbook, full=full), cache=cache)
    except BaseException:
        if folder is None:
            remove(place, LabMark(TokenKind.CARD, full=full))
        raise


def _prepare_full(fault: Fault | None, say: Callable[[str], None], *, full: bool) -> Cache | None:
    if full:
        from rehearsal.full.cache import ensure

        return ensure(say)
    if fault and fault.drill.needs_full:
        raise UsageError(
            f"the drill {fault} needs an engine and a CA", where="--fault", remedy="Add --full, as root on Debian."
        )
    return None


def _fill(
    place: Path,
    mark: LabMark,
    say: Callable[[str], None],
    choice: Choice,
    gates: Gates,
    *,
    lacks: Mapping[str, str],
    cache: Cache | None,
) -> Lab:
    fault = mark.fault
    pin, so_pin = _random_pin(), _random_so_pin()
    say(f"token: {choice}")
    token = _make_token(place, fault, choice, pin, so_pin)

    say("the ceremony's export")
    elsewhere = fault is Fault.WRONG_DONGLE
    points = software_points() if elsewhere else token.points
    export = write_export(place / "export-usb", points)
    fingerprint = export.root_fingerprint
    if fault is Fault.TAMPERED_EXPORT:
        _exchange(export.folder, token)
    if fault is Fault.WRONG_PAPER:
        fingerprint = change_one_character(fingerprint, secrets.randbelow(len(fingerprint)))

    say("three hosts, and a git repository with the site's roles")
    working_tree, upstream, ccat = place / "system-integration", place / "upstream.git", write_command(place)
    configured = replace(token, serial=_other_serial(choice.kind)) if fault is Fault.WRONG_SERIAL else token
    repository = partial(make_repository, working_tree, upstream, configured, _event(place, fault))
    intermediate = export.folder / "intermediate_ca.crt"
    more: dict[str, Any] = {"inputs": {}}
    provisioners: dict[str, str] = {}
    if cache:
        from rehearsal.full.outfit import make_outfit

        outfit = make_outfit(place, cache, fault, token.environment, say)
        hosts = make_hosts(place, getpass.getuser(), {}, equipment=outfit.equipment)
        repository(intermediate=intermediate, earlier=outfit.earlier, vault=outfit.vault)
        outfit.finish(upstream)
        provisioners = outfit.provisioners
        more = {"engines": outfit.engines, "inputs": outfit.inputs(ccat)}
    else:
        hosts = make_hosts(place, getpass.getuser(), token.environment)
        repository(intermediate=intermediate)

    say("the paper sheet and the site profile")
    sheet = place / SHEET_NAME
    serial = _other_serial(choice.kind) if elsewhere else token.serial
    people = make_people(place)
    write_sheet(
        sheet,
        serial=serial,
        pin=pin,
        so_pin=so_pin,
        fingerprint=fingerprint,
        witness_key=people.witness_key,
        gates=gates,
        provisioners=provisioners,
    )
    pin.wipe()
    so_pin.wipe()
    site = place / SITE_NAME
    inputs = inputs_of(export.folder, working_tree, ccat)
    profile = tokens_of(token, choice) | more | {"inputs": inputs | more["inputs"]}
    profile["rehearsal"] = {"token": str(choice), "sheet": str(sheet), "lacks": dict(lacks)}
    profile |= {"two_people": people.profile, **hosts}
    site.write_text(yaml.safe_dump(profile, sort_keys=False))
    write_mark(place, mark)
    return Lab(place, site, sheet, token, choice, mark)


def _make_token(place: Path, fault: Fault | None, choice: Choice, pin: Secret, so_pin: Secret) -> LabToken:
    if choice.kind is TokenKind.SOFTHSM:
        from rehearsal import softhsm

        return softhsm.make_token(place / softhsm.FOLDER, TOKEN_LABEL, KEY_LABELS, pin=pin, so_pin=so_pin)
    from rehearsal import smartcard

    tries = fault.tries if fault else None
    token = smartcard.make_card(place, TOKEN_LABEL, KEY_LABELS, pin=pin, so_pin=so_pin, tries=tries)
    if fault is Fault.CARD_SWAPPED:
        # A stranger's PINs are not those on the sheet.
        smartcard.make_other_card(place, TOKEN_LABEL, KEY_LABELS, pin=_random_pin(), so_pin=_random_so_pin())
    return token


def _event(place: Path, fault: Fault | None) -> tuple[str, ...]:
    """What happens while the host role runs, as a command."""
    if fault is not Fault.CARD_SWAPPED:
        return ("true",)
    return (sys.executable, "-I", "-m", "rehearsal.swap", str(place))


def _other_serial(kind: TokenKind) -> str:
    if kind is TokenKind.SOFTHSM:
        return secrets.token_hex(8)
    from rehearsal.smartcard import random_serial

    return random_serial()


def _exchange(folder: Path, token: LabToken) -> None:
    """Put a stranger's root and intermediate in place of the real ones; the SSH keys stay."""
    shutil.rmtree(folder)
    real = {key_id: token.points[key_id] for key_id in (SSH_USER, SSH_HOST)}
    write_export(folder, {**software_points(), **real})


def _require_programs() -> None:
    missing = [program for program in ("git", "make", "pkcs11-tool") if shutil.which(program) is None]
    if missing:
        raise EnvironmentLacks(
            f"the rehearsal needs programs that are not here: {', '.join(missing)}",
            remedy="Install the Debian packages: apt-get install softhsm2 opensc git make",
        )


def _prepare(folder: Path | None) -> Path:
    if folder is not None and set("#$\n") & set(str(folder.resolve())):
        raise UsageError(
            "the configurations of SoftHSM2 and Ansible take no `#`, no `$` and no line break in a path",
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


def _random_so_pin() -> Secret:
    return Secret.from_text(secrets.token_hex(_SO_PIN_BYTES))
