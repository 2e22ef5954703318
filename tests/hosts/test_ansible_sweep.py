"""`engine: ansible`: the command on a group by one run of Ansible, with the same table and the same judge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.hosts.command import CommandCheck
from checks.hosts.hosts import Hosts
from checks.hosts.unsafe_yaml import unsafe_yaml
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from runbook.site import Site
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import table_of
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD
from tests.stand_in import StandIn

pytestmark = pytest.mark.usefixtures("own_memory")

SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"


def lab_context(lab: Lab, folder: Path, *passwords: str, **profile: Any) -> StandIn:
    client = lab.client()
    site = client.site(**client.profiles(**profile))
    person = ScriptedPins()
    person.secrets = list(passwords)
    groups = {"fleet": ("jump", "alpha", "beta")}
    return StandIn(folder, person, site=site.model_copy(update={"groups": groups}), seconds_left=100)


async def run(context: StandIn, *argv: str, **params: Any) -> Outcome:
    try:
        return await context.run(CommandCheck, **{"run": argv, "on": "fleet", "engine": "ansible", **params})
    finally:
        await (await context.use(Hosts)).close()
        context.resources.clear()


async def test_both_engines_find_the_same(ssh_lab: Lab, tmp_path: Path) -> None:
    line = 'echo "on $(hostname)"; test "$(hostname)" != beta || { echo broken >&2; exit 3; }'
    params = {"shell": True, "expect": {"stdout": "^on [a-z]+$"}}
    context = lab_context(ssh_lab, tmp_path)
    ours, theirs = await run(context, line, engine="ssh", **params), await run(context, line, **params)
    assert (ours.verdict, ours.symptom) == (theirs.verdict, theirs.symptom) == (Verdict.FAILED, "exit code")
    assert ours.summary == theirs.summary == "2 of 3 hosts are green; not green: beta"
    mine, his = table_of(ours).sorted, table_of(theirs).sorted
    assert [(row.host, row.state, row.said.summary) for row in mine] == [(r.host, r.state, r.said.summary) for r in his]
    assert any("broken" in line for line in his[0].said.details)
    assert list((tmp_path / "memory").iterdir()) == []


async def test_root_with_the_password_asked_for_once(ssh_lab: Lab, tmp_path: Path) -> None:
    context = lab_context(ssh_lab, tmp_path, PASSWORD)
    outcome = await run(context, "id", "-u", sudo=True, expect={"stdout": "^0$"})
    assert outcome.verdict is Verdict.PASSED, list(table_of(outcome).plain())
    assert len(context.operator.given) == 1


async def test_a_wrong_password_is_tried_on_one_host(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome = await run(lab_context(ssh_lab, tmp_path, "mistyped"), "id", "-u", sudo=True)
    rows = table_of(outcome).rows
    assert [row.state.value for row in rows] == ["errored", "not tried", "not tried"]
    assert rows[0].said.symptom == "wrong sudo password"


async def test_a_retry_plays_only_what_was_not_green(ssh_lab: Lab, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    context = lab_context(ssh_lab, tmp_path)
    context.last = await run(context, "sh", "-c", f"test $(hostname) != alpha || test -e {mark}")
    assert [row.host for row in table_of(context.last).rows if row.state.red] == ["alpha"]
    second = await run(context, "sh", "-c", f"test $(hostname) != alpha || test -e {mark}")
    assert [(row.host, row.attempt) for row in table_of(second).rows] == [("jump", 1), ("alpha", 2), ("beta", 1)]


def local_context(folder: Path) -> StandIn:
    (folder / "hosts.ini").write_text(
        f"one ansible_connection=local\n[all:vars]\nansible_python_interpreter={sys.executable}\n"
    )
    site = Site.model_validate(
        {"site": 1, "name": "x", "inventory": str(folder / "hosts.ini"), "groups": {"fleet": ["local"]}}
    )
    return StandIn(folder, ScriptedPins(), site=site, seconds_left=100)


HOSTILE = [
    "",
    "-x",
    "'",
    '"',
    "$HOME",
    "$(id)",
    "`id`",
    "a\nb",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "\\",
    "#",
    "ü\u202e😀",
    " end \n",
]


async def test_hostile_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    import json

    context = local_context(tmp_path)
    outcome = await run(context, sys.executable, "-c", SHOW, *HOSTILE)
    table = table_of(outcome)
    assert outcome.verdict is Verdict.PASSED, list(table.plain())
    from runbook.record.attachments import load

    assert json.dumps(HOSTILE) in load(tmp_path, table.attached).decode()


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    outcome = await run(local_context(tmp_path), "no-such-program", expect={"exit_code": 2})
    assert outcome.verdict is Verdict.ERRORED
    assert "could not be run" in table_of(outcome).rows[0].said.summary


async def test_ansible_that_does_not_start_is_no_verdict(tmp_path: Path) -> None:
    context = local_context(tmp_path)
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = many\n")
    with pytest.raises(StepError, match="did not run the command on any host"):
        await run(context, "true")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3),
        max_leaves=6,
    )
)
@settings(deadline=None)
def test_unsafe_yaml_says_what_it_was_given(value: Any) -> None:
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    text = unsafe_yaml(value)
    assert text.isascii()
    assert text.isprintable()
    assert yaml.load(text, Loader) == value  # noqa: S506 - a safe loader with one tag more
