"""The lab's own files of the CA, and what the shipped runbook says of them: each test changes one thing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
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

Change = Callable[[str], str]


class SiteFiles:
    """A copy of the lab's tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "system-integration"
        shutil.copytree(TREE, self.folder)

    def change(self, name: str, *replacements: tuple[str, str]) -> None:
        """Replace texts that must each be there."""
        path = self.folder / name
        text = path.read_text()
        for before, after in replacements:
            assert before in text, f"{before!r} is not in {name}"
            text = text.replace(before, after)
        path.write_text(text)

    async def judge(self, step_id: str, **params: Any) -> Outcome:
        """Run the step of the shipped runbook on this tree."""
        registry = Registry()
        step = load_runbook(ROOT / "runbook.yaml", registry).model.step(step_id)
        given: Mapping[str, Any] = {"repository": str(self.folder), "hsm_serial": SERIAL, **params}
        own = render_params(step.params, {**dict.fromkeys(_INPUTS, ""), **given})
        return await StandIn(self.folder).run(registry.get(step.role, step.kind), **own)


_INPUTS = ("export_usb", "ccat", "env_file")


def judged(outcome: Outcome) -> DocumentJudged:
    """The evidence."""
    (evidence,) = outcome.evidence
    assert isinstance(evidence, DocumentJudged)
    return evidence


def wrong(outcome: Outcome) -> tuple[DocumentFinding, ...]:
    """What does not hold."""
    return judged(outcome).those(Said.WRONG)
