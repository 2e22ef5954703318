"""Passwords for Ansible: typed at its own prompts, and nowhere else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checks.evidence.ansible import AnsibleRecap
from checks.hosts.ansible import AnsibleAction
from runbook.errors import PromptCancelled
from runbook.outcome import Outcome, Verdict
from runbook.record.attachments import load
from tests.fake_context import ScriptedPins
from tests.hosts.test_ansible_step import INVENTORY
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD
from tests.stand_in import StandIn

SENTINEL = "Plover-egg-3141"

pytestmark = pytest.mark.usefixtures("own_memory")

SCAN = """\
import glob, os, sys
mark = sys.argv[1].encode()[::-1]
places = [*glob.glob("/proc/[0-9]*/cmdline"), *glob.glob("/proc/[0-9]*/environ")]
for top in glob.glob("memory/runbook-*"):
    places += [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
looked = 0
for place in places:
    try:
        data = open(place, "rb").read()
    except OSError:
        continue
    looked += 1
    if mark in data:
        print("FOUND", place)
print("looked at", looked)
assert places[-1].startswith("memory/")
"""
"""Looks for a word (given backwards) in every command line, environment, and file of the runs."""

PLAYBOOK = f"""\
- hosts: a
  gather_facts: false
  vars_files: [vaulted.yml]
  tasks:
    - name: scan
      ansible.builtin.command: {sys.executable} scan.py {SENTINEL[::-1]}
      args: {{chdir: "{{{{ playbook_dir }}}}"}}
      register: scanned
    - name: nothing is found
      ansible.builtin.assert:
        that: ["'FOUND' not in scanned.stdout", "'looked at' in scanned.stdout"]
        fail_msg: "{{{{ scanned.stdout }}}}"
    - name: the vault was opened
      ansible.builtin.assert: {{that: ["hidden == 'treasure'"]}}
"""


def vaulted(folder: Path, password: str, text: str = "hidden: treasure\n") -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    library = VaultLib([("default", VaultSecret(password.encode()))])
    (folder / "vaulted.yml").write_bytes(library.encrypt(text.encode()))


def project(folder: Path, playbook: str, *passwords: str, inventory: str = INVENTORY) -> StandIn:
    (folder / "hosts.ini").write_text(inventory)
    (folder / "site.yml").write_text(playbook)
    (folder / "scan.py").write_text(SCAN)
    person = ScriptedPins()
    person.secrets = list(passwords)
    return StandIn(folder, person, seconds_left=110)


async def play(context: StandIn, **params: Any) -> tuple[Outcome, AnsibleRecap]:
    given = params if "make" in params else {"playbook": "site.yml", "inventory": "hosts.ini", **params}
    outcome = await context.run(AnsibleAction, **given)
    recap = outcome.evidence[0]
    assert isinstance(recap, AnsibleRecap)
    return outcome, recap


def found_in(folder: Path) -> list[str]:
    """Files in which the sentinel stands."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and SENTINEL.encode() in path.read_bytes()]


async def test_a_vault_is_opened_and_its_password_is_nowhere(tmp_path: Path) -> None:
    vaulted(tmp_path, SENTINEL)
    context = project(tmp_path, PLAYBOOK, SENTINEL)
    outcome, recap = await play(context, vault=["default"], become_password=False)
    assert outcome.verdict is Verdict.PASSED, recap.failures
    assert found_in(tmp_path) == []
    assert list((tmp_path / "memory").iterdir()) == []
    assert SENTINEL not in outcome.evidence[0].model_dump_json() + "".join(context.lines)
    with pytest.raises(ValueError, match="wiped"):
        context.operator.given[0].reveal()


async def test_the_scan_finds_what_is_there(tmp_path: Path) -> None:
    """The judge of the test before, tried on a password in the environment."""
    vaulted(tmp_path, SENTINEL)
    context = project(
        tmp_path, PLAYBOOK.replace("gather_facts", f"environment: {{X: {SENTINEL}}}\n  gather_facts"), SENTINEL
    )
    outcome, _ = await play(context, vault=["default"])
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "task failed")


async def test_a_wrong_vault_password_ends_it_and_is_not_asked_for_again(tmp_path: Path) -> None:
    vaulted(tmp_path, "another")
    context = project(tmp_path, PLAYBOOK, SENTINEL)
    outcome, recap = await play(context, vault=["default"])
    assert not outcome.verdict.green
    assert len(context.operator.given) == 1
    assert "Decryption failed" in load(tmp_path, recap.attached).decode()
    assert found_in(tmp_path) == []


async def test_nobody_gives_the_password(tmp_path: Path) -> None:
    context = project(tmp_path, PLAYBOOK)

    class Leaves(ScriptedPins):
        async def secret(self, request: Any) -> Any:
            raise PromptCancelled("left")

    context.operator = Leaves()
    with pytest.raises(PromptCancelled):
        await play(context, vault=["default"])
    assert context.lines == []


async def test_several_vaults_have_a_prompt_each(tmp_path: Path) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    for name, password in (("prod", SENTINEL), ("dev.x", f"{SENTINEL}-2")):
        library = VaultLib([(name, VaultSecret(password.encode()))])
        text = library.encrypt(f"{name[0]}: treasure\n".encode(), vault_id=name)
        (tmp_path / f"{name}.yml").write_bytes(text)
    playbook = """\
- hosts: a
  gather_facts: false
  vars_files: [prod.yml, dev.x.yml]
  tasks: [{ansible.builtin.assert: {that: ["p == d"]}}]
"""
    context = project(tmp_path, playbook, SENTINEL, f"{SENTINEL}-2")
    outcome, recap = await play(context, vault=["prod", "dev.x"])
    assert outcome.verdict is Verdict.PASSED, recap.said
    assert found_in(tmp_path) == []


async def test_once_plays_have_begun_no_prompt_is_given_the_password(tmp_path: Path) -> None:
    """Neither what a host prints nor a playbook's own question, whose answer it shows."""
    playbook = """\
- hosts: a
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: "BECOME password: "}
    - ansible.builtin.pause: {prompt: BECOME password}
      register: stolen
    - ansible.builtin.debug: {msg: "{{ stolen.user_input }}"}
"""
    context = project(tmp_path, playbook, SENTINEL)
    context.seconds_left = 22
    outcome, recap = await play(context, become_password=True)
    assert (outcome.verdict, outcome.symptom) == (Verdict.IN_DOUBT, "deadline")
    assert "it asked for a password once more, which was not given" in outcome.summary
    assert "PLAY [a]" in load(tmp_path, recap.attached).decode()
    assert found_in(tmp_path) == []


async def test_a_makefile_s_target_that_asks(tmp_path: Path) -> None:
    """It has Ansible ask for both; the two passwords may be the same."""
    vaulted(tmp_path, SENTINEL)
    bin_folder = Path(sys.executable).parent
    (tmp_path / "Makefile").write_text(
        f"play-it:\n\t{bin_folder}/ansible-playbook -i hosts.ini -l $(G) site.yml --ask-vault-pass --ask-become-pass\n"
    )
    context = project(tmp_path, PLAYBOOK, SENTINEL, SENTINEL)
    asked = {"become_password": True, "vault": ["default"]}
    outcome, recap = await play(context, make="play-it", make_vars={"G": "a"}, **asked)
    assert outcome.verdict is Verdict.PASSED, recap.said
    assert recap.argv == ("make", "play-it", "G=a")
    assert [host.host for host in recap.hosts] == ["a"]
    assert found_in(tmp_path) == []
    outcome, _ = await play(context, make="no-such-target")
    assert (outcome.verdict, outcome.symptom) == (Verdict.ERRORED, "refused")


AS_ROOT = """\
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - name: who am I
      ansible.builtin.raw: id -un
      register: who
    - ansible.builtin.assert: {that: ["who.stdout | trim == 'root'"]}
"""


async def become(lab: Lab, folder: Path, password: str, **trust: Any) -> tuple[Outcome, AnsibleRecap, StandIn]:
    client = lab.client(trust=trust)
    context = project(folder, AS_ROOT, password, inventory="jump\nalpha\nbeta\n")
    context.site = client.site()
    outcome, recap = await play(context, become_password=True)
    return outcome, recap, context


async def test_root_by_password_on_real_hosts_behind_a_jump_host(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, recap, context = await become(ssh_lab, tmp_path, PASSWORD)
    assert outcome.verdict is Verdict.PASSED, recap.failures
    assert {host.host for host in recap.hosts} == {"jump", "alpha", "beta"}
    assert PASSWORD not in load(tmp_path, recap.attached).decode() + "".join(context.lines)


async def test_a_wrong_become_password(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, recap, _ = await become(ssh_lab, tmp_path, SENTINEL)
    assert not outcome.verdict.green
    assert "sudo password" in " ".join(line for note in recap.failures for line in note.said)
    assert found_in(tmp_path) == []


async def test_a_host_whose_key_is_not_known_is_not_reached(ssh_lab: Lab, tmp_path: Path) -> None:
    outcome, recap, _ = await become(ssh_lab, tmp_path, PASSWORD, beta="unknown")
    bad = {host.host: host.unreachable for host in recap.hosts if not host.good}
    assert (outcome.verdict, bad) == (Verdict.FAILED, {"beta": 1})
    assert "Host key verification failed" in " ".join(recap.failures[0].said)


async def test_callbacks_of_a_configuration_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ncallbacks_enabled = leak\ncallback_plugins = {tmp_path}/plugins\nlog_path = {tmp_path}/log\n"
    )
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "leak.py").write_text(
        "from ansible.plugins.callback import CallbackBase\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_NAME, CALLBACK_TYPE, CALLBACK_NEEDS_ENABLED = 'leak', 'notification', True\n"
        f"    def v2_playbook_on_start(self, playbook): open({str(tmp_path / 'leaked')!r}, 'w').close()\n"
    )
    context = project(tmp_path, "- hosts: a\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: {msg: x}}]\n")
    outcome, _ = await play(context)
    assert outcome.verdict is Verdict.PASSED
    assert not (tmp_path / "leaked").exists()
    assert not (tmp_path / "log").exists()
    # The judge: with Ansible alone the plug-in is loaded.
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "hosts.ini", "site.yml"]
    options = {"cwd": tmp_path, "check": True, "capture_output": True, "timeout": 60}
    await asyncio.to_thread(subprocess.run, command, **options)
    assert (tmp_path / "leaked").exists()
