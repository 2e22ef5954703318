"""Files are judged wherever they are: on a host, and on every host of a group."""

from __future__ import annotations

from pathlib import Path

from checks.documents.document import Document
from checks.documents.script import Script
from runbook.outcome import Verdict
from tests.documents.site_files import judged, wrong
from tests.hosts.fleet_bench import fleet, table_of


async def test_a_file_on_another_host(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[x]\ny = 1\n")
    step, _ = fleet(tmp_path, "one")
    outcome = await step.run(Document, on="one", path=str(path), expect=[{"at": "x.y", "equals": 2}])
    assert outcome.verdict is Verdict.FAILED
    assert judged(outcome).on == "one"
    assert [finding.line for finding in wrong(outcome)] == [2]


async def test_a_group_is_a_table_with_each_hosts_findings(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text("#!/bin/sh\nif\n")
    path.chmod(0o755)
    step, _ = fleet(tmp_path, "one", "two")
    outcome = await step.run(Script, on="all", path=str(path))
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "syntax")
    assert [row.host for row in table_of(outcome).rows] == ["one", "two"]
    assert all("sh finds a mistake" in row.said.summary for row in table_of(outcome).rows)
