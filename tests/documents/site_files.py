"""The lab's own files of the CA, and what the shipped runbook says of them: each test changes one thing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from runbook.files.loader import load_runbook
from runbook.files.templates import render_params
from runbook.kind import Registry
from runbook.outcome import Outcome
from tests.stand_in import StandIn

ROOT = Path(__file__).parents[2]
TREE = ROOT / "rehearsal" / "site_tree"
SERIAL = "DENK0100002"


class SiteFiles:
    """A copy of the lab's tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "system-integration"
        shutil.copytree(TREE, self.folder)
        self.change("step-ca/ca.json.hsm", ("<HSM2-SERIAL>", SERIAL))

    def change(self, name: str, *replacements: tuple[str, str]) -> None:
        """Replace texts that must each be there."""
        path = self.folder / name
        text = path.read_text()
        for before, after in replacements:
            assert before in text, f"{before!r} is not in {name}"
            text = text.replace(before, after)
        path.write_text(text)

    async def judge(self, step_id: str, ctx: StandIn | None = None, **inputs: str) -> Outcome:
        """Run the step of the shipped runbook on this tree; without a context of its own it asks no token."""
        step = SHIPPED.step(step_id)
        params = render_params(step.params, {**INPUTS, "repository": str(self.folder), **inputs})
        if ctx is None:
            params.pop("token", None)
        return await (ctx or StandIn(self.folder)).run(REGISTRY.get(step.role, step.kind), **params)


REGISTRY = Registry()
SHIPPED = load_runbook(ROOT / "runbook.yaml", REGISTRY).model
INPUTS: Mapping[str, Any] = {"hsm_serial": SERIAL, "step_ca_version": SHIPPED.inputs["step_ca_version"].default}
"""What a site and its paper say."""


def judged(outcome: Outcome) -> DocumentJudged:
    """The evidence."""
    (evidence,) = outcome.evidence
    assert isinstance(evidence, DocumentJudged)
    return evidence


def wrong(outcome: Outcome) -> tuple[DocumentFinding, ...]:
    """What does not hold."""
    return judged(outcome).those(Said.WRONG)
