"""The paper sheet of the rehearsal: for a person to read, and in the form of an answers file for `--headless`."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from rehearsal.people import WITNESS
from runbook.files.backouts import undoing
from runbook.groups import grouped_lines
from runbook.model import Runbook
from runbook.secrets import Secret

SHEET = """\
# ┌──────────────────────────────────────────────────────────────────────┐
# │  REHEARSAL. This sheet stands for the paper in the safe.             │
# │  In a real cutover no PIN is ever kept in a file.                    │
# └──────────────────────────────────────────────────────────────────────┘
#
# Serial of HSM #2
#
#      {serial}
#
# User PIN of the intermediate
#
#      {pin}
#
# SO-PIN of the intermediate (resets the user PIN; 16 hex digits)
#
#      {so_pin}
#
# SHA-256 fingerprint of the root certificate (never read aloud)
#
#         1    2    3    4
{rows}
#
# Two people: the witness follows the run with `runbook witness` in a second
# terminal, and signs there, or at the driver's keyboard, with this key:
#
#      {witness_key}
#
# Password of sudo on the hosts (the lab's own do not ask for it)
#
#      {password}
#
{vault}# The same values for a run without a terminal (`--answers`):
answers: 1
inputs:
  hsm_serial: '{serial}'
  root_fingerprint: '{fingerprint}'
  announced_window: 'today, as soon as this rehearsal comes to it'
pins:
  intermediate: '{pin}'
{typing}attest: all
phrases: all
witness:
  {witness}: {quoted_key}
# An action that was broken off counts as what its probe says of it.
in_doubt: probe
{gates}"""


_AS_PROVISIONER = ("ca.certificate", "ca.ssh_login")
"""Kinds that ask for a provisioner's password."""

VAULT_PROMPTS = {"env_name": "STEP_CA_HSM_PIN", "description": "User PIN of the intermediate, from the paper sheet"}


@dataclass(frozen=True, slots=True)
class Gates:
    """What a run without a terminal says at a runbook's gates; a person says it as they are asked."""

    confirm: tuple[str, ...] = ()
    """Steps whose question is answered with yes."""
    windows: tuple[str, ...] = ()
    """Stages whose time window is from now to the same time tomorrow."""
    passwords: tuple[str, ...] = ()
    """Steps that ask for the password of sudo."""
    pins: tuple[str, ...] = ()
    """Steps that ask for the user PIN as a secret to be compared."""
    vaults: tuple[str, ...] = ()
    """Steps at whose command's prompts the user PIN is put into the vault."""
    silent: tuple[str, ...] = ()
    """Steps whose command has the terminal."""
    provisioners: tuple[tuple[str, str], ...] = ()
    """Steps that ask for the password of a provisioner of the CA, each with its name."""
    undone: tuple[str, ...] = ()
    """Steps of a roll-back that count as done where their probe says so."""
    cautious: bool = False
    """No to every question, such as the one before an attempt is risked."""

    @classmethod
    def of(cls, runbook: Runbook | None, *, cautious: bool = False) -> Gates:
        """The gates of this runbook and of its roll-back; None: of one without any."""
        if runbook is None:
            return cls(cautious=cautious)
        ways = [way for _, step in runbook.steps() for way in undoing(step)]
        steps = [*(step for _, step in runbook.steps()), *ways]
        return cls(
            tuple(step.id for step in steps if step.gate.confirm or step.irreversible),
            tuple(stage.id for stage in runbook.stages if stage.window),
            tuple(step.id for step in steps if step.params.get("become_password")),
            tuple(step.id for step in steps if step.kind == "secret_file"),
            tuple(step.id for step in steps if step.kind == "terminal" and "add" in step.params["run"]),
            tuple(step.id for step in steps if step.kind == "terminal"),
            tuple((step.id, str(step.params["provisioner"])) for step in steps if step.kind in _AS_PROVISIONER),
            tuple(way.id for way in ways if way.irreversible and way.probe),
            cautious,
        )

    def __str__(self) -> str:
        """As keys of an answers file."""
        opens = datetime.now(UTC)
        window = f"{opens:%Y-%m-%d %H:%MZ} to {opens + timedelta(days=1):%Y-%m-%d %H:%MZ}"
        lines = ["confirm: none"] if self.cautious else _mapping("confirm", self.confirm, "yes")
        lines += _mapping("windows", self.windows, f"'{window}'")
        lines += _mapping("done", self.undone, "its probe says that it is undone already")
        return "".join(f"{line}\n" for line in lines)

    def typing(self, pin: str, password: str, provisioners: Mapping[str, str]) -> str:
        """What is typed besides PINs, as keys of an answers file; `provisioners`: their passwords by name."""
        known = {**dict.fromkeys(self.passwords, password), **dict.fromkeys(self.pins, pin)}
        known |= {step: provisioners[name] for step, name in self.provisioners if name in provisioners}
        lines = [{"when": f"{name}: ", "type": text} for name, text in VAULT_PROMPTS.items()]
        lines.append({"when": "value: ", "secret": pin})
        keys = {"secrets": known, "typed": {step: [*lines] if step in self.vaults else [] for step in self.silent}}
        return (
            yaml.safe_dump({key: value for key, value in keys.items() if value}, sort_keys=False)
            if any(keys.values())
            else ""
        )


def _vault(provisioners: Mapping[str, str]) -> str:
    """What a person reads from the vault, for the sheet."""
    if not provisioners:
        return ""
    rows = "".join(f"#      {name}  {password}\n" for name, password in provisioners.items())
    return f"# Passwords of the CA's provisioners, which a site has in its vault\n#\n{rows}#\n"


def _mapping(key: str, names: tuple[str, ...], value: str) -> list[str]:
    return [f"{key}:", *(f"  {name}: {value}" for name in names)] if names else []


def write_sheet(
    path: Path,
    *,
    serial: str,
    pin: Secret,
    so_pin: Secret,
    fingerprint: str,
    witness_key: Path,
    gates: Gates,
    provisioners: Mapping[str, str] | None = None,
) -> None:
    """Write the sheet, readable by its owner alone.

    `fingerprint`: 64 hex digits; `provisioners`: the passwords of the CA's provisioners by name, where there is a CA.
    """
    password = secrets.token_hex(6)
    rows = "\n".join(f"#      {line}" for line in grouped_lines(fingerprint))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            SHEET.format(
                serial=serial,
                pin=pin.reveal_text(),
                so_pin=so_pin.reveal_text(),
                rows=rows,
                fingerprint=fingerprint,
                witness=WITNESS,
                witness_key=witness_key,
                quoted_key=json.dumps(str(witness_key)),
                password=password,
                vault=_vault(provisioners or {}),
                typing=gates.typing(pin.reveal_text(), password, provisioners or {}),
                gates=gates,
            )
        )
