"""The schema that lies beside the shipped runbook, and the line by which an editor finds it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from runbook.files.schema import json_schema, modeline, schema_text
from runbook.kind import Registry

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "runbook.schema.json"


def test_the_schema_beside_the_shipped_runbook_is_the_one_of_its_kinds() -> None:
    assert Registry().all()[1] == [], "every kind can be loaded"
    made = schema_text(json_schema(Registry()))
    assert SCHEMA.read_text() == made, "make it anew: runbook schema > runbook.schema.json"


def test_every_runbook_names_the_schema_from_its_own_folder() -> None:
    find = ["git", "grep", "-lE", "^runbook: 1$", "--", "*.yaml"]
    listed = subprocess.run(find, cwd=ROOT, check=True, capture_output=True, text=True)
    runbooks = [ROOT / name for name in listed.stdout.splitlines()]
    assert ROOT / "runbook.yaml" in runbooks
    for path in runbooks:
        first = path.read_text().splitlines()[0]
        named = first.removeprefix(f"# {modeline('')}")
        assert first != named, f"{path} has no modeline"
        assert (path.parent / named).resolve() == SCHEMA
