"""A check on a group: the table, the threshold, the deadline of each host, and the retry of what was not green."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.hosts_table import HostsTable, HostState
from checks.hosts.command import CommandAction, CommandCheck
from checks.hosts.errors import SudoWrongPassword, UnknownHost
from checks.hosts.file import FileCheck
from checks.hosts.fleet import OnHosts
from checks.hosts.fleet_check import Fleet, FleetParams
from checks.hosts.fleet_context import GroupPrompts
from checks.hosts.sudo import SudoPassword
from checks.hosts.sweep import sweep
from runbook.errors import PromptCancelled, StepError
from runbook.kind import Registry
from runbook.model import Role
from runbook.outcome import Outcome, Verdict
from runbook.record.attachments import load
from runbook.record.events import StepFinished
from runbook.record.records import event_of, fields_of
from runbook.run.deadline import Deadline
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import fleet, running, table_of

THREE = ("input-a", "input-b", "input-c")


async def shell(context: Any, line: str, **params: Any) -> Outcome:
    return await context.run(CommandCheck, run=["/bin/sh", "-c", line], **{"on": "all", **params})


async def test_every_host_of_a_group_is_a_row(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    outcome = await shell(context, 'echo "I am $HOST"', expect={"stdout": "^I am input-"})
    table = table_of(outcome)
    assert (outcome.verdict, outcome.summary) == (Verdict.PASSED, "3 of 3 hosts are green")
    assert [(row.host, row.state) for row in table.rows] == [(host, HostState.PASSED) for host in THREE]
    attached = load(tmp_path, table.attached).decode()
    assert all(f"== {host}\n" in attached and f"I am {host}" in attached for host in THREE)


async def test_failures_stand_first_and_a_host_that_is_down_is_a_row(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE, down=("input-b",))
    outcome = await shell(context, 'test "$HOST" != input-c || { echo pcscd is active >&2; exit 3; }')
    table = table_of(outcome)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.summary == "1 of 3 hosts are green; not green: input-c, input-b"
    assert outcome.symptom == "several hosts"
    assert [(row.host, row.state.value) for row in table.sorted] == [
        ("input-c", "failed"),
        ("input-b", "errored"),
        ("input-a", "passed"),
    ]
    assert any("pcscd is active" in line for line in table.sorted[0].said.details)
    assert (table.sorted[1].said.symptom, table.sorted[1].said.remedy) == ("host unreachable", "Look whether it is up.")
    plain = list(table.plain())
    assert plain[2].startswith("BAD input-c")
    assert "no connection" in "\n".join(plain)


async def test_a_symptom_that_all_share_is_the_step_s(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE, down=THREE)
    outcome = await shell(context, "true")
    assert (outcome.verdict, outcome.symptom) == (Verdict.ERRORED, "host unreachable")
    assert outcome.remedy.startswith("Look whether it is up.")


@pytest.mark.parametrize(
    ("at_least", "verdict"), [("100%", "failed"), (3, "failed"), (2, "warned"), ("60%", "warned"), ("67%", "failed")]
)
async def test_the_threshold(tmp_path: Path, at_least: int | str, verdict: str) -> None:
    context, _ = fleet(tmp_path, *THREE)
    outcome = await shell(context, 'test "$HOST" != input-b', at_least=at_least)
    assert outcome.verdict.value == verdict
    assert "input-b" in outcome.summary


@pytest.mark.parametrize("value", [0, -1, "0%", "101%", "many", "50", "5.5%"])
def test_thresholds_that_mean_nothing(value: int | str) -> None:
    with pytest.raises(ValidationError):
        OnHosts(at_least=value)


async def test_a_threshold_above_the_group_is_no_verdict(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    with pytest.raises(StepError, match="there are only 3"):
        await shell(context, "true", at_least=4)


async def test_not_more_than_parallel_at_a_time(tmp_path: Path) -> None:
    hosts = tuple(f"h{number}" for number in range(9))
    context, opened = fleet(tmp_path, *hosts)
    working = most = 0

    async def look(machine: Any, ctx: Any) -> Outcome:
        nonlocal working, most
        working += 1
        most = max(most, working)
        for _ in range(5):
            await asyncio.sleep(0)
        working -= 1
        return await machine_ok(machine)

    outcome = await sweep(OnHosts(on=("all",), parallel=4), {"look": look}, context, asked="")
    assert outcome.verdict is Verdict.PASSED
    assert most == 4
    assert sum(opened.reached.values()) == 9


async def test_a_host_that_takes_too_long_is_a_row_and_nothing_of_it_stays(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    mark = f"sleep 6{time.monotonic_ns() % 10**7}"
    outcome = await shell(context, f'test "$HOST" != input-a || exec {mark}', host_deadline=4)
    table = table_of(outcome)
    assert outcome.verdict is Verdict.ERRORED
    assert outcome.symptom == "deadline"
    assert [row.state.value for row in table.rows] == ["errored", "passed", "passed"]
    assert running(mark) == []


async def test_the_step_s_time_ends_all_and_the_table_is_kept(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    end = time.monotonic() + 6
    type(context).seconds_left = property(lambda self: end - time.monotonic())  # type: ignore[assignment,method-assign]
    try:
        outcome = await shell(context, 'test "$HOST" = input-a || sleep 600', parallel=2)
    finally:
        type(context).seconds_left = 60.0  # type: ignore[assignment,method-assign]
    states = {row.host: row.state.value for row in table_of(outcome).rows}
    assert states["input-a"] == "passed"
    assert states["input-b"] == "errored"
    assert outcome.verdict is Verdict.ERRORED


async def test_a_retry_repeats_only_what_was_not_green(tmp_path: Path) -> None:
    context, opened = fleet(tmp_path, *THREE, down=("input-b",))
    first = await shell(context, "true")
    assert first.verdict is Verdict.ERRORED
    # Through the journal's form: the run may have been left in between.
    event = StepFinished("X1", 1, first)
    values = {name: field.value for name, field in fields_of(event).items()}
    recorded = event_of("step.finished", values)
    assert isinstance(recorded, StepFinished)
    context.last = recorded.outcome
    opened.down, opened.reached = frozenset(), {}
    second = await shell(context, "true")
    assert second.verdict is Verdict.PASSED
    assert opened.reached == {"input-b": 1}
    table = table_of(second)
    assert [(row.host, row.attempt) for row in table.rows] == [("input-a", 1), ("input-b", 2), ("input-c", 1)]
    assert "(attempt 1)" in "\n".join(table.plain())


@pytest.mark.parametrize("change", ["the command", "old"])
async def test_what_no_longer_stands_is_done_again(tmp_path: Path, change: str) -> None:
    context, opened = fleet(tmp_path, *THREE, down=("input-b",))
    context.last = await shell(context, "true")
    if change == "old":
        table = table_of(context.last)
        rows = tuple(row.model_copy(update={"at": "2020-01-01T00:00:00Z"}) if row.at else row for row in table.rows)
        context.last = Outcome.failed("x", table.model_copy(update={"rows": rows}))
    opened.down, opened.reached = frozenset(), {}
    await shell(context, "true" if change == "old" else "exit 0")
    assert set(opened.reached) == set(THREE)


async def test_a_single_host_has_its_own_evidence(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    outcome = await shell(context, "echo $HOST", on="input-b", expect={"stdout": "^input-b$"})
    assert outcome.verdict is Verdict.PASSED
    assert not isinstance(outcome.evidence[0], HostsTable)


async def test_hosts_and_groups_are_taken_once_each_in_order(tmp_path: Path) -> None:
    context, opened = fleet(
        tmp_path, *THREE, groups={"all": THREE, "some": ("input-c", "input-a"), "both": ("some", "all")}
    )
    outcome = await shell(context, "true", on=["input-c", "both"])
    assert [row.host for row in table_of(outcome).rows] == ["input-c", "input-a", "input-b"]
    assert opened.reached == {"input-c": 1, "input-a": 1, "input-b": 1}


async def test_an_action_goes_to_one_host(tmp_path: Path) -> None:
    context, opened = fleet(tmp_path, *THREE)
    with pytest.raises(UnknownHost, match="an action runs on one host"):
        await context.run(CommandAction, run=["true"], on="all")
    assert opened.reached == {}


async def test_the_table_is_shown_while_it_fills_and_the_live_lines_do_not_flood(tmp_path: Path) -> None:
    hosts = tuple(f"h{number:03}" for number in range(120))
    context, _ = fleet(tmp_path, *hosts, down=hosts)
    await shell(context, "true", parallel=50)
    shown = [table for table in context.shown if isinstance(table, HostsTable)]
    assert shown[-1].done == 120
    assert 1 <= len(shown) < 40
    assert 40 <= len(context.lines) < 60


class Asked(ScriptedPins):
    """Gives the sudo password."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.secrets = list(answers)
        self.questions: list[str] = []

    async def secret(self, request: Any) -> Any:
        self.questions.append(request.question)
        if not self.secrets:
            raise PromptCancelled("nobody answers")
        return await super().secret(request)


def wants_sudo(right: str, sent: list[tuple[str, str]]) -> Any:
    """A check that asks as sudo on a host would."""

    async def check(machine: Any, ctx: Any) -> Outcome:
        password = await ctx.operator.secret(SudoPassword("?", host=machine.name, kept=True))
        sent.append((machine.name, password.reveal_text()))
        await asyncio.sleep(0)
        if sent[-1][1] != right:
            raise SudoWrongPassword("sudo did not accept the password")
        return await machine_ok(machine)

    return check


async def machine_ok(machine: Any) -> Outcome:
    from checks.evidence.files import Statements

    return Outcome.passed("ok", Statements(statements=("ok",), confirmed=(True,), by=machine.name))


async def test_the_sudo_password_is_asked_for_once(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    context.operator = Asked("sesame")
    sent: list[tuple[str, str]] = []
    outcome = await sweep(OnHosts(on=("all",)), {"x": wants_sudo("sesame", sent)}, context, asked="")
    assert outcome.verdict is Verdict.PASSED
    assert context.operator.questions == ["sudo password for all"]
    assert sorted(sent) == [(host, "sesame") for host in THREE]


async def test_a_wrong_sudo_password_is_tried_on_one_host_only(tmp_path: Path) -> None:
    hosts = tuple(f"h{number}" for number in range(20))
    context, _ = fleet(tmp_path, *hosts)
    context.operator = Asked("mistyped")
    sent: list[tuple[str, str]] = []
    outcome = await sweep(OnHosts(on=("all",), parallel=20), {"x": wants_sudo("sesame", sent)}, context, asked="")
    assert len(sent) == 1
    states = [row.state.value for row in table_of(outcome).rows]
    assert (states.count("errored"), states.count("not tried")) == (1, 19)
    assert f"the password was wrong on {sent[0][0]}" in table_of(outcome).sorted[-1].said.summary


async def test_nobody_gives_the_sudo_password(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE)
    context.operator = Asked()
    sent: list[tuple[str, str]] = []
    outcome = await sweep(OnHosts(on=("all",)), {"x": wants_sudo("sesame", sent)}, context, asked="")
    assert not outcome.verdict.green
    assert (sent, len(context.operator.questions)) == ([], 1)


async def test_a_password_that_may_not_be_kept_is_refused_for_a_group() -> None:
    prompts = GroupPrompts(Asked("sesame"), "all", 3)
    operator = prompts.for_host("input-a", Deadline(5))
    with pytest.raises(StepError, match="has it asked for each time") as caught:
        await operator.secret(SudoPassword("?", host="input-a", kept=False))
    assert "keep_sudo_password: true" in caught.value.remedy


COLUMNS = {
    "shell": {"check": "file", "path": "/bin/sh"},
    "name": {"check": "command", "run": ["/bin/sh", "-c", "echo $HOST"], "expect": {"stdout": "^input-[ab]$"}},
}


async def test_several_checks_are_columns(tmp_path: Path) -> None:
    context, _ = fleet(tmp_path, *THREE, down=("input-a",))
    outcome = await context.run(Fleet, on="all", checks=COLUMNS, at_least=1)
    table = table_of(outcome)
    assert table.columns == ("shell", "name")
    assert {row.host: [cell.state.value for cell in row.cells] for row in table.rows} == {
        "input-a": ["errored", "not tried"],
        "input-b": ["passed", "passed"],
        "input-c": ["passed", "failed"],
    }
    assert outcome.verdict is Verdict.WARNED
    assert any(line.startswith("BAD input-c  name: ") for line in table.plain())


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"check": "file", "path": "/x", "on": "input-a"}, "Extra inputs"),
        ({"check": "command", "run": ["true"], "engine": "ansible"}, "Extra inputs"),
        ({"check": "slots", "token": "x"}, "does not match any of the expected tags"),
        ({"check": "command", "ru": ["true"]}, "Extra inputs"),
    ],
)
def test_columns_that_do_not_fit(column: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FleetParams.model_validate({"on": "all", "checks": {"a": column}})


def test_a_fleet_is_planned_check_by_check() -> None:
    plan = Fleet(FleetParams.model_validate({"on": "all", "checks": COLUMNS})).plan()
    assert plan[0] == "shell: look at /bin/sh"
    assert plan[-1] == "on all"
    assert Registry().get(Role.CHECK, "fleet") is Fleet


async def test_a_file_to_compare_with_that_was_changed_has_all_looked_at_again(tmp_path: Path) -> None:
    context, opened = fleet(tmp_path, *THREE, down=("input-b",))
    model, there = tmp_path / "model", tmp_path / "there"
    model.write_text("old")
    there.write_text("old")
    look = {"on": "all", "path": str(there), "expect": {"same_as": "model"}}
    context.last = await context.run(FileCheck, **look)
    model.write_text("new")
    opened.down = frozenset()
    outcome = await context.run(FileCheck, **look)
    assert [row.state.value for row in table_of(outcome).rows] == ["failed"] * 3
