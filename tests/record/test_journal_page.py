"""docs/journal.md, taken at its word with a record that the program wrote."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runbook.record.events import JOURNALLED
from tests.record.real import DOUBTED, Real

PAGE = (Path(__file__).parents[2] / "docs" / "journal.md").read_text()


@pytest.fixture
def records(real: Real) -> list[dict[str, Any]]:
    """Each record as JSON, with `values` beside."""
    found = [json.loads(line) for line in real.lines]
    return [{**record, "values": {name: part["value"] for name, part in record["open"].items()}} for record in found]


def _of(records: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    found = [record for record in records if record["type"] == type_]
    assert found, f"the record has no {type_}"
    return found


def _table(section: str) -> set[str]:
    """The names in the first column of the first table under a heading."""
    _, _, text = PAGE.partition(f"\n## {section}\n")
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    rows = table.group().splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_where_it_lies(real: Real) -> None:
    assert stat.S_IMODE(real.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(real.path.stat().st_mode) == 0o600
    beside = {path.name for path in real.path.parent.iterdir()} - {real.path.name}
    assert beside >= {"attachments", "driver.lock"}
    for name in beside:
        assert f"`{name}" in PAGE, f"the page says nothing of {name}"


def test_the_keys_of_a_record(records: list[dict[str, Any]]) -> None:
    names = _table("Records")
    for number, record in enumerate(records, start=1):
        assert set(record) - {"values"} == names
        assert (record["v"], record["seq"]) == (1, number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["at"])
        assert record["open"].keys() == record["leaves"].keys()
        for part in record["open"].values():
            assert part["level"] in {"public", "internal", "confidential"}
            assert re.fullmatch("[0-9a-f]{32}", part["salt"])
    assert records[0]["prev"] == "0" * 64
    salts = [part["salt"] for record in records for part in record["open"].values()]
    assert len(set(salts)) == len(salts)


def test_only_the_values_that_the_page_names(real: Real) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"a number that is not whole: {text}")

    for line in real.lines:
        json.loads(line, parse_float=refuse, parse_constant=refuse)


def test_an_outcome_stands_in_parts(records: list[dict[str, Any]]) -> None:
    for record in (*_of(records, "step.finished"), *_of(records, "step.probed")):
        parts = {name for name in record["values"] if name.startswith("outcome.")}
        assert parts - {name for name in parts if ".evidence." in name} == {
            name for name in _table("Fields") if name.startswith("outcome.") and ".evidence" not in name
        }
        assert record["values"]["outcome.verdict"] in {"passed", "warned", "failed", "errored", "in doubt"}
        assert f"`{record['values']['outcome.verdict']}`" in PAGE


def test_every_type_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`((?:run|step|window|approval|people|deviations|guard|pin|command)\.[a-z_]+)`", PAGE))
    assert named
    assert named <= set(JOURNALLED)


def test_attachments(records: list[dict[str, Any]], real: Real) -> None:
    folder = real.path.parent / "attachments"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    named: dict[str, str] = {}
    for record in _of(records, "attached"):
        values = record["values"]
        assert set(values) == _table("Attachments")
        content = (folder / values["sha256"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (values["sha256"], values["size"])
        named[values["name"]] = values["sha256"]
    header = records[0]["values"]
    assert (named["runbook"], named["site"]) == (header["runbook_sha256"], header["site_sha256"])
    assert named["allowed_signers"] == _of(records, "people.named")[0]["values"]["signers_sha256"]
    assert {path.name for path in folder.iterdir()} == set(named.values())


def test_the_program(records: list[dict[str, Any]]) -> None:
    """The command that the page gives for `program_sha256` is tried in test_version.py."""
    assert records[0]["type"] == "run.started"
    header = records[0]["values"]
    assert {"program", "versions", "program_sha256", "runbook_sha256", "site_sha256"} <= set(header)
    assert "python" in header["versions"]


def test_a_run_that_goes_on(records: list[dict[str, Any]]) -> None:
    (resumed,) = _of(records, "run.resumed")
    assert set(resumed["values"]) == _table("A run that goes on")
    assert resumed["values"]["cut"] > 0
    assert [record["seq"] for record in _of(records, "run.started")] == [1]
    before, after = records[: resumed["seq"] - 1], records[resumed["seq"] :]
    started = [record for record in before if record["type"] == "step.started"]
    assert started[-1]["values"]["step"] == DOUBTED
    ended = [record for record in before[started[-1]["seq"] :] if record["type"] in ("step.finished", "step.skipped")]
    assert not any(record["values"]["step"] == DOUBTED for record in ended)
    of_step = [
        record for record in after if record["values"].get("step") == DOUBTED and record["type"] != "command.ran"
    ]
    assert [record["type"] for record in of_step] == ["step.probed", "step.settled", "step.finished"]
    probed, settled, _ = (record["values"] for record in of_step)
    assert f"`{probed['answer']}`" in PAGE
    assert settled["reason"]
    assert settled["settled_as"] == "done"
    (acknowledged,) = _of(records, "deviations.acknowledged")
    assert acknowledged["values"]["count"] == 1


def test_gates(records: list[dict[str, Any]]) -> None:
    (window,) = (record["values"] for record in _of(records, "window.set"))
    opens, closes = (datetime.fromisoformat(window[name]) for name in ("opens", "closes"))
    (asked,), (given,) = _of(records, "approval.asked"), _of(records, "approval.given")
    started = next(
        record
        for record in _of(records, "step.started")
        if record["values"]["step"] == asked["values"]["step"] and record["seq"] > given["seq"]
    )
    assert asked["seq"] < given["seq"] < started["seq"]
    assert opens <= datetime.fromisoformat(started["at"]) < closes
    assert asked["values"]["head"] == asked["prev"]
    said = json.loads(given["values"]["statement"])
    for name in ("step", "action_sha256", "head", "nonce", "asked_at", "expires_at"):
        assert said[name] == asked["values"][name]
    people = _of(records, "people.named")[-1]["values"]
    assert given["values"]["witness"] in people["witnesses"]
    assert people["driver"] not in people["witnesses"]
    assert all(f"`{name}`" in PAGE for name in asked["values"])


def test_the_head_on_paper(real: Real, records: list[dict[str, Any]]) -> None:
    assert all(after["prev"] == before["hash"] for before, after in pairwise(records))
    short = " ".join(real.head.upper()[at : at + 4] for at in range(0, 20, 4))
    done = subprocess.run(
        [sys.executable, "-m", "runbook", "verify", str(real.path), "--head", short],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert f"head     {short}" in done.stdout


def test_what_a_step_ran_stands_before_its_end(records: list[dict[str, Any]]) -> None:
    ran = _of(records, "command.ran")
    assert ran
    for record in ran:
        step = record["values"]["step"]
        assert all(f"`{name}`" in PAGE for name in record["values"]), record["values"].keys()
        ends = [end["seq"] for end in _of(records, "step.finished") if end["values"]["step"] == step]
        doubt = any(doubted["seq"] > record["seq"] for doubted in _of(records, "run.resumed"))
        assert any(end > record["seq"] for end in ends) or doubt
