"""What a run of Ansible has changed, as Ansible itself tells it: files by their path, anything else by its task."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.test_ansible_step import play, project

pytestmark = pytest.mark.usefixtures("own_memory")

PLAYBOOK = """\
- hosts: a
  gather_facts: false
  tasks:
    - name: one file
      ansible.builtin.copy: {dest: "{{ playbook_dir }}/one.txt", content: x, mode: "0600"}
    - name: files of a loop
      ansible.builtin.lineinfile: {path: "{{ playbook_dir }}/{{ item }}", line: x, create: true, mode: "0600"}
      loop: [two.txt, three.txt, two.txt]
    - name: anything
      ansible.builtin.command: "true"
    - name: nothing
      ansible.builtin.command: "true"
      changed_when: false
    - name: hidden
      ansible.builtin.copy: {dest: "{{ playbook_dir }}/hidden.txt", content: x, mode: "0600"}
      no_log: true
"""


async def test_files_are_told_by_their_path_and_the_rest_by_its_task(tmp_path: Path) -> None:
    context = project(tmp_path, PLAYBOOK)
    await play(context)
    found = [(event.what, event.name.removeprefix(f"{tmp_path}/"), event.on) for event in context.touched]
    assert found == [
        ("file", "one.txt", "a"),
        ("file", "two.txt", "a"),
        ("file", "three.txt", "a"),
        ("task", "anything", "a"),
        ("task", "a task with no_log", "a"),
    ], "each file once; of what is hidden only that something was"


async def test_a_second_and_a_dry_run_change_nothing(tmp_path: Path) -> None:
    context = project(tmp_path, PLAYBOOK)
    await play(context, mode="dry_run")
    assert context.touched == ()
    await play(context)
    before = len(context.touched)
    await play(context)
    assert [event.name for event in context.touched[before:]] == ["anything"]
