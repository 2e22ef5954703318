"""A group of real hosts with real sudo: one prompt for all of them, and a mistyped password one failed attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks.hosts.command import CommandCheck
from checks.hosts.hosts import Hosts
from runbook.outcome import Outcome, Verdict
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import table_of
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD
from tests.stand_in import StandIn

GROUP = ("jump", "alpha", "beta")


async def as_root(lab: Lab, folder: Path, *passwords: str, keep: bool = True, **params: Any) -> tuple[Outcome, StandIn]:
    client = lab.client()
    site = client.site(**client.profiles(keep_sudo_password=keep))
    person = ScriptedPins()
    person.secrets = list(passwords)
    context = StandIn(folder, person, site=site.model_copy(update={"groups": {"fleet": GROUP}}))
    try:
        asked = {"run": ["id", "-u"], "sudo": True, "expect": {"stdout": "^0$"}, "on": "fleet", **params}
        return await context.run(CommandCheck, **asked), context
    finally:
        await (await context.use(Hosts)).close()


async def test_one_password_for_the_group(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, context = await as_root(ssh_lab, tmp_path, PASSWORD)
    assert (outcome.verdict, outcome.summary) == (Verdict.PASSED, "3 of 3 hosts are green")
    assert len(context.operator.given) == 1
    assert PASSWORD not in table_of(outcome).model_dump_json()


async def test_a_mistyped_password_goes_to_one_host(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, _ = await as_root(ssh_lab, tmp_path, "mistyped")
    rows = table_of(outcome).rows
    assert sorted(row.state.value for row in rows) == ["errored", "not tried", "not tried"]
    assert [row.said.symptom for row in rows if row.state.value == "errored"] == ["wrong sudo password"]


async def test_a_password_that_is_not_kept_is_refused_on_a_group(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, context = await as_root(ssh_lab, tmp_path, keep=False)
    assert {row.said.symptom for row in table_of(outcome).rows} == {"sudo refused"}
    assert context.operator.given == []


async def test_hosts_that_are_let_in_and_not_count_apart(ssh_lab: Lab, tmp_path: Path) -> None:
    client = ssh_lab.client(trust={"beta": "unknown"})
    site = client.site(**client.profiles()).model_copy(update={"groups": {"fleet": GROUP}})
    context = StandIn(tmp_path, ScriptedPins(), site=site)
    try:
        outcome = await context.run(CommandCheck, run=["true"], on="fleet", at_least=2)
    finally:
        await (await context.use(Hosts)).close()
    assert outcome.verdict is Verdict.WARNED
    assert outcome.symptom == "host key unknown"
    assert outcome.summary == "2 of 3 hosts are green; not green: beta; 2 are enough"
