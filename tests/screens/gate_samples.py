"""What gates ask for: a point of no return, a second person."""

from __future__ import annotations

from checks.evidence.files import CommandOutput
from runbook.operator import Condition, PointOfNoReturnRequest, WitnessRequest
from runbook.outcome import Outcome
from runbook.probing import Answer, Probed

FILES = CommandOutput(
    argv=("docker", "volume", "inspect", "ccat-ca_step-ca-data"),
    cwd="/src/site",
    exit_code=0,
    stdout="41 files, 1.2 MB\n",
    stderr="",
    missed=("expected an empty volume",),
)
NOT_DONE = Probed(Answer.NOT_DONE, Outcome.failed("the volume holds 41 files", FILES))

COMMANDS = (
    "docker --host ssh://input-b volume rm ccat-ca_step-ca-data",
    "docker --host ssh://input-b volume create --label site=input-b ccat-ca_step-ca-data",
)

NO_RETURN = PointOfNoReturnRequest(
    "G3.wipe",
    "Wipe and recreate the CA volume",
    COMMANDS,
    (
        Condition("stages A, B, C, D, E and F are green", holds=True),
        Condition("the downtime window is open until 2026-04-29 11:30 +02:00 (for 20 min)", holds=True),
        Condition("a second person approved: Berta, SHA256:1f0c…, in a session of her own", holds=True),
        Condition("the export stick is out of the machine and in the safe", holds=False),
    ),
    NOT_DONE,
    ("Restore the snapshot taken in G2", "Bring the previous stack up, and tell the cohort"),
    "Wipe the volume of the CA now?",
    "WIPE ccat-ca_step-ca-data",
)

WITNESS = WitnessRequest(
    "G3.wipe",
    "Wipe and recreate the CA volume",
    COMMANDS,
    "3F9A 07C1",
    ("berta", "carol"),
    "2026-04-29T09:24:30.000000Z",
)
