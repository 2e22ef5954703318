"""The shipped runbook with some of its steps alone, so that a drill of the full lab comes to its step soon."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from runbook.defaults import find_runbook
from runbook.files.loader import load_runbook
from runbook.kind import Registry

TO_THE_START = (
    *("B2.root", "B2.ssh_user", "B2.ssh_host", "B3.commit", "C1.vault", "C2.provision"),
    *("G2.down", "G3.pcscd_stop", "G3.wipe", "G4.fill", "G4.exact", "G5.up", "G5.log"),
)
"""What has to be done for the new CA to be up."""


def shorten(target: Path, steps: Collection[str]) -> Path:
    """Write it without what leads from one step to the next: gates that wait for steps, facts that are required."""
    model = load_runbook(find_runbook(None), Registry()).model
    known = {step.id for _, step in model.steps()}
    assert set(steps) <= known, set(steps) - known
    raw = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for stage in raw["stages"]:
        stage["steps"] = [_step(step) for step in stage["steps"] if step["id"] in steps]
    raw["stages"] = [stage for stage in raw["stages"] if stage["steps"]]
    target.write_text(yaml.safe_dump(raw, sort_keys=False))
    return target


def _step(raw: dict[str, Any]) -> dict[str, Any]:
    role, kind, params = raw.pop("role"), raw.pop("kind"), raw.pop("params", {})
    raw.pop("requires", None)
    raw.get("gate", {}).pop("after", None)
    if "backout" in raw:
        raw["backout"] = ["As the whole runbook has it."]
    if "probe" in raw:
        raw["probe"] |= raw["probe"].pop("params", {})
    return {**raw, role: kind, **params}
