"""The paper sheet of the rehearsal: for a person to read, and in the form of an answers file for `--headless`."""

from __future__ import annotations

import os
from pathlib import Path

from runbook.groups import grouped_lines
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
# The same values for a run without a terminal (`--answers`):
answers: 1
inputs:
  hsm_serial: '{serial}'
  root_fingerprint: '{fingerprint}'
pins:
  intermediate: '{pin}'
attest: all
{questions}"""


def write_sheet(
    path: Path, *, serial: str, pin: Secret, so_pin: Secret, fingerprint: str, cautious: bool = False
) -> None:
    """Write the sheet, readable by its owner alone. `fingerprint`: 64 hex digits.

    `cautious`: a run without a terminal says no to every question, such as the one before an attempt is risked.
    """
    rows = "\n".join(f"#      {line}" for line in grouped_lines(fingerprint))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            SHEET.format(
                serial=serial,
                pin=pin.reveal().decode(),
                so_pin=so_pin.reveal().decode(),
                rows=rows,
                fingerprint=fingerprint,
                questions="confirm: none\n" if cautious else "",
            )
        )
