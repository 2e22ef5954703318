"""What gates ask for: a point of no return, a second person."""

from __future__ import annotations

from checks.evidence.files import CommandOutput
from runbook.operator import Condition, Decision, Moment, PointOfNoReturnRequest, WitnessRequest
from runbook.outcome import Outcome
from runbook.probing import Answer, Probed
from runbook.record import events as ev
from runbook.record.state import fold
from tests.screens.samples import EVIDENCE, RUNBOOK
from tests.screens.scripted import RESUMED, SAID, started

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

CUT_OFF = Outcome.in_doubt("it had begun when the run was left; whether it is done is not known", symptom="stopped")
IN_DOUBT = (Decision.DONE, Decision.RETRY, Decision.SKIP, Decision.STOP)


def doubt(answer: Answer | None) -> Moment:
    """The moment at a step that is in doubt, with that answer of its probe; None: it has none."""
    outcome = Outcome.failed("the volume holds 41 files", FILES)
    probed = Probed(answer, outcome) if answer else None
    return Moment("A1.slots", RUNBOOK.step("A1.slots").title, outcome=CUT_OFF, probed=probed, allowed=IN_DOUBT)


LEFT = fold(
    (
        started(RUNBOOK),
        ev.StepStarted("P.people", 1, "attest", {}),
        ev.StepFinished("P.people", 1, Outcome.passed("all is so", *EVIDENCE["statements"])),
        ev.FactEstablished("hsm_in_port", "P.people"),
        ev.StepStarted("P.tree", 1, "git.clean", {}),
        ev.StepFinished("P.tree", 1, Outcome.passed("clean", SAID)),
        ev.StepStarted("A1.slots", 1, "slots", {}),
    )
)
"""A run whose driver was killed while A1.slots was at work."""

STOPPED = fold((RESUMED, ev.RunFinished("stopped", "stopped at A1.slots")), LEFT)
"""The same run, gone on with and stopped."""
