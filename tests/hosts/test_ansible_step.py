"""Ansible as a step: real ansible-runner and ansible-playbook, against this machine."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.ansible import AnsibleRecap
from checks.hosts import ansible_run
from checks.hosts.ansible import AnsibleAction, AnsibleActionParams, AnsibleCheck
from runbook.errors import EnvironmentLacks
from runbook.kind import Registry
from runbook.model import Role
from runbook.outcome import Outcome, Verdict
from runbook.record.attachments import load
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import running, until_running
from tests.stand_in import StandIn

pytestmark = pytest.mark.usefixtures("own_memory")

INVENTORY = f"""\
a ansible_connection=local
b ansible_connection=local
[all:vars]
ansible_python_interpreter={sys.executable}
"""

TOUCH = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: leave a file
      tags: [leave]
      ansible.builtin.copy:
        dest: "{{ playbook_dir }}/{{ inventory_hostname }}.txt"
        content: "{{ text | default('x') }}"
        mode: "0600"
"""


def project(folder: Path, playbook: str, *, inventory: str = INVENTORY) -> StandIn:
    (folder / "hosts.ini").write_text(inventory)
    (folder / "site.yml").write_text(playbook)
    return StandIn(folder, ScriptedPins(), seconds_left=110)


async def play(context: StandIn, kind: Any = AnsibleAction, **params: Any) -> tuple[Outcome, AnsibleRecap]:
    outcome = await context.run(kind, **{"playbook": "site.yml", "inventory": "hosts.ini", **params})
    assert outcome.symptom in {"", *kind.symptoms}
    recap = outcome.evidence[0]
    assert isinstance(recap, AnsibleRecap)
    return outcome, recap


def test_both_are_installed() -> None:
    assert Registry().get(Role.CHECK, "ansible") is AnsibleCheck
    assert Registry().get(Role.ACTION, "ansible") is AnsibleAction


async def test_a_playbook_and_its_recap(tmp_path: Path) -> None:
    context = project(tmp_path, TOUCH)
    outcome, recap = await play(context, extra_vars={"text": "it's {{ 'here' }}"}, tags=["leave"])
    assert (outcome.verdict, outcome.summary) == (Verdict.PASSED, "2 hosts: 2 tasks ok, 2 changed something")
    assert sorted((host.host, host.ok, host.changed, host.good) for host in recap.hosts) == [
        ("a", 1, 1, True),
        ("b", 1, 1, True),
    ]
    assert [(note.host, note.task) for note in recap.changes] in (
        [("a", "leave a file"), ("b", "leave a file")],
        [("b", "leave a file"), ("a", "leave a file")],
    )
    assert (tmp_path / "a.txt").read_text() == "it's {{ 'here' }}"
    assert "PLAY RECAP" in load(tmp_path, recap.attached).decode()
    assert context.lines[:2] == ["PLAY all", "TASK leave a file"]
    assert any(isinstance(shown, AnsibleRecap) for shown in context.shown)
    assert list((tmp_path / "memory").iterdir()) == []


async def test_a_task_that_fails_and_a_host_that_is_not_there(tmp_path: Path) -> None:
    playbook = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: ask the disk
      ansible.builtin.command: sh -c 'echo no space left >&2; exit 3'
      when: inventory_hostname == 'b'
    - name: go there
      ansible.builtin.ping: {}
"""
    context = project(tmp_path, playbook, inventory=f"{INVENTORY}\n[far]\nc ansible_host=127.0.0.1 ansible_port=1\n")
    outcome, recap = await play(context)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "task failed")
    assert outcome.summary.startswith("2 of 3 hosts failed or were not reached")
    assert {host.host: (host.failed, host.unreachable) for host in recap.hosts} == {
        "a": (0, 0),
        "b": (1, 0),
        "c": (0, 1),
    }
    assert [host.good for host in recap.sorted] == [False, False, True]
    said = {note.host: " ".join(note.said) for note in recap.failures}
    assert "no space left" in said["b"]
    assert "Connection refused" in said["c"]


async def test_only_unreachable_hosts_have_a_symptom_of_their_own(tmp_path: Path) -> None:
    context = project(tmp_path, TOUCH, inventory="c ansible_host=127.0.0.1 ansible_port=1\n")
    assert (await play(context))[0].symptom == "host unreachable"


@pytest.mark.parametrize("params", [{"limit": ["nobody"]}, {"tags": ["no_such_tag"]}])
async def test_what_touched_nothing_is_never_green(tmp_path: Path, params: dict[str, Any]) -> None:
    outcome, _ = await play(project(tmp_path, TOUCH), **params)
    assert not outcome.verdict.green
    assert outcome.symptom in ("no hosts", "refused")


async def test_a_playbook_that_cannot_be_read(tmp_path: Path) -> None:
    outcome, recap = await play(project(tmp_path, "- hosts: [\n"))
    assert (outcome.verdict, outcome.symptom) == (Verdict.ERRORED, "refused")
    assert recap.said


async def test_a_dry_run_changes_nothing_and_shows_what_it_would(tmp_path: Path) -> None:
    context = project(tmp_path, TOUCH)
    outcome, recap = await play(context, mode="dry_run", extra_vars={"text": "quite new\n"})
    assert (outcome.verdict, recap.changed) == (Verdict.PASSED, 2)
    assert outcome.summary.endswith("2 would change something")
    assert not (tmp_path / "a.txt").exists()
    assert "+quite new" in load(tmp_path, recap.attached).decode()


async def test_the_check_is_a_dry_run_that_finds_nothing_to_change(tmp_path: Path) -> None:
    context = project(tmp_path, TOUCH)
    outcome, _ = await play(context, AnsibleCheck)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "would change")
    assert (await play(context, AnsibleCheck, may_change=True))[0].verdict is Verdict.PASSED
    await play(context)
    assert (await play(context, AnsibleCheck))[0].verdict is Verdict.PASSED


async def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    outcome, second = await play(project(tmp_path, TOUCH), mode="idempotent")
    assert outcome.verdict is Verdict.PASSED
    assert outcome.summary.endswith("the second run changed nothing")
    first = outcome.evidence[1]
    assert isinstance(first, AnsibleRecap)
    assert (first.changed, second.changed, second.mode) == (2, 0, "second run")


async def test_a_playbook_that_changes_each_time(tmp_path: Path) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{name: again, ansible.builtin.command: 'true'}]\n"
    outcome, second = await play(project(tmp_path, playbook), mode="idempotent")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "not idempotent")
    assert [note.task for note in second.changes] == ["again", "again"]


@pytest.mark.parametrize(("kind", "verdict"), [(AnsibleAction, Verdict.IN_DOUBT), (AnsibleCheck, Verdict.ERRORED)])
async def test_the_deadline_ends_all_of_it(tmp_path: Path, kind: Any, verdict: Verdict) -> None:
    seconds = f"6{time.monotonic_ns() % 10**7}"
    playbook = f"""\
- hosts: a
  gather_facts: false
  tasks:
    - name: wait
      check_mode: false
      ansible.builtin.command: sleep {seconds}
"""
    context = project(tmp_path, playbook)
    context.seconds_left = 16
    outcome, recap = await play(context, kind)
    assert (outcome.verdict, outcome.symptom, recap.ended_by) == (verdict, "deadline", "deadline")
    assert "TASK wait" in context.lines
    assert running(f"sleep {seconds}") == []
    assert running(str(tmp_path)) == []
    assert list((tmp_path / "memory").iterdir()) == []


async def test_a_run_that_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    seconds = f"6{time.monotonic_ns() % 10**7}"
    playbook = (
        f"- hosts: a\n  gather_facts: false\n  tasks: [{{name: wait, ansible.builtin.command: 'sleep {seconds}'}}]\n"
    )
    context = project(tmp_path, playbook)
    task = asyncio.create_task(play(context))
    await until_running(f"sleep {seconds}")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running(f"sleep {seconds}") == []
    assert list((tmp_path / "memory").iterdir()) == []


def test_the_plan_is_the_command_as_it_would_be_typed() -> None:
    params = AnsibleActionParams(
        playbook="site.yml",
        folder="ansible",
        limit=("input_staging",),
        tags=("ca_trust",),
        become_password=True,
        vault=("default",),
        extra_vars={"a": "b c"},
        mode="idempotent",
    )
    assert AnsibleAction(params).plan() == (
        "ansible-playbook --limit=input_staging --tags=ca_trust '--extra-vars=@{dir}/extra_vars.yml' "
        "--ask-become-pass --vault-id=default@prompt --forks=10 -- site.yml",
        'with the variables {"a": "b c"}',
        "with the inventory of the site profile",
        "in the folder ansible",
        "then the same once more: it must change nothing",
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"playbook": "a.yml", "make": "b"},
        {"make": "play", "tags": ["x"]},
        {"make": "play", "mode": "dry_run"},
        {"make": "-f"},
        {"make": "play", "make_vars": {"G": "$(shell id)"}},
        {"make": "play", "make_vars": {"G": "a; id"}},
        {"make": "play", "make_vars": {"G": "--option"}},
        {"make": "play", "make_vars": {"G ": "a"}},
        {"playbook": "a.yml", "make_vars": {"G": "a"}},
        {"playbook": "a.yml", "limit": ["-x"]},
        {"playbook": "a.yml", "limit": ["@file"]},
        {"playbook": "a.yml", "tags": ["a b"]},
        {"playbook": "a.yml", "vault": ["a\nb"]},
    ],
)
def test_keys_that_do_not_fit(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AnsibleActionParams.model_validate(params)


async def test_a_machine_without_ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ansible_run, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentLacks, match="ansible-runner is not installed") as caught:
        await play(project(tmp_path, TOUCH))
    assert "hsm-runbook[ansible]" in caught.value.remedy


@pytest.mark.parametrize(
    "value",
    [
        "'; id #",
        "$(id)",
        "{{ lookup('pipe', 'id') }}",
        "{% raw %}",
        "\\",
        "\x7f\x85",
        "😀",
        "-e x=y",
        "a\nb",
        "ü\u202e",
        '"',
    ],
)
async def test_values_of_variables_are_data(tmp_path: Path, value: str) -> None:
    playbook = """\
- hosts: a
  gather_facts: false
  tasks:
    - ansible.builtin.assert: {that: ["given | length == size"]}
"""
    outcome, recap = await play(project(tmp_path, playbook), extra_vars={"given": value, "size": len(value)})
    assert outcome.verdict is Verdict.PASSED, (json.dumps(value), recap.failures)
